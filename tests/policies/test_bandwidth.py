"""CFS bandwidth control against its arithmetic."""

from __future__ import annotations

import pytest

from meshsim.policies.cpu import Bandwidth, quota_ns

MS = 1_000_000


def bandwidth(quota_ms=50, burst_ms=0, began_ms=0):
    return Bandwidth(quota_ms * MS, 100 * MS, burst_ms * MS, began_ms * MS)


@pytest.mark.parametrize(
    ("milli_cpu", "period_ms", "quota_us"),
    [(500, 100, 50_000), (2000, 100, 200_000), (1, 100, 1000), (9, 100, 1000), (11, 100, 1100), (333, 10, 3330), (15, 1, 1000)],
)
def test_a_quota_is_the_limit_times_the_period_and_one_millisecond_at_least(milli_cpu, period_ms, quota_us):
    assert quota_ns(milli_cpu, period_ms * MS) == quota_us * 1000


def test_one_thread_runs_for_the_quota_and_stands_still_for_the_rest_of_the_period():
    group = bandwidth(quota_ms=50)

    assert group.advance(30 * MS, 1) == 30 * MS
    assert group.exhausted_ns(1) == 50 * MS
    assert group.advance(100 * MS, 1) == 20 * MS
    assert (group.periods, group.throttled_periods, group.throttled_ns) == (1, 1, 50 * MS)
    assert group.advance(130 * MS, 1) == 30 * MS


def test_four_threads_use_it_up_in_a_quarter_of_the_time_and_all_four_processors_stand_still():
    group = bandwidth(quota_ms=100)

    assert group.advance(100 * MS, 4) == 25 * MS
    assert group.throttled_ns == 4 * 75 * MS


def test_what_is_left_of_a_quota_is_lost():
    group = bandwidth(quota_ms=50)

    group.advance(10 * MS, 1)
    group.advance(100 * MS, 0)

    assert group.left_ns == 50 * MS
    assert group.throttled_periods == 0


def test_a_burst_keeps_some_of_what_was_left_and_no_more():
    group = bandwidth(quota_ms=50, burst_ms=20)

    group.advance(45 * MS, 1)
    group.advance(100 * MS, 0)
    assert group.left_ns == 55 * MS

    group.advance(1000 * MS, 0)
    assert group.left_ns == 70 * MS


def test_quota_that_is_used_up_just_as_the_work_is_done_throttles_nobody():
    group = bandwidth(quota_ms=50)

    assert group.advance(50 * MS, 1) == 50 * MS
    group.advance(100 * MS, 0)

    assert (group.periods, group.throttled_periods, group.throttled_ns) == (1, 0, 0)


def test_what_a_nanosecond_was_too_long_for_is_owed():
    group = Bandwidth(100, 1000, 0, 0)

    assert group.advance(1000, 3) == 34
    assert group.left_ns == 100 - 2


def test_a_group_that_is_idle_counts_two_more_periods_and_then_none():
    group = bandwidth()

    group.advance(10 * MS, 1)
    group.advance(5000 * MS, 0)
    assert group.periods == 2

    group.advance(5010 * MS, 1)
    group.advance(5099 * MS, 0)
    assert group.periods == 2


@pytest.mark.parametrize(("began_ms", "end_ms"), [(0, 100), (30, 30), (-30, 70), (-1_000_030, 70)])
def test_periods_follow_one_another_from_when_the_first_began(began_ms, end_ms):
    assert bandwidth(began_ms=began_ms).refill_ns == end_ms * MS


def test_looking_more_often_changes_nothing():
    seldom, often = bandwidth(), bandwidth()

    ran = seldom.advance(730 * MS, 3)
    assert sum(often.advance(at * MS, 3) for at in range(1, 731)) == ran

    assert (often.periods, often.throttled_periods, often.throttled_ns, often.left_ns) == (
        seldom.periods, seldom.throttled_periods, seldom.throttled_ns, seldom.left_ns,
    )  # fmt: skip
