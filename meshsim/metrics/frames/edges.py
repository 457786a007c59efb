"""Who calls whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

from meshsim.metrics.edges import CLIENT, GATEWAY
from meshsim.metrics.frames.rows import failed, measured
from meshsim.units import NS_PER_S


def edges(attempts: pd.DataFrame, requests: pd.DataFrame | None = None, *, warm_up_s: float, duration_s: float) -> pd.DataFrame:
    """Calls by caller and service, of the requests that started in the measured window.

    Args:
        attempts: `Result.attempts`.
        requests: `Result.requests`, where there is a gateway: then the first row is from its clients to it.
        warm_up_s: Attempts of requests that start before it are left out.
        duration_s: Attempts of requests that start after it are left out.

    Returns:
        A row for each pair: caller (a service, `(gateway)` or `(client)`), service (or `(gateway)`), attempts_per_s, error_share,
        latency_p99_s (from sent to the caller's outcome; NaN where none was sent).

    Example:
        >>> edges(result.attempts, warm_up_s=60, duration_s=480).sort_values("error_share", ascending=False)
    """
    rows = measured(attempts, warm_up_s=warm_up_s, duration_s=duration_s)
    rows = rows[rows["service"].notna()]
    found = [
        (str(caller), str(service), group, "sent_ns")
        for (caller, service), group in rows.groupby([rows["caller"].astype(object), rows["service"].astype(object)])
    ]
    if requests is not None:
        found.insert(0, (CLIENT, GATEWAY, measured(requests, warm_up_s=warm_up_s, duration_s=duration_s), "started_ns"))
    return pd.DataFrame(
        [
            {
                "caller": caller,
                "service": service,
                "attempts_per_s": len(group) / (duration_s - warm_up_s),
                "error_share": failed(group).mean(),
                "latency_p99_s": _p99_s(group, since),
            }
            for caller, service, group, since in found
        ],
        columns=["caller", "service", "attempts_per_s", "error_share", "latency_p99_s"],
    )


def _p99_s(group: pd.DataFrame, since: str) -> float:
    timed = group[(group[since] >= 0) & (group["ended_ns"] >= 0)]
    if timed.empty:
        return float("nan")
    return float(np.quantile(timed["ended_ns"] - timed[since], 0.99, method="inverted_cdf")) / NS_PER_S
