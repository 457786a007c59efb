"""How long the clients still felt a fault after it was over.

For each interval, the share of the requests started in it that were answered well within a limit; the limit is what 99 % of the
requests took before the first fault (their 99th percentile, rounded up to the next of 32 steps per octave, 3.1 % at most). That
share, from the warm-up to the first fault, is the state before. A run has recovered at the start of the first whole interval after
the fault's end from which on, over ten intervals together, the share is at least 95 % of the state before; fewer intervals, but three
at least, will do where the next fault or the end of the load comes sooner.

Why so: one figure for latency and errors, as a service level objective has; a limit that comes from the run itself and needs no
setting; and ten intervals together, because one good second in a storm of retries is no recovery, and one bad one is no relapse.

A bad state outlives its trigger where the run never recovered although it was watched, after the fault's end and before the next one,
for at least as long as the fault had lasted: what keeps it bad then is not the fault, but what came of it, such as retries and queues
(Bronson et al., "Metastable failures in distributed systems", HotOS 2021). Where it was watched for a shorter time that is not told.
Lost are the requests that failed of those that started from the fault's begin until recovery, or until the next fault or the end of the
load where that did not come or cannot be told.

Faults that overlap count as one. The answer is as fine as the intervals are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import CoarseHistograms, Counted, Intervals, coarse_edges
from meshsim.metrics.rows import groups, is_failed
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshsim.plan import Plan
    from meshsim.records import Chunk

TAIL = 0.99
RECOVERED = 0.95
WINDOW = 10
SHORTEST_WINDOW = 3
FEWEST_REQUESTS = 100
"""With fewer before the fault, their 99th percentile says nothing."""
HEALTHY = 0.5
"""Share of requests answered well before the first fault below which there was nothing to come back to."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came after one fault."""

    from_s: float
    until_s: float
    """Of the fault, or of several that overlap."""
    limit_s: float | None
    """Within which 99 % of the requests were answered before the first fault."""
    share_before: float | None
    """Of requests that were answered well within the limit before the first fault."""
    recovery_s: float | None
    """From the end of the fault until it was as before; None where that never came or cannot be told."""
    is_never: bool
    """Whether it was not as before until the next fault or the end of the load."""
    unknown: str
    """Why it cannot be told; else empty."""
    route: str | None = None
    """None for all routes together."""
    lost: int = 0
    """Requests that failed from its begin until it was as before, or else until the next fault or the end of the load."""
    outlives: bool | None = None
    """Whether the bad state outlived the fault; None where that cannot be told."""

    @property
    def label(self) -> str:
        """Of which route, and after which fault."""
        return f"{self.route or '(all)'} from {format_duration(round(self.from_s * NS_PER_S))}"


class RecoveryWatch:
    """Collects what recovery times are told from; of a plan without faults nothing."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._started: Counted[int] = Counted()
        self._failed: Counted[int] = Counted()
        self._well: dict[int, CoarseHistograms] = {}
        self._before: dict[int, CoarseHistograms] = {}
        """Of all requests that started between warm-up and first fault, answered well or not, in one interval."""
        self._stretches = stretches((fault.from_ns, fault.until_ns) for fault in plan.faults)

    def add(self, chunk: Chunk) -> None:
        """Take rows of requests."""
        if not self._stretches or not len(chunk["route"]):
            return
        started_ns = chunk["started_ns"]
        intervals, latency_ns, failed = started_ns // self._axis.width_ns, chunk["ended_ns"] - started_ns, is_failed(chunk)
        is_before = (started_ns >= self._plan.warm_up_ns) & (started_ns < self._stretches[0][0])
        for route, rows in groups(chunk["route"]):
            self._started.add(route, intervals[rows])
            self._failed.add(route, intervals[rows[failed[rows]]])
            well, before = rows[~failed[rows]], rows[is_before[rows]]
            self._well.setdefault(route, CoarseHistograms()).add(intervals[well], latency_ns[well])
            self._before.setdefault(route, CoarseHistograms()).add(np.zeros_like(before), latency_ns[before])

    def recoveries(self, simulated_ns: int) -> tuple[Recovery, ...]:
        """For each fault: of all routes together, then of each route.

        Args:
            simulated_ns: How far the run has come.
        """
        if not self._stretches:
            return ()
        names = self._plan.names.routes
        return tuple(
            one
            for route in (None, *range(len(names)))
            for one in self._of_route(simulated_ns, route, None if route is None else names[route])
        )

    def _of_route(self, simulated_ns: int, route: int | None, name: str | None) -> list[Recovery]:
        load_ns = min(simulated_ns, self._plan.duration_ns)
        edges_ns = self._axis.edges_ns(load_ns)
        count, bins = len(edges_ns) - 1, max((one.bins for one in (*self._well.values(), *self._before.values())), default=0)
        chosen = [one for one in self._started.known() if route in {None, one}]
        started, failed, well, before = (
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros((count, bins), dtype=np.int64),
            np.zeros(bins, dtype=np.int64),
        )
        for one in chosen:
            started += self._started.row(one, count)
            failed += self._failed.row(one, count)
            well += self._well[one].counts(count, bins)
            before += self._before[one].counts(1, bins)[0]
        limit_ns, within = None, np.zeros(count, dtype=np.int64)
        if before.sum() >= FEWEST_REQUESTS:
            rank = np.ceil(TAIL * before.sum() - 1e-9)
            bin_of_limit = int(np.argmax(np.cumsum(before) >= rank))
            limit_ns = int(coarse_edges(np.array([bin_of_limit]))[1][0])
            within = well[:, : bin_of_limit + 1].sum(axis=1)
        return recoveries(
            edges_ns,
            started,
            within,
            failed,
            limit_ns=limit_ns,
            warm_up_ns=self._plan.warm_up_ns,
            stretches_ns=self._stretches,
            route=name,
        )


def stretches(faults_ns: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """From when to when something was wrong: faults in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for from_ns, until_ns in sorted(faults_ns):
        if found and from_ns <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until_ns))
        else:
            found.append((from_ns, until_ns))
    return found


