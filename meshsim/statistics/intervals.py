"""Confidence intervals for a figure over independent replications.

| kind       | interval                                                                                                  |
|------------|-----------------------------------------------------------------------------------------------------------|
| `mean`     | Student's t over the replications' values                                                                 |
| `quantile` | sectioning: around the quantile of all replications together, t with the spread of their own quantiles     |
| `censored` | of the median over the replications, by order statistics, where some value is infinite ("never"); else t   |

Where replications are strongly skewed, one is unlike the others, and no t interval holds: bootstrap (BCa) in its place, with a note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["mean", "quantile", "censored"]

FEWEST_FOR_BOOTSTRAP = 10
"""Replications below which skewness cannot be told, nor a bootstrap be trusted."""
STRONG_SKEWNESS = 2.5
"""Sample skewness from which a t interval is not believed. One replication in ten that is unlike the nine others gives about 3.1; ten
normal values reach 2.5 less often than once in 1,000 times. (Of a distribution as skewed as the exponential, t intervals of ten values
still cover 90 % in place of 95 %.)"""
RESAMPLES = 9_999
_SEED = 0x5EED
"""Of the bootstrap: the same values have the same interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval that should hold its true value."""

    value: float
    """NaN where there was nothing to measure; inf for "never"."""
    low: float | None
    """None where there is no interval."""
    high: float | None
    confidence: float
    count: int
    """Replications that had the figure."""
    method: str
    """For people: `t interval over 10 replications`."""
    note: str = ""
    """What one should know before believing it."""

    @property
    def half_width(self) -> float | None:
        """Half the distance between the ends; None without an interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def excludes(self, value: float) -> bool:
        """Whether there is an interval and the value is not in it."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


def interval(
    values: Sequence[float] | np.ndarray, *, kind: Kind, pooled: float | None = None, confidence: float = 0.95
) -> Interval:
    """The interval that suits a figure.

    Args:
        values: One for each replication; NaN where there was nothing to measure, inf for never.
        kind: What the figure is.
        pooled: Of a quantile: its value over all replications together.
        confidence: Share of such intervals that hold the true value.
    """
    everything = np.asarray(values, dtype=float)
    known = everything[~np.isnan(everything)]
    if not len(known):
        return Interval(math.nan, None, None, confidence, 0, "nothing to measure")
    found = _of_known(known, kind, pooled, confidence)
    return _with_note(found, _missing(len(everything) - len(known), len(everything)))


def _of_known(known: np.ndarray, kind: Kind, pooled: float | None, confidence: float) -> Interval:
    if kind == "censored" and len(known) > 1 and np.isinf(known).any():
        return median_interval(known, confidence)
    centre = float(np.mean(known)) if pooled is None or math.isnan(pooled) else pooled
    if len(known) == 1 or not np.isfinite(known).all():
        why = "one replication" if len(known) == 1 else "not all values are finite"
        return Interval(centre, None, None, confidence, len(known), f"{why}: no interval")
    if is_strongly_skewed(known):
        note = "the replications are strongly skewed, so some are unlike the others: look at them one by one"
        return _with_note(bootstrap_interval(known, confidence, centre), note)
    return quantile_interval(known, centre, confidence) if kind == "quantile" else mean_interval(known, confidence)


def mean_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95) -> Interval:
    """Student's t interval for the mean of independent replications.

    Source: Law, Simulation Modeling and Analysis, 5th ed., section 9.4.1.
    """
    return _around(float(np.mean(values)), values, confidence, f"t interval over {_replications(len(values))}")


def quantile_interval(sections: Sequence[float] | np.ndarray, pooled: float, confidence: float = 0.95) -> Interval:
    """An interval for a quantile by sectioning.

    The centre is the quantile of all replications together, whose bias falls with all of their observations; the mean of the
    replications' own quantiles keeps the bias of the short ones, however many there are. The spread is that of the replications'
    quantiles around that centre.

    Args:
        sections: The quantile of each replication.
        pooled: The quantile of all replications together.
        confidence: As everywhere.

    Source: Asmussen and Glynn, Stochastic Simulation, 2007, section III.5a; Nakayama, ACM TOMACS 24(4), 2014, article 19.
    """
    return _around(pooled, sections, confidence, f"t interval by sectioning over {_replications(len(sections))}")


def median_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95) -> Interval:
    """The median over replications and its interval by order statistics, which holds for every distribution.

    Values may be infinite. With five replications or fewer there is no such interval at 95 %.

    Source: Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2; `scipy.stats.quantile_test`.
    """
    ranked = np.sort(np.asarray(values, dtype=float))
    finite = np.searchsorted(ranked, ranked).astype(float)  # ranks, which never are infinite: scipy refuses infinities
    found = stats.quantile_test(finite, q=0, p=0.5).confidence_interval(confidence)
    method = f"order statistics of the median over {_replications(len(ranked))}"
    value = float(np.median(ranked)) if np.isfinite(ranked).all() else float(ranked[(len(ranked) - 1) // 2])
    if math.isnan(found.low) or math.isnan(found.high):
        return Interval(value, None, None, confidence, len(ranked), f"{method}: too few for an interval")
    low, high = (float(ranked[int(np.searchsorted(finite, end))]) for end in (found.low, found.high))
    never = int(np.isinf(ranked).sum())
    note = f"in {never} of {len(ranked)} replications it never came to it" if never else ""
    return Interval(value, low, high, confidence, len(ranked), method, note)


def bootstrap_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95, centre: float | None = None) -> Interval:
    """The bias-corrected and accelerated bootstrap interval for the mean over replications.

    Args:
        values: One for each replication.
        confidence: As everywhere.
        centre: What is reported as the value; their mean where None.

    Source: Efron, JASA 82(397), 1987; `scipy.stats.bootstrap`.
    """
    known = np.asarray(values, dtype=float)
    value = float(np.mean(known)) if centre is None else centre
    method = f"bootstrap (BCa) over {_replications(len(known))}"
    if np.ptp(known) == 0:
        return Interval(value, value, value, confidence, len(known), method)
    found = stats.bootstrap(
        (known,), np.mean, confidence_level=confidence, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(_SEED)
    ).confidence_interval
    shift = value - float(np.mean(known))
    return Interval(value, float(found.low) + shift, float(found.high) + shift, confidence, len(known), method)


def is_strongly_skewed(values: np.ndarray) -> bool:
    """Whether t intervals are not to be believed for such replications."""
    if len(values) < FEWEST_FOR_BOOTSTRAP or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return False
    return abs(float(stats.skew(values, bias=False))) > STRONG_SKEWNESS


def _around(centre: float, values: Sequence[float] | np.ndarray, confidence: float, method: str) -> Interval:
    """A t interval with the spread of the values around a centre."""
    count = len(values)
    if count < 2:
        return Interval(centre, None, None, confidence, count, "one replication: no interval")
    deviations = np.asarray(values, dtype=float) - centre
    spread = math.sqrt(float(np.sum(deviations**2)) / (count - 1))
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * spread / math.sqrt(count)
    return Interval(centre, centre - half, centre + half, confidence, count, method)


def _missing(missing: int, count: int) -> str:
    return f"in {missing} of {count} replications there was nothing to measure" if missing else ""


def _with_note(found: Interval, note: str) -> Interval:
    if not note:
        return found
    joined = "; ".join(filter(None, [found.note, note]))
    return Interval(found.value, found.low, found.high, found.confidence, found.count, found.method, joined)


def _replications(count: int) -> str:
    return f"{count:,} replication" if count == 1 else f"{count:,} replications"
