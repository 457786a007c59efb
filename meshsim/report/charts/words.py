"""What charts say: lists, names that fit, and that there is nothing to show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOTHING = "nothing was measured"
_ENDINGS = frozenset({"service", "server", "gateway", "backend", "frontend", "proxy"})


def listed(items: Sequence[str], most: int = 6, between: str = ", ") -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 9 more`."""
    shown = list(items) if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} more"]
    if len(shown) < 2:
        return shown[0] if shown else "none"
    return f"{between.join(shown[:-1])}{'' if between == ', ' else between.rstrip()} and {shown[-1]}"


def counted(number: int, thing: str) -> str:
    """`1 service`, `12 services`."""
    return f"{number} {thing}{'s' * (number != 1)}"


def shortened(name: str, most: int) -> str:
    """The name, its middle replaced by an ellipsis where it is longer than `most` characters."""
    if len(name) <= most:
        return name
    head = most // 2
    return f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{name[len(name) - (most - 1 - head) :]}"


def told_apart(names: Iterable[str], most: int) -> dict[str, str]:
    """Each name `shortened`; those that would then read the same are cut to where they differ, or numbered where that is too long too.

    Points of a sweep have long names that often differ in the middle only: `load.shoppers.rate=100/s, services.cart.workers=4`.
    """
    unique = list(dict.fromkeys(names))
    found = {name: shortened(name, most) for name in unique}
    alike: dict[str, list[str]] = {}
    for name, text in found.items():
        alike.setdefault(text, []).append(name)
    for same in alike.values():
        if len(same) > 1:
            found |= dict(zip(same, _where_they_differ(same, most), strict=True))
    taken = Counter(found.values())
    for number, name in enumerate(unique, start=1):
        if taken[found[name]] > 1:
            tail = f" ({number})"
            found[name] = f"{shortened(name, most - len(tail))}{tail}"
    return found


def _where_they_differ(names: Sequence[str], most: int) -> list[str]:
    """The stretch of each name from its first difference on, from the beginning of the word that it is in."""
    columns = enumerate(zip(*names, strict=False))
    start = next((at for at, characters in columns if len(set(characters)) > 1), min(map(len, names)))
    while start and (names[0][start - 1].isalnum() or names[0][start - 1] in "-_./%:"):
        start -= 1
    return [f"\N{HORIZONTAL ELLIPSIS}{name[start:]}"[:most] for name in names]


def wrapped(name: str, most: int) -> list[str]:
    """The name in lines of at most `most` characters, broken between its words where it has some."""
    lines, rest = [], name
    while len(rest) > most:
        at = max((at for at in range(most // 3, most + 1) if _breaks(rest, at)), default=most)
        lines.append(rest[:at])
        rest = rest[at:]
    return [*lines, rest]


def _breaks(name: str, at: int) -> bool:
    """Whether a word ends before a place: a separator, a capital, or the `service` of `currencyservice`."""
    before, after = name[at - 1], name[at]
    return before in "-_./ :" or (before.islower() and after.isupper()) or name[at:] in _ENDINGS


def say_nothing(ax: Axes, why: str = NOTHING) -> Axes:
    """The axes, empty but for one line of text that says why."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center")
    return ax


def figure_of(ax: Axes) -> Figure:
    """The whole figure that axes are part of."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes were removed from their figure")
    return figure
