"""Intervals, against textbook numbers and in their corners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from meshsim.statistics.intervals import Interval, bootstrap_interval, interval, mean_interval, median_interval, quantile_interval

LAW = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]
"""Law, Simulation Modeling and Analysis, 5th ed., example 4.27: a 90 % interval of 1.34 +- 0.24."""


def test_the_t_interval_is_that_of_the_textbook() -> None:
    found = mean_interval(LAW, confidence=0.9)

    assert found.value == pytest.approx(1.343)
    assert found.half_width == pytest.approx(0.24, abs=0.005)
    assert found.method == "t interval over 10 replications"


def test_sectioning_is_centred_on_all_replications_together_and_counts_the_distance_of_each() -> None:
    found = quantile_interval([1.0, 2.0, 3.0], pooled=2.5)
    half = stats.t.ppf(0.975, 2) * math.sqrt((1.5**2 + 0.5**2 + 0.5**2) / 2 / 3)

    assert (found.value, found.low, found.high) == pytest.approx((2.5, 2.5 - half, 2.5 + half))
    assert found.method == "t interval by sectioning over 3 replications"


def test_sectioning_around_the_mean_is_the_t_interval() -> None:
    section, mean = quantile_interval(LAW, pooled=float(np.mean(LAW))), mean_interval(LAW)

    assert (section.low, section.high) == pytest.approx((mean.low, mean.high))


def test_the_median_of_times_some_of_which_are_never_has_an_interval_of_order_statistics() -> None:
    """Of ten values the interval from the second to the ninth holds the median with 97.9 % (Conover, 3rd ed., table A3)."""
    found = median_interval([1, 2, 3, 4, 5, 6, 7, 8, math.inf, math.inf])

    assert (found.value, found.low, found.high) == (5, 2, math.inf)
    assert found.method == "order statistics of the median over 10 replications"
    assert found.note == "in 2 of 10 replications it never came to it"
    assert median_interval([math.inf] * 10).value == math.inf


def test_of_five_values_no_order_statistics_hold_the_median_at_95_percent() -> None:
    found = median_interval([1, 2, 3, 4, math.inf])

    assert (found.value, found.low, found.high) == (3, None, None)
    assert found.method == "order statistics of the median over 5 replications: too few for an interval"


def test_one_replication_has_no_interval() -> None:
    found = interval([3.0], kind="mean")

    assert (found.value, found.low, found.high, found.method) == (3.0, None, None, "one replication: no interval")
    assert found.half_width is None
    assert not found.excludes(100)


def test_nothing_to_measure_is_no_number() -> None:
    found = interval([math.nan, math.nan], kind="mean")

    assert math.isnan(found.value)
    assert (found.count, found.method) == (0, "nothing to measure")


def test_replications_without_the_figure_are_left_out_and_told() -> None:
    found = interval([1.0, math.nan, 2.0, 3.0], kind="mean")

    assert (found.value, found.count) == (2.0, 3)
    assert found.note == "in 1 of 4 replications there was nothing to measure"


def test_replications_that_agree_exactly_have_an_interval_without_width() -> None:
    found = interval([2.0] * 4, kind="mean")

    assert (found.low, found.high, found.note) == (2.0, 2.0, "")


def test_a_replication_that_is_unlike_the_others_leads_to_a_bootstrap_and_a_note() -> None:
    found = interval([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.02, 0.98, 9.0], kind="mean")

    assert found.method == "bootstrap (BCa) over 10 replications"
    assert found.note == "the replications are strongly skewed, so some are unlike the others: look at them one by one"
    assert found.low is not None
    assert found.low > 0.9
    assert found == interval([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.02, 0.98, 9.0], kind="mean")


def test_the_bootstrap_of_values_that_agree_has_no_width() -> None:
    found = bootstrap_interval([1.0] * 12)

    assert (found.low, found.high) == (1.0, 1.0)


def test_a_quantile_that_is_never_in_some_replications_has_no_t_interval() -> None:
    found = interval([1.0, math.inf, 2.0], kind="mean")

    assert (found.value, found.low, found.method) == (math.inf, None, "not all values are finite: no interval")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.sampled_from(["mean", "quantile", "censored"]))
def test_the_interval_is_around_the_value(values: list[float], kind: str) -> None:
    found = interval(values, kind=kind, pooled=float(np.mean(values)))  # type: ignore[arg-type]

    assert isinstance(found, Interval)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value + 1e-6
    assert found.high >= found.value - 1e-6


@given(st.lists(st.floats(0, 1e3), min_size=3, max_size=12), st.floats(0.1, 10))
def test_other_units_scale_the_interval(values: list[float], scale: float) -> None:
    one, other = mean_interval(values), mean_interval([value * scale for value in values])

    assert (other.low, other.high) == pytest.approx(((one.low or 0) * scale, (one.high or 0) * scale), abs=1e-6)
