"""Columns of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshsim.report.numbers import aligned, percent


def test_points_stand_under_each_other() -> None:
    assert aligned([1.234, 12.3, 0.5]) == [" 1.23", "12.30", " 0.50"]


def test_large_numbers_have_fewer_decimals_and_commas() -> None:
    assert aligned([1234.5, 0.55]) == ["1,234.5", "    0.6"]
    assert aligned([1234.5, 410.0]) == ["1,234", "  410"]


def test_nothing_is_a_dash_and_zero_is_bare_and_what_rounds_to_zero_is_not_zero() -> None:
    assert aligned([None, 0.0, 0.001, 2.5]) == [" -   ", " 0   ", "<0.01", " 2.50"]


def test_seconds_become_milliseconds() -> None:
    assert aligned([0.0123], 1000) == ["12.3"]


def test_a_column_of_nothing_is_dashes() -> None:
    assert aligned([None, None]) == ["-", "-"]


def test_percent_never_hides_that_there_is_something() -> None:
    assert [percent(share) for share in (0, 0.00001, 0.0123, 0.456, 0.9999, 1)] == [
        "0%",
        "<0.01%",
        "1.23%",
        "45.6%",
        "100%",
        "100%",
    ]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=1))
def test_all_cells_of_a_column_are_equally_long(values: list[float | None]) -> None:
    assert len({len(cell) for cell in aligned(values)}) == 1
