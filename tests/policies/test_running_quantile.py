"""The running quantile that hedging waits for, against exact quantiles."""

from __future__ import annotations

import math

import pytest

from meshsim.policies.retry import RunningQuantile
from meshsim.randomness import SERVICE_TIME, uniform

MS = 1_000_000


def exponential_ns(mean_ms, number):
    return round(-math.log(uniform(number * 7919, SERVICE_TIME)) * mean_ms * MS)


def fed(estimate, mean_ms, count, first=0):
    """The estimates after each of `count` more latencies."""
    values = []
    for number in range(first, first + count):
        estimate.add(exponential_ns(mean_ms, number))
        values.append(estimate.value_ns())
    return values


def exact_ns(quantile, mean_ms):
    return -math.log(1 - quantile) * mean_ms * MS


def test_there_is_no_estimate_before_the_minimum_of_samples():
    estimate = RunningQuantile(0.95, minimum=100)

    values = fed(estimate, 10, 100)

    assert values[:99] == [-1] * 99
    assert values[99] > 0


@pytest.mark.parametrize("minimum", [1, 20, 500])
def test_minimum_is_the_number_of_samples_that_it_takes(minimum):
    values = fed(RunningQuantile(0.5, minimum=minimum), 10, 600)

    assert [value < 0 for value in values].count(True) == minimum - 1


@pytest.mark.parametrize("mean_ms", [0.01, 1, 250, 60_000])
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
def test_the_mean_estimate_is_within_three_percent_of_the_exact_quantile(quantile, mean_ms):
    """Of exponentials, from microseconds to minutes.

    The estimates at the ends of 100 windows, where weights of 1/2, 1/4, ... count for as much as 3000 equal ones: the standard
    deviation of an estimate is sqrt(q / (1 - q) / 3000) / -ln(1 - q), 4.0 % at most (p99); of the mean of 100 whose neighbours
    correlate by 1/2 it is 0.7 %. Straight lines within a bin add at most 0.5 %. Three percent are beyond 3.5 standard
    deviations: about 1 false alarm in 2000 other seeds.
    """
    values = fed(RunningQuantile(quantile), mean_ms, 100_000)[999::1000]

    assert abs(sum(values) / len(values) / exact_ns(quantile, mean_ms) - 1) < 0.03


@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_no_estimate_is_far_off(quantile):
    """The standard deviation of one is 4.0 % (p99): a quarter is beyond 6 of them, below 1 false alarm in a million."""
    values = fed(RunningQuantile(quantile), 10, 50_000)[1000:]

    assert all(abs(value / exact_ns(quantile, 10) - 1) < 0.25 for value in values)


def test_as_many_latencies_lie_above_the_estimate_as_the_quantile_says():
    """What hedging pays for: 5 % of the requests.

    The standard deviation of the share is 0.1 percentage points: 0.07 of 99,000 draws, 0.07 of the estimates, which wobble by 2.8 %.
    Half a point is 5 of them: below 1 false alarm in a million.
    """
    estimate, above = RunningQuantile(0.95), 0
    fed(estimate, 10, 1000)
    for number in range(1000, 100_000):
        latency_ns = exponential_ns(10, number)
        above += latency_ns > estimate.value_ns()
        estimate.add(latency_ns)

    assert 0.045 < above / 99_000 < 0.055


def test_a_slower_service_shows_within_a_window():
    """A tenth of the weight being ten times as slow moves the 95th percentile already."""
    estimate = RunningQuantile(0.95)
    fed(estimate, 10, 10_000)

    values = fed(estimate, 100, 1000, first=10_000)

    assert values[250] > 3 * exact_ns(0.95, 10)
    assert values[999] > 0.7 * exact_ns(0.95, 100)


def test_a_faster_service_shows_once_five_percent_of_the_weight_are_not_the_old_samples():
    """Halved after each window, the old samples are below 5 % after five of them: not before three, surely after six."""
    estimate = RunningQuantile(0.95)
    fed(estimate, 100, 10_000)

    values = fed(estimate, 10, 7000, first=10_000)

    assert values[2000] > 2 * exact_ns(0.95, 10)
    assert abs(values[6999] / exact_ns(0.95, 10) - 1) < 0.15


def test_a_smaller_window_forgets_faster():
    quick, slow = RunningQuantile(0.95, window=200), RunningQuantile(0.95, window=5000)
    for estimate in (quick, slow):
        fed(estimate, 100, 10_000)
        fed(estimate, 10, 2000, first=10_000)

    assert quick.value_ns() < 1.3 * exact_ns(0.95, 10)
    assert slow.value_ns() > 5 * exact_ns(0.95, 10)


@pytest.mark.parametrize("value_ns", [0, 1, 7, 8, 9, 15, 16, 1000, 123_456_789, 2**40, 2**62 + 12_345])
def test_an_equal_latency_again_and_again_is_found_within_its_bin(value_ns):
    estimate = RunningQuantile(0.95, minimum=1)
    for _ in range(3000):
        estimate.add(value_ns)

    assert 0.88 * value_ns <= estimate.value_ns() <= 1.125 * value_ns


def test_a_larger_quantile_is_never_below_a_smaller_one():
    estimates = [RunningQuantile(share / 100) for share in (10, 50, 90, 95, 99, 100)]
    for number in range(5000):
        for estimate in estimates:
            estimate.add(exponential_ns(20, number))
        values = [estimate.value_ns() for estimate in estimates]
        assert values == sorted(values)


def test_the_same_latencies_give_the_same_estimates():
    assert fed(RunningQuantile(0.95), 10, 3000) == fed(RunningQuantile(0.95), 10, 3000)
