"""How long the clients still felt a fault after it was over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.frames.rows import ALL, failed, grouping
from meshsim.metrics.over_time.intervals import Intervals, coarse_bin, coarse_edges
from meshsim.metrics.over_time.recovery import FEWEST_REQUESTS, TAIL, recoveries, stretches
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.metrics.over_time.recovery import Recovery


def recovery_time(
    requests: pd.DataFrame, faults: pd.DataFrame, *, warm_up_s: float, duration_s: float, interval_s: float = 1.0
) -> pd.DataFrame:
    """From the end of each fault until as many requests were answered well and as fast as before it.

    `meshsim.metrics.over_time.recovery` has the definition and its reasons.

    Args:
        requests: `Result.requests`.
        faults: from_s and until_s of each fault; those that overlap count as one.
        warm_up_s: The state before is told from then until the first fault.
        duration_s: When the load ends, counted from the start of the run.
        interval_s: How finely it is told.

    Returns:
        A row for each route and fault, and for all routes together (`(all)`, first): route, from_s, until_s, limit_s (within which
        99 % were answered before), share_before (that were answered well within it), recovery_s (inf where it did not recover
        before the next fault or the end of the load, NaN where it cannot be told), unknown (why it cannot be told, or empty), lost (requests
        that failed from the fault's begin until recovery), outlives (whether the bad state outlived the fault; None where it cannot be told).

    Example:
        >>> faults = pd.DataFrame({"from_s": [180], "until_s": [240]})
        >>> recovery_time(result.requests, faults, warm_up_s=60, duration_s=480)
    """
    ends_s = faults[["from_s", "until_s"]].to_numpy(dtype=np.float64).tolist()
    ends_ns = [(round(from_s * NS_PER_S), round(until_s * NS_PER_S)) for from_s, until_s in ends_s]
    columns = ["route", "from_s", "until_s", "limit_s", "share_before", "recovery_s", "unknown", "lost", "outlives"]
    if not ends_ns:
        return pd.DataFrame(columns=columns)
    axis = Intervals(round(interval_s * NS_PER_S), round(duration_s * NS_PER_S))
    edges_ns = axis.edges_ns(round(duration_s * NS_PER_S))
    (routes,) = grouping(requests, "route")
    groups = [(ALL, requests), *((str(route), rows) for route, rows in requests.groupby(routes))]
    found = [
        (route, one)
        for route, rows in groups
        for one in _of_rows(rows, edges_ns, axis.width_ns, round(warm_up_s * NS_PER_S), stretches(ends_ns))
    ]
    return pd.DataFrame(
        [
            (
                route,
                one.from_s,
                one.until_s,
                math.nan if one.limit_s is None else one.limit_s,
                math.nan if one.share_before is None else one.share_before,
                math.inf if one.is_never else math.nan if one.recovery_s is None else one.recovery_s,
                one.unknown,
                one.lost,
                one.outlives,
            )
            for route, one in found
        ],
        columns=columns,
    )


def _of_rows(
    rows: pd.DataFrame, edges_ns: np.ndarray, width_ns: int, warm_up_ns: int, stretches_ns: list[tuple[int, int]]
) -> list[Recovery]:
    started_ns, latency_ns = rows["started_ns"].to_numpy(), (rows["ended_ns"] - rows["started_ns"]).to_numpy()
    before_ns = latency_ns[(started_ns >= warm_up_ns) & (started_ns < stretches_ns[0][0])]
    limit_ns, is_within = None, np.zeros(len(rows), dtype=bool)
    if len(before_ns) >= FEWEST_REQUESTS:
        p99_ns = np.quantile(before_ns, TAIL, method="inverted_cdf")
        limit_ns = int(coarse_edges(coarse_bin(np.array([p99_ns], dtype=np.int64)))[1][0])
        is_within = (latency_ns <= limit_ns) & ~failed(rows).to_numpy()
    intervals, count = started_ns // width_ns, len(edges_ns) - 1
    return recoveries(
        edges_ns,
        np.bincount(intervals, minlength=count),
        np.bincount(intervals[is_within], minlength=count),
        np.bincount(intervals[failed(rows).to_numpy()], minlength=count)[:count],
        limit_ns=limit_ns,
        warm_up_ns=warm_up_ns,
        stretches_ns=stretches_ns,
    )
