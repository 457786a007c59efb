"""How a run went over time: sinks of records whose tables have a row for each interval.

An interval is as long as that of the counters; where there would be more than 2,000 of them neighbours are merged (column
`interval_s`), so that the memory does not grow with the run. It holds what happens from its start on and before its end, and the
last one ends where the simulation does. Everything is there, warm-up included; requests that had not ended when a run was
interrupted are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.flags import flag_text
from meshsim.metrics.over_time.intervals import CoarseHistograms, Counted, Intervals, coarse_quantiles
from meshsim.metrics.rows import NO_ROUTE, groups, is_failed
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.plan import Plan
    from meshsim.records import Chunk

    Table = dict[str, np.ndarray]

ALL_ROUTES = "(all)"
QUANTILES = {"latency_p50_s": 0.5, "latency_p90_s": 0.9, "latency_p99_s": 0.99}


class Timeline:
    """Load, goodput, errors, requests in flight and latency of each route over time."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.names.routes
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the route."""
        self._latency: dict[int, CoarseHistograms] = {}

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of requests only."""
        if table != "requests" or not len(chunk["route"]):
            return
        for _ in range(self._axis.halvings(int(chunk["ended_ns"].max()))):
            self._counted.halve()
            for one in self._latency.values():
                one.halve()
        started = chunk["started_ns"] // self._axis.width_ns
        ended = chunk["ended_ns"] // self._axis.width_ns
        latency_ns = chunk["ended_ns"] - chunk["started_ns"]
        failed = is_failed(chunk)
        for route, rows in groups(chunk["route"]):
            self._counted.add(("started", route), started[rows])
            self._counted.add(("latency_ns", route), started[rows], latency_ns[rows])
            self._counted.add(("attempts", route), started[rows], chunk["attempts"][rows])
            self._counted.add(("well", route), ended[rows[~failed[rows]]])
            self._counted.add(("failed", route), ended[rows[failed[rows]]])
            self._latency.setdefault(route, CoarseHistograms()).add(started[rows], latency_ns[rows])

    @property
    def size_bytes(self) -> int:
        """Memory that the histograms take."""
        return sum(one.size_bytes for one in self._latency.values())

    def table(self, simulated_ns: int) -> Table:
        """One row for each route and interval, and for all routes together, `(all)`, first.

        Args:
            simulated_ns: How far the run has come.

        Returns:
            Columns of equal length: route, time_s (start of the interval), interval_s, offered_per_s (requests that started),
            goodput_per_s (that ended well), errors_per_s (that ended and failed), in_flight (of the route, at the interval's end),
            latency_p50_s, latency_p90_s, latency_p99_s (within 1.6 %) and latency_mean_s (exact), both of the requests that
            started in the interval and NaN where none did, attempts_per_s (tries at the entry service of the requests that
            started).
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        routes = sorted(
            {route for _, route in self._counted.known()} | set(range(len(self._names))), key=lambda one: (one < 0, one)
        )
        count, bins = len(edges_ns) - 1, max((one.bins for one in self._latency.values()), default=0)
        parts = []
        together = {name: np.zeros(count, dtype=np.int64) for name in ("started", "latency_ns", "attempts", "well", "failed")}
        latency_together = np.zeros((count, bins), dtype=np.int64)
        for route in routes:
            counted = {name: self._counted.row((name, route), count) for name in together}
            latency = self._latency.get(route, CoarseHistograms()).counts(count, bins)
            for name, row in counted.items():
                together[name] += row
            latency_together += latency
            parts.append(_timeline(_route_name(route, self._names), edges_ns, counted, latency))
        return _stacked([_timeline(ALL_ROUTES, edges_ns, together, latency_together), *parts])


class ErrorsOverTime:
    """Failed requests of each route and flag over time."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.names.routes
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[int, int]] = Counted()
        """By route and flags."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of requests only."""
        if table != "requests" or not len(chunk["route"]):
            return
        for _ in range(self._axis.halvings(int(chunk["ended_ns"].max()))):
            self._counted.halve()
        failed = np.flatnonzero(is_failed(chunk))
        ended = chunk["ended_ns"][failed] // self._axis.width_ns
        routes, flags = chunk["route"][failed], chunk["response_flags"][failed]
        for route, of_route in groups(routes):
            for mask, rows in groups(flags[of_route]):
                self._counted.add((route, mask), ended[of_route[rows]])

    def table(self, simulated_ns: int) -> Table:
        """A row for every interval of each route and flag that came up at all, and of all routes together, `(all)`.

        Returns:
            Columns of equal length: route, time_s, interval_s, flag (as an access log prints them: `URX,UT`), errors_per_s
            (requests that ended so in the interval).
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        found = sorted(self._counted.known(), key=lambda key: (key[0] < 0, key))
        rows: dict[tuple[str, int], np.ndarray] = {
            (_route_name(route, self._names), mask): self._counted.row((route, mask), len(edges_ns) - 1) for route, mask in found
        }
        for mask in sorted({mask for _, mask in found}, reverse=True):
            together = np.zeros(len(edges_ns) - 1, dtype=np.int64)
            for (_, other), row in rows.items():
                together += row if other == mask else 0
            rows = {(ALL_ROUTES, mask): together, **rows}
        return _stacked(
            [
                {
                    **_times(edges_ns, route=route),
                    "flag": np.full(len(row), flag_text(mask), dtype=object),
                    "errors_per_s": row / _lengths_s(edges_ns),
                }
                for (route, mask), row in rows.items()
            ]
        ) or {**_times(edges_ns[:1], route=""), "flag": np.zeros(0, dtype=object), "errors_per_s": np.zeros(0)}


def _timeline(route: str, edges_ns: np.ndarray, counted: dict[str, np.ndarray], latency: np.ndarray) -> Table:
    lengths_s = _lengths_s(edges_ns)
    started = counted["started"]
    with np.errstate(invalid="ignore"):
        mean_s = counted["latency_ns"] / started / NS_PER_S
    return {
        **_times(edges_ns, route=route),
        "offered_per_s": started / lengths_s,
        "goodput_per_s": counted["well"] / lengths_s,
        "errors_per_s": counted["failed"] / lengths_s,
        "in_flight": np.cumsum(started - counted["well"] - counted["failed"]),
        **{name: coarse_quantiles(latency, share) / NS_PER_S for name, share in QUANTILES.items()},
        "latency_mean_s": mean_s,
        "attempts_per_s": counted["attempts"] / lengths_s,
    }


def _times(edges_ns: np.ndarray, **names: str) -> Table:
    """The first columns of a table: whose rows they are, and when."""
    count = len(edges_ns) - 1
    return {
        **{column: np.full(count, name, dtype=object) for column, name in names.items()},
        "time_s": edges_ns[:-1] / NS_PER_S,
        "interval_s": _lengths_s(edges_ns),
    }


def _lengths_s(edges_ns: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.diff(edges_ns) / NS_PER_S
    return lengths


def _stacked(parts: Sequence[Table]) -> Table:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def _route_name(route: int, names: Sequence[str]) -> str:
    return names[route] if route >= 0 else NO_ROUTE
