"""What a check says, before it is known where in the file it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.units import format_duration

if TYPE_CHECKING:
    from meshsim.scenario.flow.reading import Path


class Remark(NamedTuple):
    """One warning."""

    path: Path
    message: str


def per_second(rate: float) -> str:
    """A rate for people: `412/s`, `0.25/s`."""
    return f"{number(rate)}/s"


def number(value: float) -> str:
    """A number for people, with three digits where it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def time(nanoseconds: float) -> str:
    """A duration for people."""
    return format_duration(nanoseconds)


def count(n: int, thing: str) -> str:
    """`1 worker`, `8 workers`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
