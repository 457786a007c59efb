"""Envoy's back-off: full jitter under an interval that doubles."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.retry import BackOff
from meshsim.randomness import BACK_OFF, Draw

MS = 1_000_000


def back_off(base_ms, max_ms):
    return BackOff(round(base_ms * MS), round(max_ms * MS))


@pytest.mark.parametrize(
    ("base", "most", "intervals"),
    [
        (25, 250, [25, 50, 100, 200, 250, 250]),
        (100, 300, [100, 200, 300, 300]),
        (25, 25, [25, 25, 25]),
        (10, 40, [10, 20, 40, 40]),
        (10, 1000, [10, 20, 40, 80, 160, 320, 640, 1000]),
    ],
)
def test_the_interval_doubles_until_half_the_maximum_and_is_the_maximum_then(base, most, intervals):
    assert [back_off(base, most).interval_ns(retry) / MS for retry in range(1, len(intervals) + 1)] == intervals


def test_the_wait_is_a_whole_number_of_milliseconds_below_the_interval():
    policy, draw = back_off(25, 250), Draw()

    for retry, interval_ms in enumerate([25, 50, 100, 200, 250, 250], start=1):
        waits = {policy.wait_ns(retry, draw.at(key, BACK_OFF)) / MS for key in range(5000)}
        assert waits == set(range(interval_ms))


def test_the_wait_is_what_is_drawn():
    draw = Scripted(0, 24, 7)

    assert [back_off(25, 250).wait_ns(1, draw) for _ in range(3)] == [0, 24 * MS, 7 * MS]
    assert draw.asked == [25, 25, 25]


def test_all_waits_are_equally_likely():
    policy, draw = back_off(4, 40), Draw()

    waits = Counter(policy.wait_ns(1, draw.at(key * 7, BACK_OFF)) for key in range(8000))

    assert all(abs(waits[ms * MS] - 2000) < 4 * (8000 * 0.25 * 0.75) ** 0.5 for ms in range(4))


@pytest.mark.parametrize("base", [0, 0.4, 1, 1.9])
def test_a_base_of_a_millisecond_or_less_means_no_wait_before_the_first_retry_and_nothing_is_drawn(base):
    assert back_off(base, 10).wait_ns(1, Scripted()) == 0


def test_fractions_of_a_millisecond_are_cut_off():
    draw = Scripted(1)

    assert back_off(2.9, 10).wait_ns(1, draw) == MS
    assert draw.asked == [2]
