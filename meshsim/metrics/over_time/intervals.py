"""Counts by interval of time, in memory that does not grow with the length of the run."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np

MOST_INTERVALS = 2_000
"""With more than these, neighbours are merged in pairs until there are fewer."""
COARSE_BITS = 6
"""Whole numbers below 2**6 have a bin of their own, from there on each octave has 32."""
COARSE_ERROR = 1 / 64
"""How far the middle of a coarse bin may be from its members: 1.6 %."""

Key = TypeVar("Key", bound=Hashable)


class Intervals:
    """The time axis: intervals of equal length from 0 on, each from its start (inclusive) to its end (exclusive).

    The first width is the interval asked for, doubled until `expected_ns` fits into `MOST_INTERVALS`; it doubles again when
    the run takes longer.
    """

    def __init__(self, interval_ns: int, expected_ns: int) -> None:
        self.width_ns = interval_ns
        while -(-expected_ns // self.width_ns) > MOST_INTERVALS:
            self.width_ns *= 2

    def halvings(self, latest_ns: int) -> int:
        """How often neighbours have to be merged for an instant to find its interval; the width is doubled as often."""
        times = 0
        while latest_ns // self.width_ns >= MOST_INTERVALS:
            self.width_ns *= 2
            times += 1
        return times

    def edges_ns(self, simulated_ns: int) -> np.ndarray:
        """Starts of all intervals up to where the run has come, and that instant: int64, shape (intervals + 1,)."""
        count = max(1, -(-simulated_ns // self.width_ns))
        starts = np.arange(count, dtype=np.int64) * self.width_ns
        return np.append(starts, max(simulated_ns, 1))


class Counted(Generic[Key]):
    """For each key a row of whole numbers by interval: counts, or sums of nanoseconds."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[Key, np.ndarray] = {}

    def add(self, key: Key, intervals: np.ndarray, amounts: np.ndarray | None = None) -> None:
        """Add one, or an amount, to the intervals: int64, shape (n,)."""
        if not len(intervals):
            return
        added = np.zeros(int(intervals.max()) + 1, dtype=np.int64)
        np.add.at(added, intervals, 1 if amounts is None else amounts)
        row = self._rows.get(key)
        if row is None or len(row) < len(added):
            added[: 0 if row is None else len(row)] += 0 if row is None else row
            self._rows[key] = added
        else:
            row[: len(added)] += added

    def halve(self) -> None:
        """Merge neighbours."""
        self._rows = {key: _pairs(row) for key, row in self._rows.items()}

    def known(self) -> list[Key]:
        """In the order in which they came."""
        return list(self._rows)

    def row(self, key: Key, count: int) -> np.ndarray:
        """Of one key, int64, shape (count,); what lies beyond is added to the last: an event at the very end of the run."""
        return _fitted(self._rows.get(key, np.zeros(0, dtype=np.int64)), count)


class CoarseHistograms:
    """A histogram of nanoseconds for each interval, of 32 bins per octave: quantiles are within 1.6 %.

    The memory is intervals times the bins between the smallest and the largest time, four bytes each.
    """

    __slots__ = ("_counts", "_first")

    def __init__(self) -> None:
        self._counts = np.zeros((0, 0), dtype=np.int32)
        self._first = 0
        """Number of the bin in the first column."""

    def add(self, intervals: np.ndarray, values: np.ndarray) -> None:
        """Count numbers in their intervals: both int64, shape (n,)."""
        if not len(values):
            return
        bins = coarse_bin(values)
        self._reach(int(intervals.max()) + 1, int(bins.min()), int(bins.max()) + 1)
        np.add.at(self._counts, (intervals, bins - self._first), 1)

    def halve(self) -> None:
        """Merge neighbouring intervals."""
        self._counts = _pairs(self._counts)

    def counts(self, count: int, bins: int) -> np.ndarray:
        """Counts by interval and bin from 0 on, int64, shape (count, bins)."""
        made = np.zeros((count, bins), dtype=np.int64)
        made[:, self._first : self._first + self._counts.shape[1]] = _fitted(self._counts, count)
        return made

    @property
    def bins(self) -> int:
        """One more than the number of the largest bin that was needed."""
        return self._first + self._counts.shape[1]

    @property
    def size_bytes(self) -> int:
        """Memory that the counts take."""
        return self._counts.nbytes

    def _reach(self, intervals: int, first: int, last: int) -> None:
        """Make room; more than is needed, so that it does not happen often."""
        rows, columns = self._counts.shape
        if not columns:
            self._first = first
        below = max(0, self._first - first)
        above = max(0, last - self._first - columns)
        more = max(0, intervals - rows)
        if below or above or more:
            more = min(max(more, rows // 2), MOST_INTERVALS - rows) if more else 0
            self._counts = np.pad(self._counts, ((0, more), (below, above)))
            self._first -= below


def coarse_bin(values: np.ndarray) -> np.ndarray:
    """The coarse bin of each whole number, int64."""
    _, bits = np.frexp(values.astype(np.float64))
    shift = np.maximum(bits.astype(np.int64) - COARSE_BITS, 0)
    return (shift << (COARSE_BITS - 1)) + (values >> shift)


def coarse_edges(bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest whole number of coarse bins, int64."""
    shift = np.maximum((bins >> (COARSE_BITS - 1)) - 1, 0)
    lowest = (bins - (shift << (COARSE_BITS - 1))) << shift
    return lowest, lowest + (1 << shift) - 1


def coarse_quantiles(counts: np.ndarray, share: float) -> np.ndarray:
    """A quantile for each interval.

    Args:
        counts: By interval and coarse bin from 0 on, shape (intervals, bins).
        share: 0 to 1.

    Returns:
        The middle of the bin at rank ceil(share * count), float, shape (intervals,); NaN where nothing was counted.
    """
    if not counts.shape[1]:
        return np.full(len(counts), np.nan)
    cumulated = np.cumsum(counts, axis=1)
    total = cumulated[:, -1]
    ranks = np.maximum(1, np.ceil(share * total * (1 - 1e-14) - 1e-9))
    lowest, highest = coarse_edges(np.argmax(cumulated >= ranks[:, None], axis=1))
    return np.where(total > 0, (lowest + highest) / 2, np.nan)


def _pairs(rows: np.ndarray) -> np.ndarray:
    """Sums of neighbouring rows."""
    even: np.ndarray = rows[0::2].copy()
    even[: len(rows) // 2] += rows[1::2]
    return even


def _fitted(rows: np.ndarray, count: int) -> np.ndarray:
    """So many rows: zeros where there are fewer, the rest added to the last where there are more."""
    made = np.zeros((count, *rows.shape[1:]), dtype=np.int64)
    kept = min(count, len(rows))
    made[:kept] = rows[:kept]
    if 0 < count < len(rows):
        made[-1] += rows[count:].sum(axis=0)
    return made
