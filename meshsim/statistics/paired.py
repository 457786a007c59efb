"""Differences under common random numbers: replication by replication, the same requests in both.

What both have in common, the arrivals and the work that they happen to bring, cancels in each pair, so that the interval of the
difference is far narrower than those of the two figures suggest.

Source: Law, Simulation Modeling and Analysis, 5th ed., sections 10.2.1 (paired t) and 11.2 (common random numbers).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshsim.statistics.intervals import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.statistics.intervals import Kind

    Values = Sequence[float] | np.ndarray


def difference(
    first: Values,
    second: Values,
    *,
    kind: Kind,
    pooled_first: float | None = None,
    pooled_second: float | None = None,
    confidence: float = 0.95,
) -> Interval:
    """How much more the second is than the first.

    Args:
        first: One value for each replication, of the baseline.
        second: The same replications of the other.
        kind: What the figure is.
        pooled_first: Of a quantile: the baseline's over all replications together.
        pooled_second: The other's.
        confidence: As everywhere.

    Raises:
        ValueError: They are not equally many.
    """
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} replications make no pairs")
    pooled = None if pooled_first is None or pooled_second is None else pooled_second - pooled_first
    with np.errstate(invalid="ignore"):  # never less never is not a number: that pair says nothing
        pairs = other - one
    return interval(pairs, kind=kind, pooled=pooled, confidence=confidence)


def relative(
    first: Values,
    second: Values,
    *,
    kind: Kind,
    pooled_first: float | None = None,
    pooled_second: float | None = None,
    confidence: float = 0.95,
) -> Interval | None:
    """How much more the second is, as a share of the first.

    The interval is of the ratio of the two: its spread over replications is that of `(second_i - ratio * first_i) / first`. In the
    rare case that it says something else about zero than the interval of the plain difference, it is that one as a share of the first.

    Args:
        first: As of `difference`.
        second: As of `difference`.
        kind: As of `difference`.
        pooled_first: As of `difference`.
        pooled_second: As of `difference`.
        confidence: As of `difference`.

    Returns:
        None where the first is zero, or something is not finite.

    Source: Cochran, Sampling Techniques, 3rd ed., section 6.3 (ratio estimates); Law, section 9.5.3.
    """
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    known = np.isfinite(one) & np.isfinite(other)
    if not known.any() or not (np.isfinite(one) | np.isnan(one)).all() or not (np.isfinite(other) | np.isnan(other)).all():
        return None
    one, other = one[known], other[known]
    base = float(np.mean(one)) if pooled_first is None else pooled_first
    top = float(np.mean(other)) if pooled_second is None else pooled_second
    if not base or not math.isfinite(base) or not math.isfinite(top):
        return None
    ratio = top / base
    found = interval((other - ratio * one) / base, kind=kind, pooled=0.0, confidence=confidence)
    shift = ratio - 1
    plain = difference(first, second, kind=kind, pooled_first=pooled_first, pooled_second=pooled_second, confidence=confidence)
    if plain.low is None or plain.high is None or found.low is None or found.high is None:
        return Interval(shift, None, None, confidence, found.count, found.method, found.note)
    ends = sorted((found.low + shift, found.high + shift))
    if (ends[0] <= 0 <= ends[1]) == plain.excludes(0):  # the two must not contradict each other
        ends = sorted((plain.low / base, plain.high / base))
    return Interval(shift, ends[0], ends[1], confidence, found.count, found.method, found.note)


def variance_ratio(first: Values, second: Values, independent: Values) -> float:
    """How many times smaller common random numbers make the variance of the difference.

    Args:
        first: The baseline's replications.
        second: The other's under the same random numbers.
        independent: The other's under numbers of their own.
    """
    paired = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    apart = np.asarray(independent, dtype=float) - np.asarray(first, dtype=float)
    variance = float(np.var(paired, ddof=1))
    return math.inf if not variance else float(np.var(apart, ddof=1)) / variance
