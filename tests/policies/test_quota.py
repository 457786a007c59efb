"""Quotas: periods of the calendar."""

from __future__ import annotations

import pytest

from meshsim.policies.admission import Quota
from meshsim.registry import SettingError

HOUR = 3600 * 1_000_000_000
DAY = 24 * HOUR


def used_up(**settings):
    """A quota of which nothing is left."""
    one = Quota(requests=3, **settings).build()
    while one.admit(0):
        pass
    return one


@pytest.mark.parametrize(
    ("period", "days"),
    [("day", 1), ("week", 7), ("month", 31), ("year", 92)],
)
def test_a_period_ends_with_the_calendars(period, days):
    """The run begins on Sunday, 1 October 2023, unless it says otherwise."""
    one = used_up(period=period)

    assert one.retry_after_ns(0) == days * DAY
    assert not one.admit(days * DAY - 1)
    assert [one.admit(days * DAY) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("period", "time_zero", "hours"),
    [
        ("day", "2023-10-31T23:00:00", 1),
        ("week", "2023-10-31T23:00:00", 97),  # a Tuesday
        ("week", "2023-11-04T23:00:00", 1),  # a Saturday
        ("month", "2023-10-31T23:00:00", 1),
        ("month", "2024-02-28T23:00:00", 25),  # a leap year
        ("month", "2023-12-31T23:00:00", 1),
        ("year", "2023-12-31T23:00:00", 1),
        ("year", "2024-02-29T12:00:00", 7356),
    ],
)
def test_what_matters_is_when_the_run_begins(period, time_zero, hours):
    assert used_up(period=period, time_zero=time_zero).retry_after_ns(0) == hours * HOUR


def test_an_offset_from_utc_is_minded():
    assert used_up(period="day", time_zero="2023-10-31T23:00:00-05:00").retry_after_ns(0) == 20 * HOUR


def test_the_second_month_is_as_long_as_it_is():
    one = used_up(period="month", time_zero="2024-01-31T00:00:00")
    assert one.admit(DAY, 3)

    assert one.retry_after_ns(DAY) == 29 * DAY


def test_the_offset_is_taken_from_the_first_period_only():
    one = Quota(requests=5, period="day", offset=3).build()

    assert [one.admit(HOUR) for _ in range(3)] == [True, True, False]
    assert [one.admit(DAY) for _ in range(6)].count(True) == 5


@pytest.mark.parametrize("requests", [1, 100])
def test_so_many_in_a_period(requests):
    one = Quota(requests=requests, period="day").build()

    assert sum(one.admit(number * HOUR // 10) for number in range(200)) == requests


def test_mistakes():
    for settings in ({"time_zero": "tomorrow"}, {"time_zero": "9999-12-31"}, {"offset": 4}):
        with pytest.raises(SettingError):
            Quota(requests=3, period="day", **settings).check()
    Quota(requests=3, period="day", offset=3).check()
