"""How much came, how much went well, what failed, and what was done twice or for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from meshsim.metrics.frames.rows import failed, grouping, measured
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence


def throughput(
    requests: pd.DataFrame, by: str | Sequence[str] | None = "route", *, warm_up_s: float, duration_s: float
) -> pd.DataFrame:
    """Requests per second that were offered, that ended, and that ended well.

    Offered are those that started in the measured window; ended and goodput those that ended in it, whenever they started, so that
    an overloaded service does not look as fast as its load.

    Args:
        requests: `Result.requests`.
        by: `route`, `source`, `consumer` (see `with_consumers`), several of them, or None for all together.
        warm_up_s: When the window begins.
        duration_s: When it ends, counted from the start of the run.

    Returns:
        Per second: a row for each group, columns offered_per_s, throughput_per_s, goodput_per_s.

    Example:
        >>> throughput(result.requests, by="source", warm_up_s=60, duration_s=480)
    """
    ended_ns = requests["ended_ns"]
    ends = (ended_ns > round(warm_up_s * NS_PER_S)) & (ended_ns <= round(duration_s * NS_PER_S))
    starts = pd.Series(data=False, index=requests.index)
    starts[measured(requests, warm_up_s=warm_up_s, duration_s=duration_s).index] = True
    counts = pd.DataFrame(
        {"offered_per_s": starts, "throughput_per_s": ends, "goodput_per_s": ends & ~failed(requests)}, index=requests.index
    )
    return counts.groupby(grouping(requests, by)).sum() / (duration_s - warm_up_s)


def goodput(
    requests: pd.DataFrame, by: str | Sequence[str] | None = "route", *, warm_up_s: float, duration_s: float
) -> pd.Series:
    """Requests per second that ended well in the measured window: `throughput(...)["goodput_per_s"]`.

    Example:
        >>> goodput(result.requests, warm_up_s=60, duration_s=480)["checkout"]
    """
    return throughput(requests, by, warm_up_s=warm_up_s, duration_s=duration_s)["goodput_per_s"]


def errors_by_flag(
    rows: pd.DataFrame, by: str | Sequence[str] | None = "route", *, warm_up_s: float, duration_s: float
) -> pd.DataFrame:
    """Failed requests, or attempts, by response flag.

    Args:
        rows: `Result.requests` or `Result.attempts`.
        by: As of `latency_quantiles`.
        warm_up_s: Requests that start before it are left out.
        duration_s: Requests that start after it are left out.

    Returns:
        A row for each group and flags (`meshsim.flags.MEANINGS` says what they mean) that came up: failures, per_s, and share of all
        requests or attempts of the group.

    Example:
        >>> errors_by_flag(result.requests, warm_up_s=60, duration_s=480).loc["checkout"]
    """
    rows = measured(rows, warm_up_s=warm_up_s, duration_s=duration_s)
    bad = rows[failed(rows)]
    keys = grouping(bad, by)
    counts = bad.groupby([*keys, bad["response_flags"].astype(object)]).size().rename("failures")
    of_group = rows.groupby(grouping(rows, by)).size()
    whole = [of_group[key[:-1] if len(key) > 2 else key[0]] for key in counts.index]
    return pd.DataFrame({"failures": counts, "per_s": counts / (duration_s - warm_up_s), "share": counts / whole})


def retry_amplification(attempts: pd.DataFrame, by: str = "service", *, warm_up_s: float, duration_s: float) -> pd.Series:
    """Attempts for each call: 1 without retries.

    Args:
        attempts: `Result.attempts`.
        by: `service`, `caller` or `operation`.
        warm_up_s: Attempts of requests that start before it are left out.
        duration_s: Attempts of requests that start after it are left out.

    Returns:
        Sent attempts over first tries, by group; less than 1 where a full pool refuses calls.

    Example:
        >>> retry_amplification(result.attempts, warm_up_s=60, duration_s=480)["payment"]
    """
    rows = measured(attempts, warm_up_s=warm_up_s, duration_s=duration_s)
    counts = pd.DataFrame({"sent": (rows["sent_ns"] >= 0) & (rows["ended_ns"] >= 0), "calls": rows["attempt"] == 1})
    sums = counts.groupby(grouping(rows, by)).sum()
    return (sums["sent"] / sums["calls"]).rename("retry_amplification")


def wasted_work(attempts: pd.DataFrame, by: str = "service", *, warm_up_s: float, duration_s: float) -> pd.DataFrame:
    """Computing that was done for answers that nobody waited for.

    Args:
        attempts: `Result.attempts`.
        by: `service`, `operation` or `instance`.
        warm_up_s: Attempts of requests that start before it are left out.
        duration_s: Attempts of requests that start after it are left out.

    Returns:
        A row for each group: worked_s and wasted_s, worker time in s, and wasted_share of it.

    Example:
        >>> wasted_work(result.attempts, warm_up_s=60, duration_s=480)["wasted_share"]
    """
    rows = measured(attempts, warm_up_s=warm_up_s, duration_s=duration_s)
    sums = rows[["worked_ns", "wasted_ns"]].groupby(grouping(rows, by)).sum() / NS_PER_S
    sums.columns = pd.Index(["worked_s", "wasted_s"])
    return sums.assign(wasted_share=sums["wasted_s"] / sums["worked_s"])
