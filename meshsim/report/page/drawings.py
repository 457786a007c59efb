"""A chart as the report shows it: an inline SVG, a title, and the sentence that says what it shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from meshsim.report.charts import style
from meshsim.report.charts.words import figure_of
from meshsim.report.page.thinning import thinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

_SIZE = re.compile(r'(\A<svg\b[^>]*?) width="[^"]*" height="[^"]*"')
"""The size in points: the page decides how wide a drawing is, and its `viewBox` how high."""
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_MARGIN = 3
"""Points at both sides, for texts that are a little wider in the reader's font."""
_HOLLOW = "fill: #ffffff; stroke: currentColor"
"""A hollow mark, which lets the paper through, whatever its colour is."""
MOST_DRAWN = 6
"""Variants in one chart; of a longer sweep so many are drawn, evenly spread."""


class Drawing(NamedTuple):
    """One chart."""

    key: str
    """Unique in the page: its anchor, and the beginning of all ids inside it."""
    title: str
    svg: Markup
    reading: str
    """One sentence, which is the alternative text too."""
    note: str = ""
    is_wide: bool = False


class Group(NamedTuple):
    """Charts that stand together under one heading."""

    id: str
    title: str
    intro: str
    shown: list[Drawing]
    more: list[Drawing]
    """Behind a heading that opens."""
    more_title: str = ""


def draw(key: str, title: str, chart: Callable[[], Axes], reading: str, *, note: str = "", is_wide: bool = False) -> Drawing:
    """A chart, drawn.

    Args:
        key: Unique in the page.
        title: For the heading.
        chart: Draws it, on axes of its own.
        reading: What it shows.
        note: What one should know to read it.
        is_wide: Whether it takes the whole width of the page.
    """
    with style.off_screen():
        picture = thinned(style.svg(figure_of(chart()), prefix=f"{key}-", alt=f"{title}. {reading}"))
    picture = _VIEW.sub(_with_margin, _SIZE.sub(r"\1", picture, count=1), count=1).replace(
        _HOLLOW, "fill: var(--paper, #ffffff); stroke: currentColor"
    )
    return Drawing(key, title, Markup(picture), reading, note, is_wide)  # noqa: S704 — our own drawing; matplotlib escapes its texts


def _with_margin(view: re.Match[str]) -> str:
    return f'viewBox="{-_MARGIN} 0 {float(view[1]) + 2 * _MARGIN:g} {view[2]}"'
