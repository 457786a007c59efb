"""What the terminal tells of faults."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from meshsim.metrics.over_time.recovery import Recovery
from meshsim.report.after_faults import MOST, note, table

if TYPE_CHECKING:
    from collections.abc import Sequence


def after(from_s: float = 20, until_s: float = 25, *, route: str | None = None, **told: object) -> Recovery:
    known = {"recovery_s": 7.0, "is_never": False, "unknown": "", "lost": 1200, "outlives": False, **told}
    return Recovery(from_s, until_s, 0.02, 1.0, route=route, **known)  # type: ignore[arg-type]


def lines(rows: Sequence[Recovery], width: int = 100) -> list[str]:
    stream = io.StringIO()
    Console(width=width, file=stream, highlight=False).print(table(Console(width=width, file=stream), rows))
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_each_fault_has_what_was_lost_how_long_it_took_and_whether_it_outlives() -> None:
    never = after(40, 45, recovery_s=None, is_never=True, outlives=True, lost=9)
    short = after(60, 61, recovery_s=None, unknown="the load ends too soon after the fault", outlives=None, lost=0)

    assert lines([after(), never, short])[3:] == [
        "20.0 25.0 1,200 7 s no",
        "40.0 45.0 9 never yes",
        "60.0 61.0 0 unknown: the load ends too soon after the fault",
    ]


def test_it_is_told_of_all_routes_together() -> None:
    assert len(lines([after(), after(route="checkout"), after(route="browse")])) == 3 + 1


def test_of_hundreds_by_chance_the_first_are_shown_and_the_rest_is_counted() -> None:
    many = [after(10 * number, 10 * number + 1) for number in range(100)]

    assert len(lines(many)) == 3 + MOST
    assert note(many).endswith(f" {100 - MOST} more: `result.summary().faults_frame()`.")
    assert note(many[:MOST]).endswith(" Lost: failed until then.")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_it_fits_every_terminal(width: int) -> None:
    assert all(len(line) <= width for line in lines([after(unknown="the load ends too soon after the fault")], width))
