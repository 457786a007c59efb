"""Paired differences and ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from meshsim.statistics.paired import difference, relative, variance_ratio

FIRST = [10.0, 12.0, 9.0, 11.0, 13.0]
SECOND = [11.0, 13.5, 9.5, 12.0, 14.5]


def test_the_paired_interval_is_that_of_the_paired_t_test() -> None:
    found = difference(FIRST, SECOND, kind="mean")
    expected = stats.ttest_rel(SECOND, FIRST).confidence_interval(0.95)

    assert found.value == pytest.approx(1.1)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.excludes(0)


def test_what_both_have_in_common_cancels() -> None:
    common = np.random.default_rng(1).normal(100, 20, size=10)

    assert difference(common, common + 1, kind="mean").half_width == pytest.approx(0, abs=1e-9)


def test_a_quantile_s_difference_is_centred_on_the_pooled_ones() -> None:
    found = difference(FIRST, SECOND, kind="quantile", pooled_first=20.0, pooled_second=23.0)

    assert found.value == 3.0
    assert found.method == "t interval by sectioning over 5 replications"


def test_pairs_of_which_one_has_nothing_are_left_out() -> None:
    found = difference([1.0, math.nan, 3.0], [2.0, 5.0, 4.0], kind="mean")

    assert (found.value, found.count) == (1.0, 2)


def test_never_less_never_says_nothing_and_never_less_a_time_is_never() -> None:
    assert difference([math.inf, math.inf], [math.inf, math.inf], kind="censored").count == 0
    assert difference([1.0] * 10, [math.inf] * 10, kind="censored").value == math.inf


def test_unequal_numbers_make_no_pairs() -> None:
    with pytest.raises(ValueError, match=r"^2 and 3 replications make no pairs$"):
        difference([1.0, 2.0], [1.0, 2.0, 3.0], kind="mean")


def test_a_ratio_that_is_the_same_in_every_replication_has_no_spread() -> None:
    found = relative(FIRST, [value * 1.25 for value in FIRST], kind="mean")

    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_the_interval_of_a_ratio_agrees_with_the_jackknife() -> None:
    """Two ways to the same variance, which agree to the order of 1/n for many replications."""
    generator = np.random.default_rng(7)
    first = generator.normal(100, 10, size=400)
    second = first * 1.1 + generator.normal(0, 5, size=400)
    found = relative(first, second, kind="mean")
    left_out = [(second.sum() - theirs) / (first.sum() - ours) for ours, theirs in zip(first, second, strict=True)]
    deviation = math.sqrt(399 / 400 * np.sum((left_out - np.mean(left_out)) ** 2))

    assert found is not None
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 399) * deviation, rel=0.02)


@pytest.mark.parametrize(
    ("first", "second"), [([0.0, 0.0], [1.0, 2.0]), ([1.0, math.inf], [1.0, 1.0]), ([math.nan] * 2, [1.0, 1.0])]
)
def test_a_share_of_nothing_or_of_never_is_none(first: list[float], second: list[float]) -> None:
    assert relative(first, second, kind="mean") is None


def test_the_ratio_of_variances_says_how_much_the_pairs_are_worth() -> None:
    first, noise = np.arange(10.0), np.tile([0.0, 1.0], 5)

    assert variance_ratio(first, first + noise, first[::-1]) == pytest.approx(
        np.var(first[::-1] - first, ddof=1) / np.var(noise, ddof=1)
    )
    assert variance_ratio(first, first + 1, first[::-1]) == math.inf
