"""Pictures of figures: the same bytes each time, and inline SVG that suits a light page, a dark page and paper."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING

import matplotlib as mpl

from meshsim.report.charts.ink import INK, PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_INK = re.compile(rf"{INK}\b")
_HEAD = re.compile(r"\A.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_GLOBAL_RULE = re.compile(r"\s*<defs>\s*<style type=\"text/css\">\*\{(.*?)\}</style>\s*</defs>", re.DOTALL)
_ROOT = re.compile(r"\A<svg\b[^>]*>")
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_ID = re.compile(r"(?<=\sid=\")(?=[^\"])")
_REFERENCE = re.compile(r"(?<=href=\"#)|(?<=url\(#)")
_PLACES = re.compile(r"(?<=\s)(?:d|x|y)=\"[^\"]*\"")
_LONG = re.compile(r"-?\d+\.\d{3,}")
_FAMILY = re.compile(r"'DejaVu Sans'(, sans-serif)?")
_PAGE = "svg{color:#222;background:#fff}@media (prefers-color-scheme:dark){svg{color:#e6e6e6;background:#16181d}}"


def svg(figure: Figure | SubFigure, *, prefix: str = "", alt: str = "", is_inline: bool = True) -> str:
    """The figure as SVG, to be put into a page of HTML.

    Text stays text, in DejaVu Sans or, on a machine without it, Verdana, which is as wide, or Arial. Ink is `currentColor`, and there is
    no background, so that the page's `color` decides: dark on light, or light on dark. The drawing shrinks with what holds it. Places are
    rounded to a hundredth of a point.

    Args:
        figure: What to draw.
        prefix: Begins all ids, so that several drawings can stand in one page: a different one for each.
        alt: What the picture says, for those who do not see it.
        is_inline: Whether it stands in a page; a file of its own brings its two colour schemes with it.
    """
    figure = figure.get_figure(root=True)
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "meshsim", "path.simplify": False}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = _METADATA.sub("", _HEAD.sub("", written.getvalue(), count=1), count=1)
    text = _GLOBAL_RULE.sub("", text, count=1)
    text = _ROOT.sub(lambda _: _root(text, alt, is_inline=is_inline), text, count=1)
    text = _PLACES.sub(lambda place: _LONG.sub(lambda number: f"{float(number.group()):.2f}", place.group()), text)
    text = _FAMILY.sub("'DejaVu Sans', Verdana, Arial, sans-serif", _INK.sub("currentColor", text))
    return _REFERENCE.sub(prefix, _ID.sub(prefix, text)).strip() + "\n" if prefix else text.strip() + "\n"


def png(figure: Figure | SubFigure, dpi: float = 200) -> bytes:
    """The figure as a PNG on white.

    Args:
        figure: What to draw.
        dpi: Pixels an inch; a figure is 5.2 inches wide.
    """
    written = io.BytesIO()
    figure.get_figure(root=True).savefig(written, format="png", dpi=dpi, facecolor=PAPER, metadata={"Software": None})
    return written.getvalue()


def _root(text: str, alt: str, *, is_inline: bool) -> str:
    """The opening tag: its size in points, no rule that would reach the page around it, and what the picture says."""
    size = _SIZE.search(text)
    width, height = size.groups() if size else ("374", "230")
    says = f' role="img" aria-label="{html.escape(alt)}"' if alt else ""
    style = "stroke-linejoin:round;stroke-linecap:butt;max-width:100%;height:auto"
    tag = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="chart" '
        f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" style="{style}"{says}>'
    )
    return tag if is_inline else f"{tag}\n <style>{_PAGE}</style>"
