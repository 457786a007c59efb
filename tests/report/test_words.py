"""Names in charts: short, and never two that read the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meshsim.report.charts.words import shortened, told_apart

LONG = "load.shoppers.rate=100/s, gateway.traffic.cart.retries.num_retries={}, services.cart.workers=4"


def test_names_that_differ_in_the_middle_are_cut_to_where_they_differ() -> None:
    """Two points of a sweep: with its middle left out each would read `load.shoppers.r…t.workers=4`."""
    names = [LONG.format(one) for one in (0, 2)]

    assert len({shortened(name, 30) for name in names}) == 1
    assert list(told_apart(names, 30).values()) == ["…0, services.cart.workers=4", "…2, services.cart.workers=4"]


def test_names_that_differ_late_and_early_are_numbered() -> None:
    names = ["a" * 40 + "b" + "c" * 40 + "d", "a" * 40 + "e" + "c" * 40 + "d"]

    assert [text[-4:] for text in told_apart(names, 20).values()] == [" (1)", " (2)"]


@given(st.lists(st.text("ab=,. ", min_size=1, max_size=60), min_size=1, max_size=12, unique=True), st.integers(14, 40))
def test_no_two_names_read_the_same_and_none_is_longer_than_it_may_be(names: list[str], most: int) -> None:
    shown = told_apart(names, most)

    assert list(shown) == names
    assert len(set(shown.values())) == len(names)
    assert all(len(text) <= most for text in shown.values())
