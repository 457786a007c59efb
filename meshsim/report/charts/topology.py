"""Who calls whom: a layered graph of services, with rates, failures and utilisations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from meshsim.report.charts import style
from meshsim.report.charts.call_graph import LINE, PADDING, Box, CallGraph
from meshsim.report.charts.mermaid import OUTSIDE, calls, first, mermaid
from meshsim.report.charts.quantities import amount, digits
from meshsim.report.charts.words import counted, figure_of, say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["mermaid", "reading", "topology"]

FAILURES = LinearSegmentedColormap.from_list("failures", ["#a3aeb9", "#dd8a2e", "#c4143c"])
"""From grey (none) over orange to red: darker is worse, which black and white keeps; seen on white and on dark grey."""
_LEGEND = 48.0
_WIDEST = 6.0
_NARROWEST = 300.0
_PAGE = 72 * style.WIDTH_IN - 8


@style.styled
def topology(edges: pd.DataFrame, nodes: pd.DataFrame, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
    """The call graph of one variant: wider lines carry more tries, darker ones fail more, boxes say how busy a service is.

    Args:
        edges: Frame `edges`: variant, replication, caller, service, attempts_per_s, error_share (0 to 1).
        nodes: Frame `nodes`: variant, replication, service, utilisation (0 to 1).
        ax: Where to draw; None makes a figure as high as the graph needs.
        variant: Whose graph; None for the first.

    Returns:
        The axes, in points of the drawing, callers on the left.
    """
    rates = calls(edges, variant)
    if rates.empty:
        return say_nothing(style.axes(ax, height=0.6))
    busy = nodes[nodes["variant"] == (first(edges) if variant is None else variant)].groupby("service")["utilisation"].mean()
    pairs = [(str(caller), str(service)) for caller, service in zip(rates["caller"], rates["service"], strict=True)]
    graph = CallGraph(pairs, {str(name): float(share) for name, share in busy.items()})
    width, height = max(graph.width, _NARROWEST), graph.height + _LEGEND
    ax = style.axes(ax, height=(height * min(1.0, _PAGE / width) / 72 + 0.1) / style.HEIGHT_IN)
    scale = _prepare(ax, width, height)
    most = float(rates["attempts_per_s"].max())
    colours = ScalarMappable(Normalize(0, _ceiling(float(rates["error_share"].max()))), FAILURES)
    shift = (width - graph.width) / 2
    for edge, rate, share in zip(pairs, rates["attempts_per_s"], rates["error_share"], strict=True):
        arrow = FancyArrowPatch(
            path=graph.track(edge, shift),
            arrowstyle="-|>",
            mutation_scale=(5 + 1.5 * _thickness(rate, most)) * scale,
            linewidth=_thickness(rate, most) * scale,
            linestyle="--" if graph.is_backward(edge) else "-",
            color=FAILURES(colours.norm(share) if share > 0 else 0.0),
            shrinkA=0,
            shrinkB=0,
            label=f"{edge[0]} to {edge[1]}",
        )
        ax.add_patch(arrow)
    for name, box in graph.boxes.items():
        _draw_box(ax, box, shift, scale, is_outside=name in OUTSIDE)
    _explain(ax, colours, most, (width, height), scale)
    return ax


def reading(edges: pd.DataFrame, nodes: pd.DataFrame, *, variant: str | None = None) -> str:
    """One sentence: how many services, which is the busiest, and where most tries fail."""
    graph = calls(edges, variant)
    if graph.empty:
        return "Topology: nothing was measured."
    of = first(edges) if variant is None else variant
    services = [name for name in dict.fromkeys([*graph["caller"], *graph["service"]]) if name not in OUTSIDE]
    said = [f"{counted(len(services), 'service')} and {counted(len(graph), 'call path')} with {of}"]
    busy = nodes[(nodes["variant"] == of) & nodes["service"].isin(services)].groupby("service")["utilisation"].mean().dropna()
    if not busy.empty:
        said.append(f"the busiest is {busy.idxmax()} with {amount(float(busy.max()), 'share')} of its workers held")
    failing = graph[graph["error_share"] > 0]
    if failing.empty:
        said.append("no try failed" if graph["error_share"].notna().any() else "nothing was sent")
    else:
        worst = failing.sort_values("error_share", ascending=False, kind="stable").iloc[0]
        share = amount(float(worst["error_share"]), "share")
        said.append(f"the largest share of failed tries is {share}, from {worst['caller']} to {worst['service']}")
    return "; ".join(said) + "."


def _prepare(ax: Axes, width: float, height: float) -> float:
    """Axes in points of the drawing, from the top down; how much smaller than drawn they are shown."""
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    ax.set_aspect("equal", anchor="N")
    figure = figure_of(ax)
    figure.draw_without_rendering()
    room = ax.get_window_extent()
    return min(1.0, room.width / figure.dpi * 72 / width, room.height / figure.dpi * 72 / height)


def _thickness(rate: float, most: float) -> float:
    """Points; the square root keeps the rare calls visible."""
    return 0.8 + (_WIDEST - 0.8) * math.sqrt(rate / most) if rate > 0 else 0.5


def _ceiling(share: float) -> float:
    """End of the colour scale: a round share, 1 % at least."""
    if not share > 0.01:
        return 0.01
    step = 10.0 ** math.floor(math.log10(share))
    return min(1.0, next(round(step * times, 6) for times in (1, 2, 3, 5, 10) if step * times >= share * (1 - 1e-9)))


def _draw_box(ax: Axes, box: Box, shift: float, scale: float, *, is_outside: bool) -> None:
    left = box.left + shift
    rounding = box.height / 2 if is_outside else 3
    outline = FancyBboxPatch(
        (left, box.top),
        box.width,
        box.height,
        boxstyle=f"round,pad=0,rounding_size={rounding}",
        fill=False,
        edgecolor=style.INK,
        linewidth=0.8 * scale,
        zorder=3,
    )
    ax.add_patch(outline)
    if box.utilisation > 0:
        held = Rectangle(
            (left, box.top),
            box.width * min(1.0, box.utilisation),
            box.height,
            facecolor="#0072B2",
            alpha=0.22,
            linewidth=0,
            zorder=2.9,
        )
        ax.add_patch(held)
        held.set_clip_path(outline)
    for at, line in enumerate(box.lines):
        ax.text(
            left + box.width / 2,
            box.top + PADDING + (at + 0.5) * LINE,
            line,
            ha="center",
            va="center_baseline",
            fontsize=style.FONT_SIZE * scale,
            zorder=4,
        )


def _explain(ax: Axes, colours: ScalarMappable, most: float, size: tuple[float, float], scale: float) -> None:
    """Below the graph: what the widths mean, and the colours."""
    width, height = size
    text: dict[str, Any] = {"fontsize": style.FONT_SIZE * scale, "va": "center_baseline"}
    top = height - _LEGEND + 12
    ax.text(4, top, "tries per second", **text)
    samples = [one for one in (_round_down(most), _round_down(most / 10)) if one > 0]
    at = 4.0
    for sample in samples:
        ax.plot(
            [at, at + 22], [top + 15] * 2, color=FAILURES(0.0), linewidth=_thickness(sample, most) * scale, solid_capstyle="butt"
        )
        ax.text(at + 26, top + 15, digits(sample), **text)
        at += 62
    breadth = min(width * 0.42, 150.0)
    left = width - breadth - 16
    ax.text(left, top, "tries that failed", **text)
    scale_axes = ax.inset_axes((left / width, 1 - (top + 19) / height, breadth / width, 8 / height))
    bar = figure_of(ax).colorbar(colours, cax=scale_axes, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.xaxis.set_major_locator(MaxNLocator(3))
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{digits(share * 100)} %"))
    bar.ax.tick_params(labelsize=style.FONT_SIZE * scale, length=2, pad=1)


def _round_down(rate: float) -> float:
    if not rate > 0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(rate))
    return max(step * times for times in (1, 2, 5) if step * times <= rate * (1 + 1e-9))
