"""A quantile of the last latencies, kept as they come."""

from __future__ import annotations

BINS_PER_DOUBLING = 8
_LARGEST = 64 * BINS_PER_DOUBLING


class RunningQuantile:
    """An estimate of a quantile of latencies in which old samples fade.

    Samples are counted in bins that are 7 to 13 % wide; after each `window` of them all counts are halved. The estimate lies within
    the quantile's bin, as far into it as the quantile is into its samples.

    Source: Dean and Barroso, "The tail at scale", CACM 56(2), 2013: hedge when a request has been outstanding for longer than the
    95th percentile.
    """

    __slots__ = ("_counts", "_minimum", "_quantile", "_since", "_total", "_value_ns", "_window")

    def __init__(self, quantile: float, window: int = 1000, minimum: int = 100) -> None:
        self._quantile = quantile
        self._window = window
        self._minimum = minimum
        self._counts = [0.0] * (_LARGEST + 1)
        self._total = 0.0
        self._since = 0
        self._value_ns = -1

    def add(self, value_ns: int) -> None:
        """A latency."""
        self._counts[_bin(value_ns)] += 1.0
        self._total += 1.0
        self._since += 1
        if self._since >= self._window:
            self._since = 0
            # Not whole numbers: rounding down would take most from the thinly filled bins of the tail.
            self._counts = [count * 0.5 for count in self._counts]
            self._total = sum(self._counts)
        if self._since % 16 == 0 or self._value_ns < 0:
            self._value_ns = self._estimate_ns()

    def value_ns(self) -> int:
        """The estimate, -1 while there are too few samples."""
        return self._value_ns

    def _estimate_ns(self) -> int:
        if self._total < self._minimum:
            return -1
        wanted, seen = self._quantile * self._total, 0.0
        for number, count in enumerate(self._counts):
            if count and seen + count >= wanted:
                lower_ns, upper_ns = _edges_ns(number)
                return lower_ns + round((upper_ns - lower_ns) * (wanted - seen) / count)
            seen += count
        return _edges_ns(_LARGEST)[1]


def _bin(value_ns: int) -> int:
    """Number of the bin: whole doublings, and eighths of each in between by straight lines."""
    if value_ns < BINS_PER_DOUBLING:
        return max(0, value_ns)
    doublings = value_ns.bit_length() - 1
    eighth = ((value_ns >> (doublings - 3)) & 7) if doublings >= 3 else 0
    return min(_LARGEST, doublings * BINS_PER_DOUBLING + eighth)


def _edges_ns(number: int) -> tuple[int, int]:
    """The smallest time in a bin, and the smallest above it."""
    if number < BINS_PER_DOUBLING:
        return number, number
    doublings, eighth = divmod(number, BINS_PER_DOUBLING)
    return (8 + eighth) << doublings >> 3, (9 + eighth) << doublings >> 3
