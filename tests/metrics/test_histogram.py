"""Quantiles within a bin's width, everything else exact."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.metrics.latency.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTILES = (0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0)
TIMES = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=60)


def histogram_of(values: Sequence[int] | np.ndarray) -> Histogram:
    made = Histogram()
    made.add(np.asarray(values, dtype=np.int64))
    return made


def shapes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    n = 100_000
    return {
        "exponential": rng.exponential(5e6, n),
        "lognormal": np.exp(rng.normal(17, 1.5, n)),
        "two humps": np.where(rng.random(n) < 0.95, rng.normal(3e6, 2e5, n), rng.normal(8e8, 5e7, n)),
        "uniform over a microsecond": rng.uniform(0, 1000, n),
        "heavy tail": 1e6 * rng.pareto(0.7, n),
        "constant": np.full(n, 1_234_567.0),
    }


@pytest.mark.parametrize("shape", shapes())
def test_quantiles_are_within_a_quarter_of_a_percent_of_the_exact_ones(shape: str) -> None:
    values = np.clip(shapes()[shape], 0, 9e18).astype(np.int64)
    made = histogram_of(values)

    exact = np.quantile(values, QUANTILES, method="inverted_cdf")

    assert [made.quantile(q) for q in QUANTILES] == pytest.approx(exact, rel=0.0025)


@given(TIMES, st.integers(0, 1000))
def test_any_quantile_is_near_the_number_of_its_rank(values: list[int], per_mille: int) -> None:
    rank = max(1, -(-per_mille * len(values) // 1000))

    assert histogram_of(values).quantile(per_mille / 1000) == pytest.approx(sorted(values)[rank - 1], rel=0.0025)


@given(TIMES)
def test_count_sum_minimum_and_maximum_are_exact(values: list[int]) -> None:
    made = histogram_of(values)

    assert (made.count, made.total, made.minimum, made.maximum) == (len(values), sum(values), min(values), max(values))
    assert made.mean == pytest.approx(sum(values) / len(values))


@given(st.lists(st.integers(0, 511), min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_below_512_quantiles_are_exact(values: list[int], q: float) -> None:
    assert histogram_of(values).quantile(q) == sorted(values)[max(1, math.ceil(q * len(values) - 1e-9)) - 1]


@given(TIMES, TIMES)
def test_merging_is_the_same_as_adding_all_to_one(one: list[int], other: list[int]) -> None:
    merged = histogram_of(one).merge(histogram_of(other))
    together = histogram_of(one + other)

    assert [merged.quantile(q) for q in QUANTILES] == [together.quantile(q) for q in QUANTILES]
    assert (merged.count, merged.total, merged.minimum, merged.maximum) == (
        together.count,
        together.total,
        together.minimum,
        together.maximum,
    )


@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=60))
def test_quantiles_never_decrease_and_stay_between_minimum_and_maximum(values: list[int]) -> None:
    made = histogram_of(values)
    quantiles = [made.quantile(q / 100) for q in range(101)]

    assert quantiles == sorted(quantiles)
    assert min(values) <= quantiles[0]
    assert quantiles[-1] <= max(values)


def test_zero_is_a_number_like_any_other() -> None:
    made = histogram_of([0, 0, 0, 1_000_000])

    assert (made.quantile(0.75), made.minimum, made.count) == (0, 0, 4)


def test_the_numbers_around_each_power_of_two_are_told_apart_by_less_than_half_a_percent() -> None:
    for power in range(1, 63):
        around = [2**power - 1, 2**power, min(2**power + 1, 2**63 - 1)]
        assert [histogram_of([value]).quantile(0.5) for value in around] == pytest.approx(around, rel=0.0025)


def test_of_nothing_there_is_no_quantile_and_no_mean() -> None:
    nothing = Histogram()
    nothing.add(np.zeros(0, dtype=np.int64))

    assert nothing.count == 0
    assert math.isnan(nothing.quantile(0.5))
    assert math.isnan(nothing.mean)


def test_a_negative_time_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no negative number, such as -3"):
        histogram_of([5, -3])


def test_rank_is_not_pushed_up_by_the_rounding_of_a_product() -> None:
    """0.07 * 100 is 7.000000000000001 in floating point, and its quantile is still the seventh."""
    assert histogram_of(range(1, 101)).quantile(0.07) == 7
