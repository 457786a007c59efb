"""Back-offs: Envoy's full jitter under an interval that doubles, and those that others use."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.retry import Constant, DecorrelatedJitter, EqualJitter, Exponential, FullJitter
from meshsim.randomness import BACK_OFF, Draw
from meshsim.registry import SettingError, families

MS = 1_000_000
DOUBLING = [EqualJitter, Exponential, FullJitter]


class Uniforms:
    """A draw that gives these numbers between 0 and 1, one after the other, and no more than there are."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def uniform(self):
        return self.numbers.pop(0)


def back_off(base_ms, max_ms):
    return FullJitter(base_interval=round(base_ms * MS), max_interval=round(max_ms * MS))


def waits_ms(policy, retry, previous_ms=0, count=5000):
    draw = Draw()
    back_off = policy.build()
    return [back_off.wait_ns(retry, previous_ms * MS, draw.at(key * 7, BACK_OFF)) / MS for key in range(count)]


@pytest.mark.parametrize(
    ("base", "most", "intervals"),
    [
        (25, 250, [25, 50, 100, 200, 250, 250]),
        (100, 300, [100, 200, 300, 300]),
        (25, 25, [25, 25, 25]),
        (10, 40, [10, 20, 40, 40]),
        (20, 41, [20, 41, 41]),
        (20, 42, [20, 40, 42]),
        (10, 1000, [10, 20, 40, 80, 160, 320, 640, 1000]),
    ],
)
def test_the_interval_doubles_until_half_the_maximum_and_is_the_maximum_then(base, most, intervals):
    assert [back_off(base, most).build().interval_ns(retry) / MS for retry in range(1, len(intervals) + 1)] == intervals


def test_the_wait_is_a_whole_number_of_milliseconds_below_the_interval():
    for retry, interval_ms in enumerate([25, 50, 100, 200, 250, 250], start=1):
        assert set(waits_ms(back_off(25, 250), retry)) == set(range(interval_ms))


def test_the_wait_is_what_is_drawn():
    draw = Scripted(0, 24, 7)

    assert [back_off(25, 250).build().wait_ns(1, 0, draw) for _ in range(3)] == [0, 24 * MS, 7 * MS]
    assert draw.asked == [25, 25, 25]


def test_all_waits_are_equally_likely():
    """Each of four has 2000 of 8000, give or take 39: four standard deviations, 3 false alarms in 10,000."""
    waits = Counter(waits_ms(back_off(4, 40), 1, count=8000))

    assert all(abs(waits[ms] - 2000) < 4 * (8000 * 0.25 * 0.75) ** 0.5 for ms in range(4))


@pytest.mark.parametrize("base", [0, 0.4, 1, 1.9])
def test_a_base_of_a_millisecond_or_less_means_no_wait_before_the_first_retry_and_nothing_is_drawn(base):
    assert back_off(base, 10).build().wait_ns(1, 0, Scripted()) == 0


def test_fractions_of_a_millisecond_are_cut_off():
    draw = Scripted(1)

    assert back_off(2.9, 10).build().wait_ns(1, 0, draw) == MS
    assert draw.asked == [2]


@pytest.mark.parametrize("cls", [*DOUBLING, DecorrelatedJitter])
def test_unless_told_otherwise_the_base_is_25_ms_and_no_wait_is_longer_than_ten_times_that(cls):
    assert cls().base_interval == 25 * MS
    assert cls().longest_ns == 250 * MS
    assert cls(base_interval="40ms").longest_ns == 400 * MS
    assert cls(base_interval="40ms", max_interval="90ms").longest_ns == 90 * MS


@pytest.mark.parametrize("cls", [*DOUBLING, DecorrelatedJitter])
def test_a_maximum_below_the_base_is_refused_as_envoy_does(cls):
    with pytest.raises(SettingError) as refused:
        cls(base_interval="10ms", max_interval="9ms").check()

    assert refused.value.field == "max_interval"
    assert str(refused.value) == "must not be below base_interval"
    cls(base_interval="10ms", max_interval="10ms").check()
    cls(base_interval="10ms").check()


@pytest.mark.parametrize("cls", DOUBLING)
def test_a_longer_base_means_longer_waits(cls):
    short, long = cls(base_interval="10ms", max_interval="1s"), cls(base_interval="30ms", max_interval="1s")

    assert sum(waits_ms(long, 2)) > 2.5 * sum(waits_ms(short, 2))


