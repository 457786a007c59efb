"""A histogram of times whose quantiles are within 0.2 % of the exact ones, in constant memory.

Log-linear bins, as HdrHistogram's: each power of two is cut into 256 bins of equal width, and numbers below 512 have a bin each.
A bin is at most 1/256 = 0.39 % as wide as the smallest number in it, so its middle is within 0.2 % of each of its members.

Source: Tene, HdrHistogram, https://hdrhistogram.github.io/HdrHistogram/.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np

BINS_PER_OCTAVE = 256
_BITS = 9
"""Numbers below 2**9 are their own bin."""
_LOW_HALF = (1 << 32) - 1


class Histogram:
    """Counts of whole numbers from 0 to 2^63 - 1, nanoseconds as a rule.

    Attributes:
        count: How many were added.
        total: Their exact sum.
        minimum: The smallest, exact; None while there is none.
        maximum: The largest, exact; None while there is none.
    """

    __slots__ = ("_bins", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self._bins = np.zeros(0, dtype=np.int64)
        self.count = 0
        self.total = 0
        self.minimum: int | None = None
        self.maximum: int | None = None

    def add(self, values: np.ndarray) -> None:
        """Count numbers.

        Args:
            values: int64, shape (n,), none negative.

        Raises:
            ValueError: One is negative.
        """
        if not len(values):
            return
        minimum, maximum = int(values.min()), int(values.max())
        if minimum < 0:
            raise ValueError(f"a histogram of times holds no negative number, such as {minimum}")
        counts = np.bincount(_bin_of(values))
        self._add_bins(counts)
        self.count += len(values)
        self.total += _exact_sum(values)
        self.minimum = minimum if self.minimum is None else min(minimum, self.minimum)
        self.maximum = maximum if self.maximum is None else max(maximum, self.maximum)

    def merge(self, other: Histogram) -> Self:
        """Count all that the other has counted; returns itself."""
        if other.minimum is not None and other.maximum is not None:
            self._add_bins(other._bins)
            self.count += other.count
            self.total += other.total
            self.minimum = other.minimum if self.minimum is None else min(self.minimum, other.minimum)
            self.maximum = other.maximum if self.maximum is None else max(self.maximum, other.maximum)
        return self

    def bins(self) -> tuple[np.ndarray, np.ndarray]:
        """The bins that are not empty: their numbers, int32, rising, and how many each holds, int64; both of shape (bins,)."""
        numbers = np.flatnonzero(self._bins)
        return numbers.astype(np.int32), self._bins[numbers]

    @classmethod
    def from_bins(cls, numbers: np.ndarray, counts: np.ndarray, *, total: int, minimum: int, maximum: int) -> Self:
        """The histogram that `bins` was asked of.

        Args:
            numbers: Of the bins, shape (bins,).
            counts: How many each holds, shape (bins,).
            total: Sum of all that was counted.
            minimum: The smallest of it.
            maximum: The largest of it.
        """
        made = cls()
        if len(numbers):
            made._bins = np.zeros(int(np.max(numbers)) + 1, dtype=np.int64)
            made._bins[numbers] = counts
            made.count, made.total, made.minimum, made.maximum = int(made._bins.sum()), total, minimum, maximum
        return made

    @property
    def mean(self) -> float:
        """The exact mean; NaN of none."""
        return self.total / self.count if self.count else math.nan

    def quantile(self, share: float) -> float:
        """The number at rank ceil(share * count), within 0.2 %; NaN of none.

        It is what `np.quantile(..., method="inverted_cdf")` gives, but for the width of a bin. Below 512 it is exact.
        """
        if self.minimum is None or self.maximum is None:
            return math.nan
        # 0.07 * 100 is 7.000000000000001 and must not mean the eighth: a billionth of a rank is rounding.
        rank = max(1, math.ceil(share * self.count * (1 - 1e-14) - 1e-9))
        found = int(np.searchsorted(np.cumsum(self._bins), rank))
        return min(max(_middle_of(found), float(self.minimum)), float(self.maximum))

    def _add_bins(self, counts: np.ndarray) -> None:
        if len(counts) > len(self._bins):
            self._bins = np.pad(self._bins, (0, len(counts) - len(self._bins)))
        self._bins[: len(counts)] += counts


def middles(bins: np.ndarray) -> np.ndarray:
    """The middle of each bin, float, shape (bins,)."""
    return np.array([_middle_of(int(one)) for one in bins], dtype=np.float64)


def _bin_of(values: np.ndarray) -> np.ndarray:
    """The bin of each number. From 2^53 a float may round up to the next power of two: the formula gives the same bin."""
    _, bits = np.frexp(values.astype(np.float64))
    shift = np.maximum(bits.astype(np.int64) - _BITS, 0)
    return shift * BINS_PER_OCTAVE + (values >> shift)


def _middle_of(index: int) -> float:
    """Middle of a bin: of the whole numbers in it."""
    shift = max(0, index // BINS_PER_OCTAVE - 1)
    lowest = (index - shift * BINS_PER_OCTAVE) << shift
    return lowest + ((1 << shift) - 1) / 2


def _exact_sum(values: np.ndarray) -> int:
    """The sum as a Python integer, in halves that cannot overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & _LOW_HALF).sum())
