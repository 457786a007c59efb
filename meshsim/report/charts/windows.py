"""Shaded parts of a time axis: faults, and the warm-up that is not measured. Their names stand above the axes, in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts.ink import CHARACTER_POINTS, INK, ROW_POINTS
from meshsim.report.charts.labels import names_width
from meshsim.report.charts.words import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MARK = "meshsim window"
_MOST_LENGTH = 48
_MOST_NAMED = 3
"""Of more windows with the same label only the first is named."""
_Y_AXIS_POINTS = 56.0
"""What ticks and name of the y axis take of the width."""


def title_row(ax: Axes, text: str, *, is_first: bool) -> None:
    """Write a title in the lowest row above one of several panels, from its left edge; to be called before the windows are drawn.

    Args:
        ax: Axes with time in seconds along x.
        text: The title.
        is_first: Whether the windows are named here: their names stand above the title then.
    """
    ax.annotate(
        text,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        ha="left",
        va="bottom",
        annotation_clip=False,
        gid=f"{_MARK} 0 0 1" if is_first else None,
    )


def fault_windows(ax: Axes, faults: pd.DataFrame | None, *, is_named: bool = True) -> None:
    """Shade the time of each fault and write its name above; call it when the limits of the time axis and the names of lines are set.

    Args:
        ax: Axes with time in seconds along x.
        faults: `from_s`, `until_s`, `label`; with a column `variant` too, a fault that only some variants have names them. None: nothing.
        is_named: Whether the names are written; not where those of the axes above say it.
    """
    if faults is None or faults.empty:
        return
    everyone = faults["variant"].nunique() if "variant" in faults else 0
    keys = ["from_s", "until_s", "label"]
    windows = faults[keys].drop_duplicates().sort_values(keys)
    again = windows.groupby("label").cumcount().gt(0) & windows.groupby("label")["label"].transform("size").gt(_MOST_NAMED)
    for (start_s, end_s, label), is_again in zip(windows.itertuples(index=False), again, strict=True):
        same = (faults["from_s"] == start_s) & (faults["until_s"] == end_s) & (faults["label"] == label)
        names = [str(name) for name in faults.loc[same, "variant"].unique()] if everyone else []
        only = f" ({', '.join(names)})" if len(names) < everyone else ""
        _window(ax, float(start_s), float(end_s), f"{label}{only}" if is_named and not is_again else "", opacity=0.10)


def warm_up(ax: Axes, until_s: float, *, is_named: bool = True) -> None:
    """Shade the time before the measurement; nothing where it is zero."""
    if until_s > 0:
        _window(ax, ax.get_xlim()[0], until_s, "warm-up" if is_named else "", opacity=0.045)


def _window(ax: Axes, start: float, end: float, label: str, *, opacity: float) -> None:
    low, high = ax.get_xlim()
    start, end = max(start, low), min(end, high)
    if not end > start:
        return
    ax.axvspan(start, end, color=INK, alpha=opacity, linewidth=0, zorder=0.4)
    for edge in (start, end):
        if low < edge < high:
            ax.axvline(edge, color=INK, alpha=0.45, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0.5)
    if label:
        _label(ax, label, (start - low) / (high - low), (end - low) / (high - low))
    ax.set_xlim(low, high)


def _label(ax: Axes, label: str, start: float, end: float) -> None:
    """Write it over the middle of the window, within the axes' width, in the lowest row that has room."""
    figure = ax.get_figure(root=True)
    whole = 72 * (figure.get_figwidth() if figure else 5.2)
    width_points = max(72.0, min(whole - _Y_AXIS_POINTS, whole * ax.get_position().width * 1.15) - names_width(ax))
    label = shortened(label, _MOST_LENGTH)
    width = min(1.0, len(label) * CHARACTER_POINTS / width_points)
    left = min(max((start + end - width) / 2, 0.0), 1 - width)
    others = [text for text in ax.texts if (text.get_gid() or "").startswith(_MARK)]
    taken = [tuple(float(part) for part in str(text.get_gid()).removeprefix(_MARK).split()) for text in others]
    row = 0
    while any(at == row and left < right + 0.01 and begin < left + width + 0.01 for at, begin, right in taken):
        row += 1
    ax.annotate(
        label,
        (left + width / 2, 1.0),
        xycoords="axes fraction",
        xytext=(0, 3 + row * ROW_POINTS),
        textcoords="offset points",
        ha="center",
        va="bottom",
        annotation_clip=False,
        gid=f"{_MARK} {row} {left:.4f} {left + width:.4f}",
    )
