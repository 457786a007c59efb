"""Smaller SVG that looks the same: coordinates to a hundredth of a point, and hatches as small tiles."""

from __future__ import annotations

import re

_PATH = re.compile(r'(?<=\sd=")[^"]*(?=")')
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_SPACE = re.compile(r"\s+")
_BETWEEN_TAGS = re.compile(r">\s+<")
_TEXT_OR_STYLE = re.compile(r"(<text\b.*?</text>|<style\b.*?</style>)", re.DOTALL)
_HATCH = re.compile(
    r'<pattern id="([^"]+)" patternUnits="userSpaceOnUse" x="0" y="0" width="72" height="72">(.*?)</pattern>', re.DOTALL
)
_SUBPATH = re.compile(r"M (-?[\d.]+) (-?[\d.]+)[^M]*")
TILE = 12
"""Points. matplotlib tiles hatches by 72; those of up to six signs repeat every 12 at most: 72 over 6 times the signs."""
LARGE = 4000
"""Characters: a hatch of lines is smaller, one of dots or rings many times larger."""


def thinned(svg: str) -> str:
    """The same drawing in fewer characters.

    Args:
        svg: As matplotlib writes it.
    """
    svg = _HATCH.sub(_small_tile, svg)
    svg = _PATH.sub(lambda found: _SPACE.sub(" ", _NUMBER.sub(_rounded, found[0])).strip(), svg)
    parts = _TEXT_OR_STYLE.split(svg)
    return "".join(part if at % 2 else _BETWEEN_TAGS.sub(">\n<", part) for at, part in enumerate(parts))


def _rounded(number: re.Match[str]) -> str:
    return "0" if abs(float(number[0])) < 0.005 else f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _small_tile(hatch: re.Match[str]) -> str:
    """The hatch with a tile of 12 points, where it consists of many small signs; all that begin in it or just beside it."""
    if len(hatch[0]) < LARGE:
        return hatch[0]
    inside = _PATH.sub(lambda path: "".join(one[0] for one in _SUBPATH.finditer(path[0]) if _is_near(one)), hatch[2])
    inside = inside.replace('width="73" height="73"', f'width="{TILE + 1}" height="{TILE + 1}"')
    return f'<pattern id="{hatch[1]}" patternUnits="userSpaceOnUse" x="0" y="0" width="{TILE}" height="{TILE}">{inside}</pattern>'


def _is_near(sign: re.Match[str]) -> bool:
    return all(-4 <= float(part) <= TILE + 4 for part in sign.groups())
