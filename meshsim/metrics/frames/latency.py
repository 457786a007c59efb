"""Latency: exact quantiles, and what a dashboard would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.frames.rows import grouping, measured
from meshsim.metrics.latency.dashboard import DashboardBuckets
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUANTILES = (0.5, 0.9, 0.99, 0.999)


def latency_quantiles(
    rows: pd.DataFrame,
    by: str | Sequence[str] | None = "route",
    quantiles: Sequence[float] = QUANTILES,
    *,
    warm_up_s: float,
    duration_s: float,
) -> pd.DataFrame:
    """Exact quantiles of latency, failures included.

    Args:
        rows: `Result.requests`, as the client saw them; or `Result.attempts`, from sent to the caller's outcome.
        by: Column or columns: of requests `route`, `source`, or `consumer` (see `with_consumers`); of attempts `service`,
            `caller`, `operation`, `instance`. None for all together.
        quantiles: 0 to 1.
        warm_up_s: Requests that start before it are left out.
        duration_s: Requests that start after it are left out.

    Returns:
        Seconds: a row for each group, a column for each quantile, `q` (the time at rank ceil(q * count), Hyndman and Fan's type 1).

    Example:
        >>> latency_quantiles(result.requests, by="route", quantiles=[0.5, 0.99], warm_up_s=60, duration_s=480)
    """
    return _quantiles(
        measured(rows, warm_up_s=warm_up_s, duration_s=duration_s),
        by,
        quantiles,
        lambda latency_ns: np.quantile(latency_ns, list(quantiles), method="inverted_cdf") / NS_PER_S,
    )


def dashboard_quantiles(
    rows: pd.DataFrame,
    by: str | Sequence[str] | None = "route",
    quantiles: Sequence[float] = (0.5, 0.9, 0.99),
    *,
    warm_up_s: float,
    duration_s: float,
) -> pd.DataFrame:
    """What Prometheus' `histogram_quantile` over Istio's `istio_request_duration_milliseconds` would show for the same requests.

    The buckets are wide, and Prometheus takes what is in one to be spread evenly over it: compare with `latency_quantiles`.

    Args:
        rows: `Result.requests` or `Result.attempts`.
        by: As of `latency_quantiles`.
        quantiles: 0 to 1.
        warm_up_s: Requests that start before it are left out.
        duration_s: Requests that start after it are left out.

    Returns:
        Seconds: a row for each group, a column for each quantile.

    Example:
        >>> dashboard_quantiles(result.attempts, by="service", warm_up_s=60, duration_s=480)
    """

    def shown(latency_ns: np.ndarray) -> list[float | None]:
        buckets = DashboardBuckets()
        buckets.add(latency_ns)
        return [buckets.quantile_s(share) for share in quantiles]

    return _quantiles(measured(rows, warm_up_s=warm_up_s, duration_s=duration_s), by, quantiles, shown)


def _quantiles(
    rows: pd.DataFrame,
    by: str | Sequence[str] | None,
    quantiles: Sequence[float],
    of: Callable[[np.ndarray], Sequence[float | None] | np.ndarray],
) -> pd.DataFrame:
    since = "started_ns"
    if "sent_ns" in rows:
        since, rows = "sent_ns", rows[(rows["sent_ns"] >= 0) & (rows["ended_ns"] >= 0)]
    keys = grouping(rows, by)
    groups = (rows["ended_ns"] - rows[since]).groupby(keys if len(keys) > 1 else keys[0])
    found = {name: of(latency_ns.to_numpy()) for name, latency_ns in groups}
    index = (
        pd.Index(list(found), name=keys[0].name)
        if len(keys) == 1
        else pd.MultiIndex.from_tuples(list(found), names=[key.name for key in keys])
    )
    values = np.array(list(found.values()), dtype=np.float64).reshape(len(found), len(quantiles))
    return pd.DataFrame(values, index=index, columns=pd.Index(list(quantiles), name="q"))
