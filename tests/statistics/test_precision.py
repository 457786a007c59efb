"""How many replications a precision takes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.statistics.intervals import Interval, median_interval
from meshsim.statistics.precision import is_precise, replications_wanted


def made(value: float, half: float | None, count: int = 10) -> Interval:
    ends = (None, None) if half is None else (value - half, value + half)
    return Interval(value, *ends, 0.95, count, "made up")


@pytest.mark.parametrize(
    ("value", "half", "wanted"),
    [
        (100, 5, 10),  # as precise as asked
        (100, 6, 15),  # 10 * (6 / 5)^2 = 14.4
        (100, 20, 20),  # 160, but twice as many at most before the next look
        (100, 5.0001, 11),
        (-100, 6, 15),
        (0, 0, 10),
        (0, 1, 20),  # no share of zero is wide enough
        (100, None, 20),  # one replication has no width
        (math.nan, None, 10),
        (math.inf, None, 10),
    ],
)
def test_the_width_falls_with_the_square_root_of_their_number(value: float, half: float | None, wanted: int) -> None:
    assert replications_wanted(made(value, half), 0.05, have=10, most=100) == wanted


@pytest.mark.parametrize(
    "found",
    [
        median_interval([20, 21, 22, 20, 23, 21, 20, 22, math.inf, math.inf]),  # 21, and 20 up to never
        made(1e-300, 1),
    ],
    ids=["up to never", "next to nothing"],
)
def test_an_interval_too_wide_for_any_number_asks_for_twice_as_many(found: Interval) -> None:
    assert replications_wanted(found, 0.05, have=10, most=100) == 20


def test_never_more_than_the_limit() -> None:
    assert replications_wanted(made(100, 20), 0.05, have=10, most=12) == 12
    assert replications_wanted(made(100, 20), 0.05, have=12, most=12) == 12


def test_a_figure_of_nothing_asks_for_nothing() -> None:
    assert is_precise(made(math.nan, None, count=0), 0.05)


@given(st.floats(0.1, 1e3), st.floats(0, 1e3), st.floats(0.001, 0.5), st.integers(2, 500), st.integers(2, 1000))
def test_it_always_moves_on_or_ends(value: float, half: float, error: float, have: int, most: int) -> None:
    wanted = replications_wanted(made(value, half, have), error, have, most)

    assert wanted <= max(have, most)
    assert wanted > have or wanted == min(have, most)
    assert wanted in {have, most} or not is_precise(made(value, half, have), error)
