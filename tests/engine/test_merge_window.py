"""The merge window by itself: when the workers hear of a change of health."""

from __future__ import annotations

import pytest

from meshsim.engines.reference.destinations.merge_window import MergeWindow
from meshsim.engines.reference.time.clock import Clock
from meshsim.engines.reference.time.ticks import Ticks

MS = 1_000_000


def delivered(changes_ms, flushes_ms=(), window_ms=1000, tick_ms=0, phase_ms=0):
    """When something is passed on, in ms, where health changes and members come or go at these times."""
    clock, told = Clock(), []
    ticks = Ticks(clock, round(tick_ms * MS), round(phase_ms * MS)) if tick_ms else None
    window = MergeWindow(clock, round(window_ms * MS), lambda: told.append(clock.now_ns / MS), ticks)
    for at_ms in changes_ms:
        clock.call_at(round(at_ms * MS), window.change)
    for at_ms in flushes_ms:
        clock.call_at(round(at_ms * MS), window.flush)
    clock.run_all(lambda: None)
    return told


def test_the_first_change_is_passed_on_at_once():
    assert delivered([7]) == [7]


def test_the_next_one_waits_a_full_window_from_itself_and_not_from_the_delivery_before():
    """A host that comes back and fails again after 125 ms is left out 1,125 ms after its return: measured, 30.49 and 31.6 s."""
    assert delivered([100, 225]) == [100, 1225]


def test_what_changes_while_one_waits_goes_with_it():
    assert delivered([100, 900, 1000, 1050]) == [100, 1900]


def test_unless_a_window_has_passed_since_the_latest_delivery_by_then():
    """What waits then is told with it, and the later delivery does not come."""
    assert delivered([100, 900, 1500]) == [100, 1500]


def test_after_a_delivery_that_waited_a_window_begins_anew():
    assert delivered([100, 900, 2000]) == [100, 1900, 3000]
    assert delivered([100, 900, 2901]) == [100, 1900, 2901]


@pytest.mark.parametrize(("apart_ms", "second_ms"), [(1000, 2000), (1000.9, 2000.9), (1001, 1001), (2500, 2500)])
def test_the_window_is_over_when_more_whole_milliseconds_than_it_has_have_passed(apart_ms, second_ms):
    assert delivered([0, apart_ms]) == [0, second_ms]


def test_a_change_of_membership_takes_along_what_waits_and_begins_a_window():
    assert delivered([100, 200], [500]) == [100, 500]
    assert delivered([600, 1700], [500]) == [500, 1600, 2700]
    assert delivered([100, 200, 600], [500]) == [100, 500, 1600]


def test_without_a_window_everything_is_told_at_once():
    assert delivered([0, 1, 1, 2], window_ms=0) == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("window_ms", "at_ms", "told_ms"),
    [(1000, 225, 1225), (1000, 227, 1227), (250, 101, 353), (250, 103, 353), (3, 102.5, 105.5), (3, 100.5, 106.5)],
)
def test_by_a_coarse_clock_the_wait_ends_when_the_loop_sees_a_tick_that_is_not_before_its_end(window_ms, at_ms, told_ms):
    """A window of whole ticks is exact. One of 250 ms that begins at the tick of 100 ms has run out at that of 352.

    The loop wakes 250 ms after 101 ms, sees the tick of 348, and waits for the 2 ms to the end by that clock: 353. After 103 ms it sees
    that of 352 the first time.
    Source: libevent, event.c (timeout_next, timeout_process).
    """
    assert delivered([99, at_ms], window_ms=window_ms, tick_ms=4) == [99, told_ms]
