"""The check of the warm-up that was given: MSER-5 over the latencies of all requests from the first one on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.arrivals import Profile
from meshsim.metrics.mser import BATCH, mser
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan, Source
    from meshsim.records import Chunk

MOST_BATCHES = 1 << 15
"""With more than these, neighbours are merged: the memory does not grow with the run."""
FEWEST_BATCHES = 20
"""With fewer there is no telling."""
_NEVER = np.iinfo(np.int64).max


class LatencySequence:
    """Latencies of all requests in the order in which they started, as means over batches of five or more.

    Requests end in any order; a request's number says to which batch it belongs.
    """

    def __init__(self, until_ns: int) -> None:
        self._until_ns = until_ns
        self._size = BATCH
        self._sums = np.zeros(0, dtype=np.float64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._starts_ns = np.zeros(0, dtype=np.int64)

    def add(self, chunk: Chunk) -> None:
        """Take rows of requests; those that start too late are left out."""
        rows = np.flatnonzero(chunk["started_ns"] < self._until_ns)
        if not len(rows):
            return
        numbers, started_ns = chunk["request"][rows], chunk["started_ns"][rows]
        last = int(numbers.max())
        while last // self._size >= MOST_BATCHES:
            self._merge_pairs()
        self._grow(last // self._size + 1)
        batches = numbers // self._size
        np.add.at(self._sums, batches, (chunk["ended_ns"][rows] - started_ns).astype(np.float64))
        np.add.at(self._counts, batches, 1)
        np.minimum.at(self._starts_ns, batches, started_ns)

    def batches(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean latency of each full batch in ns, and when its first request started; both of shape (batches,)."""
        full = self._counts == self._size
        return self._sums[full] / self._size, self._starts_ns[full]

    def _grow(self, count: int) -> None:
        if count > len(self._counts):
            more = min(max(count, 2 * len(self._counts)), MOST_BATCHES) - len(self._counts)
            self._sums = np.pad(self._sums, (0, more))
            self._counts = np.pad(self._counts, (0, more))
            self._starts_ns = np.pad(self._starts_ns, (0, more), constant_values=_NEVER)

    def _merge_pairs(self) -> None:
        self._grow(len(self._counts) + len(self._counts) % 2)
        self._sums = self._sums.reshape(-1, 2).sum(axis=1)
        self._counts = self._counts.reshape(-1, 2).sum(axis=1)
        self._starts_ns = self._starts_ns.reshape(-1, 2).min(axis=1)
        self._size *= 2


def check_warm_up(plan: Plan, sequence: LatencySequence) -> tuple[float | None, str]:
    """How much warm-up the run would need.

    Returns:
        Seconds from the start of the run, and ""; or None and why it was not told.
    """
    if not all(_is_steady(source, plan.duration_ns) for source in plan.sources):
        return None, "the load changes over time"
    first_fault_ns = min((fault.from_ns for fault in plan.faults), default=_NEVER)
    if first_fault_ns <= plan.warm_up_ns:
        return None, "a fault begins before the warm-up is over"
    means, starts_ns = sequence.batches()
    if len(means) < FEWEST_BATCHES:
        return None, f"there are fewer than {FEWEST_BATCHES * BATCH} requests to tell it from"
    found = mser(means)
    if found is None:
        stretch = "run" if first_fault_ns == _NEVER else "time before the first fault"
        return None, f"the {stretch} is too short to tell: latencies have not settled in its first half"
    return (float(starts_ns[found]) / NS_PER_S if found else 0.0), ""


def until_ns(plan: Plan) -> int:
    """Until when requests tell something of the warm-up: the start of the first fault."""
    return min((fault.from_ns for fault in plan.faults), default=plan.duration_ns)


def _is_steady(source: Source, duration_ns: int) -> bool:
    """Whether it asks for the same from the first instant to the last."""
    whole = (0, duration_ns)
    if source.arrivals is None:
        return not source.iterations and all(tuple(at_work) == (whole,) for at_work in source.users)
    if not isinstance(source.arrivals, Profile) or len(source.arrivals.segments) != 1 or source.arrivals.sinusoid is not None:
        return False
    (segment,) = source.arrivals.segments
    return (segment.start_ns, segment.duration_ns) == whole and segment.from_rate == segment.to_rate