def recoveries(
    edges_ns: np.ndarray,
    started: np.ndarray,
    within: np.ndarray,
    failed: np.ndarray,
    *,
    limit_ns: int | None,
    warm_up_ns: int,
    stretches_ns: Sequence[tuple[int, int]],
    route: str | None = None,
) -> list[Recovery]:
    """The recovery after each fault, told from counts by interval.

    Args:
        edges_ns: Starts of the intervals, and the end of the last: shape (n + 1,); the last is where the load ends.
        started: Requests that started in each interval, shape (n,).
        within: Of these, those that were answered well within the limit, shape (n,).
        failed: Of these, those that failed, shape (n,).
        limit_ns: The limit; None where too few requests came before the first fault.
        warm_up_ns: From when on the state before is told.
        stretches_ns: As `stretches` gives them.
        route: Whose requests these are.
    """
    is_before = (edges_ns[:-1] >= warm_up_ns) & (edges_ns[1:] <= stretches_ns[0][0])
    came_before = int(started[is_before].sum())
    share = within[is_before].sum() / came_before if limit_ns is not None and came_before else None
    ends_ns = [from_ns for from_ns, _ in stretches_ns[1:]] + [int(edges_ns[-1])]
    found = []
    for (from_ns, until_ns), horizon_ns in zip(stretches_ns, ends_ns, strict=True):
        recovered_ns, unknown = None, _unwell(share)
        after = np.flatnonzero((edges_ns[:-1] >= until_ns) & (edges_ns[1:] <= horizon_ns))
        if not unknown and len(after) < SHORTEST_WINDOW:
            unknown = "the load ends too soon after the fault" if horizon_ns == edges_ns[-1] else "the next fault comes too soon"
        if share and not unknown:
            recovered_ns = _first_good(edges_ns[after], started[after], within[after], RECOVERED * share)
        until_known_ns = horizon_ns if recovered_ns is None else recovered_ns
        is_never = recovered_ns is None and not unknown
        found.append(
            Recovery(
                from_s=from_ns / NS_PER_S,
                until_s=until_ns / NS_PER_S,
                limit_s=None if limit_ns is None else limit_ns / NS_PER_S,
                share_before=None if share is None else float(share),
                recovery_s=None if recovered_ns is None else (recovered_ns - until_ns) / NS_PER_S,
                is_never=is_never,
                unknown=unknown,
                route=route,
                lost=int(failed[(edges_ns[1:] > from_ns) & (edges_ns[:-1] < until_known_ns)].sum()),
                outlives=_outlives(is_never, unknown, until_ns - from_ns, horizon_ns - until_ns),
            )
        )
    return found


def _outlives(is_never: bool, unknown: str, lasted_ns: int, watched_ns: int) -> bool | None:  # noqa: FBT001 — the outcome of one fault
    """Whether the bad state outlived the fault; None where it was watched for too short a time."""
    if unknown or (is_never and watched_ns < lasted_ns):
        return None
    return is_never


def _unwell(share: float | None) -> str:
    """Why there is no state before the fault to come back to; empty where there is."""
    if share is None:
        return f"fewer than {FEWEST_REQUESTS} requests before the fault"
    if not share:
        return "nothing went well before the fault"
    return f"only {share:.0%} went well before the fault" if share < HEALTHY else ""


def _first_good(starts_ns: np.ndarray, started: np.ndarray, within: np.ndarray, wanted: float) -> int | None:
    """Start of the first interval from which on the share over the window is as wanted."""
    for first in range(len(starts_ns) - SHORTEST_WINDOW + 1):
        came = started[first : first + WINDOW].sum()
        if came and within[first : first + WINDOW].sum() >= wanted * came:
            return int(starts_ns[first])
    return None