@pytest.mark.parametrize("cls", [*DOUBLING, DecorrelatedJitter])
def test_a_longer_maximum_means_longer_waits_after_many_retries_and_no_others_before(cls):
    low, high = cls(base_interval="10ms", max_interval="100ms"), cls(base_interval="10ms", max_interval="1s")

    assert sum(waits_ms(high, 9, previous_ms=100)) > 1.2 * sum(waits_ms(low, 9, previous_ms=100))
    assert waits_ms(high, 1) == waits_ms(low, 1)


@pytest.mark.parametrize("cls", [*DOUBLING, DecorrelatedJitter])
def test_the_thousandth_retry_waits_no_longer_than_the_maximum(cls):
    policy = cls(base_interval="10ms", max_interval="2s")

    assert 1000 < max(waits_ms(policy, 1000, previous_ms=2000)) <= 2000


def test_exponential_waits_the_doubled_interval_without_any_chance():
    policy = Exponential(base_interval="5ms", max_interval="100ms").build()

    assert [policy.wait_ns(retry, 0, None) / MS for retry in range(1, 8)] == [5, 10, 20, 40, 80, 100, 100]


def test_equal_jitter_waits_half_of_the_interval_and_what_is_drawn_of_the_other_half():
    policy = EqualJitter(base_interval="10ms", max_interval="70ms").build()

    assert [policy.wait_ns(retry, 0, Uniforms(0.25)) / MS for retry in (1, 2, 3, 4, 9)] == [6.25, 12.5, 25, 43.75, 43.75]


def test_equal_jitter_never_waits_less_than_half():
    """5000 draws: uniform on [20, 40] ms, mean 30 with a standard deviation of 0.08."""
    waits = waits_ms(EqualJitter(base_interval="10ms", max_interval="1s"), 3)

    assert 20 <= min(waits) < 20.05
    assert 39.95 < max(waits) <= 40
    assert abs(sum(waits) / len(waits) - 30) < 0.4


def test_decorrelated_jitter_waits_from_the_base_to_three_times_the_wait_before():
    policy = DecorrelatedJitter(base_interval="10ms", max_interval="1s").build()

    assert policy.wait_ns(1, 0, Uniforms(0.5)) == 20 * MS  # of 10 to 30: before the first retry the wait was the base
    assert policy.wait_ns(2, 20 * MS, Uniforms(0.5)) == 35 * MS  # of 10 to 60
    assert policy.wait_ns(2, 20 * MS, Uniforms(0.0)) == 10 * MS
    assert policy.wait_ns(2, 400 * MS, Uniforms(0.9)) == 1000 * MS  # of 10 to 1200


def test_decorrelated_jitter_looks_at_the_wait_before_and_not_at_the_number_of_the_retry():
    policy = DecorrelatedJitter(base_interval="10ms", max_interval="1s")

    assert waits_ms(policy, 1, previous_ms=50) == waits_ms(policy, 8, previous_ms=50)
    assert sum(waits_ms(policy, 1, previous_ms=50)) > 1.5 * sum(waits_ms(policy, 1, previous_ms=20))


def test_decorrelated_jitters_base_is_its_least_wait():
    low, high = DecorrelatedJitter(base_interval="10ms"), DecorrelatedJitter(base_interval="30ms")

    assert 10 <= min(waits_ms(low, 2, previous_ms=60)) < 10.5
    assert 30 <= min(waits_ms(high, 2, previous_ms=60)) < 30.5


def test_jitter_other_than_envoys_has_full_precision():
    for policy in (EqualJitter(), DecorrelatedJitter()):
        assert sum(wait % 1 != 0 for wait in waits_ms(policy, 1, count=1000)) > 990


def test_constant_waits_half_a_second_unless_told_otherwise():
    assert Constant().build().wait_ns(1, 0, None) == Constant().build().wait_ns(9, 700 * MS, None) == 500 * MS


@pytest.mark.parametrize("interval_ms", [0, 1, 30_000])
def test_constants_interval_is_each_wait(interval_ms):
    policy = Constant(interval=f"{interval_ms}ms")
    policy.check()

    assert [policy.build().wait_ns(retry, 0, None) for retry in range(1, 5)] == [interval_ms * MS] * 4


def test_these_are_the_back_offs():
    """A new one needs tests here."""
    assert set(families()["back_off"].values()) >= {Constant, DecorrelatedJitter, EqualJitter, Exponential, FullJitter}
    own = {cls for cls in families()["back_off"].values() if cls.__module__.startswith("meshsim.")}
    assert own == {Constant, DecorrelatedJitter, EqualJitter, Exponential, FullJitter}
