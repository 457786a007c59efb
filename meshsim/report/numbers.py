"""Numbers for people: columns with the same decimals in each row, so that their points stand under each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"


def aligned(values: Sequence[float | None], scale: float = 1.0, most: int = 2) -> list[str]:
    """Text of equal length for each value, points under each other.

    Args:
        values: Numbers; None stands for nothing to show.
        scale: What each is multiplied with, such as 1000 for seconds shown in ms.
        most: The most decimals.

    Returns:
        A dash for None, a bare 0 for an exact zero, and `<0.01` for what would be rounded to zero.
    """
    scaled = [None if value is None else value * scale for value in values]
    decimals = _decimals([abs(value) for value in scaled if value], most)
    tail = " " * (decimals + 1 if decimals else 0)
    texts = [_text(value, decimals, tail) for value in scaled]
    width = max((len(text) for text in texts), default=0)
    return [text.rjust(width) for text in texts]


def count(number: int, thing: str) -> str:
    """`1 request`, `1,234 requests`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def percent(share: float) -> str:
    """`1.23%`, `45.6%`, `100%`."""
    if 0 < share < 0.00005:
        return "<0.01%"
    return f"{share * 100:.{2 if 0 < share < 0.0995 else 1 if 0 < share < 0.9995 else 0}f}%"


def _decimals(numbers: Sequence[float], most: int) -> int:
    """As many as the smallest needs for three digits, but no more than the largest lets one read."""
    if not numbers:
        return 0
    smallest, largest = min(numbers), max(numbers)
    wanted = 0 if smallest >= 100 else 1 if smallest >= 10 else 2
    readable = 1 if largest >= 1000 or (largest >= 100 and smallest >= 1) else 2
    return min(wanted, most, readable)


def _text(value: float | None, decimals: int, tail: str) -> str:
    if value is None:
        return NOTHING + tail
    if value == 0:
        return "0" + tail
    text = f"{value:,.{decimals}f}"
    if value > 0 and not text.strip("0."):
        return f"<{10**-decimals:.{decimals}f}"
    return text
