"""How the stages of a request look, the same in each chart that shows them, and the legend that explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from meshsim.report.charts.ink import FONT_SIZE, ROW_POINTS
from meshsim.report.charts.words import figure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


class Fill(NamedTuple):
    """Colour and hatch of an area; neighbours differ in brightness and hatch too, for black and white."""

    colour: str
    hatch: str


FILLS: dict[str, Fill] = {
    "queue": Fill("#E69F00", "////"),
    "service": Fill("#0072B2", ""),
    "network": Fill("#8CCBEF", "...."),
    "proxy": Fill("#009E73", "\\\\\\\\"),
    "filters": Fill("#000000", "oooo"),
    "connection": Fill("#F0E442", "xxxx"),
    "TLS": Fill("#D55E00", "++++"),
    "back-off": Fill("#CC79A7", "----"),
    "other": Fill("#BBBBBB", ""),
}
"""By stage, in the order in which they are stacked. Colours after Okabe and Ito, Color Universal Design, 2008."""
MEANINGS: dict[str, str] = {
    "queue": "waiting for a worker",
    "service": "computing",
    "network": "on the wire",
    "proxy": "in proxies",
    "filters": "of the gateway",
    "connection": "waiting for one",
    "TLS": "handshakes",
    "back-off": "between tries",
    "other": "all else",
}
LARGEST = (
    Fill("#0072B2", ""),
    Fill("#E69F00", "////"),
    Fill("#009E73", "\\\\\\\\"),
    Fill("#F0E442", "...."),
    Fill("#CC79A7", "xxxx"),
    Fill("#8CCBEF", "----"),
    Fill("#D55E00", "++++"),
)
"""Of services where they are stacked, the largest first."""
REST = Fill("#BBBBBB", "")
"""Of what has no fill of its own."""
HATCH_COLOUR = "#000000aa"
_TICKS_POINTS = 26.0


def meant(stage: str) -> str:
    """`queue (waiting for a worker)`."""
    return f"{stage} ({MEANINGS[stage]})" if stage in MEANINGS else stage


def sample(fill: Fill) -> Patch:
    """What a legend shows."""
    return hatched(Patch(facecolor=fill.colour, linewidth=0), fill.hatch)


def hatched(patch: Patch, hatch: str) -> Patch:
    """The patch with a hatch that is dark on a dark page too: it lies on a light colour."""
    patch.set_edgecolor(HATCH_COLOUR)
    patch.set_hatch(hatch)
    if hasattr(patch, "set_hatchcolor"):  # since matplotlib 3.10; before, the edge's colour was the hatch's
        patch.set_hatchcolor(HATCH_COLOUR)
    return patch


def legend_under(ax: Axes, handles: Sequence[Artist], names: Sequence[str], left: float) -> None:
    """A legend of two columns below the axes and their label, that begins where the names left of the axes do.

    Args:
        ax: The axes, their label set.
        handles: Samples.
        names: What each stands for.
        left: Points from the axes to the left end of those names.
    """
    figure = figure_of(ax)
    below = _TICKS_POINTS + ROW_POINTS * (ax.get_xlabel().count("\n") + 1 if ax.get_xlabel() else 0)
    ax.legend(
        handles,
        names,
        ncols=2,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=ax.transAxes + ScaledTranslation(-left / 72, -below / 72, figure.dpi_scale_trans),
        labelspacing=0.25,
        columnspacing=1.2,
        handlelength=1.7,
        handletextpad=0.5,
        borderpad=0,
    )


def width_points(text: str) -> float:
    """Width of a line of text of the usual size, in points, on the generous side."""
    return float(TextPath((0, 0), text.replace(" ", "n") or "n", size=FONT_SIZE).get_extents().width) * 1.03 + 1.0


def readable_on(red: float, green: float, blue: float) -> str:
    """Black or white, whichever contrasts more with a colour (WCAG 2.2, relative luminance)."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"
