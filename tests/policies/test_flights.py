"""Calls for several requests at once: who waits, and what becomes of them when the call fails."""

from __future__ import annotations

import pytest

from meshsim.policies.filters.flights import Flights

KEY = 7


def ended(status, took_ns=100, timeout_ns=100):
    flights = Flights()
    flights.begin(KEY, 1000)
    flights.end(KEY, 1000 + took_ns, status, timeout_ns)
    return flights


def test_a_call_is_on_its_way_from_beginning_to_end_and_no_other_is():
    flights = Flights()
    assert not flights.is_on(KEY)
    flights.begin(KEY, 1000)
    assert flights.is_on(KEY)
    assert not flights.is_on(KEY + 1)
    assert flights.ended(KEY, 1000) is None
    flights.end(KEY, 1050, 200, 100)
    assert not flights.is_on(KEY)


@pytest.mark.parametrize("status", [0, 401, 500, 503])
def test_a_failure_is_known_at_that_very_instant_only(status):
    flights = ended(status)

    assert flights.ended(KEY, 1100) is False
    assert flights.ended(KEY, 1101) is None
    assert flights.ended(KEY + 1, 1100) is None


def test_so_is_an_answer():
    assert ended(200).ended(KEY, 1100) is True
    assert ended(200).ended(KEY, 1101) is None


def test_whose_client_left_before_the_time_was_over_has_not_failed():
    """It says nothing of the service; somebody else has to ask."""
    assert ended(0, took_ns=99).ended(KEY, 1099) is None
    assert ended(500, took_ns=99).ended(KEY, 1099) is False


def test_two_calls_that_end_at_the_same_instant_are_both_known():
    flights = Flights()
    for key in (1, 2, 3):
        flights.begin(key, 0)
    flights.end(1, 50, 503, 100)
    flights.end(2, 50, 200, 100)

    assert [flights.ended(key, 50) for key in (1, 2, 3)] == [False, True, None]
    flights.end(3, 60, 503, 100)
    assert [flights.ended(key, 60) for key in (1, 2, 3)] == [None, None, False]
