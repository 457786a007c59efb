"""The charts of a sweep: a curve for each figure, or a heat map where two settings with numbers were varied."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from meshsim.experiments.sweep_result import number
from meshsim.report.charts import heat_map, sweep_curve
from meshsim.report.page.drawings import Drawing, Group, draw
from meshsim.report.page.wording import figure_words

if TYPE_CHECKING:
    import pandas as pd

    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.sweep_result import Sweep

MOST_SHOWN = 4
"""Figures that stand in the open, those of thresholds first; the others behind a heading."""
GOODPUT, LATENCY_MEAN = "goodput:rate", "latency:avg"
"""What the knee of a load curve is found from."""


def sweep_group(comparison: Comparison) -> Group | None:
    """The curves and heat maps; None where nothing was varied."""
    if comparison.kind != "sweep" or not comparison.manifest["axes"]:
        return None
    sweep = cast("Sweep", comparison)
    axes = _axes(sweep)
    names = [str(name) for name in comparison.manifest["figures"]]
    found = [one for at, name in enumerate(names) for one in _of_figure(sweep, name, at, axes)]
    first = [one for one in found if int(one.key.split("-")[1]) < MOST_SHOWN]
    intro = f"{len(comparison.variants)} points: {_listed(sweep, axes)}. Each point is the mean of its replications."
    return Group("sweep", "The sweep", intro, first, found[len(first) :], f"{len(names) - MOST_SHOWN} more figures")


def _axes(comparison: Sweep) -> list[str]:
    """The settings that were varied, those with numbers first, in the order of the file."""
    texts = {path: _texts(comparison, path) for path in comparison.axes}
    return sorted(comparison.axes, key=lambda path: not all(math.isfinite(number(text)) for text in texts[path]))


def _texts(comparison: Sweep, path: str) -> list[str]:
    points = comparison.manifest["points"]
    return list(dict.fromkeys(str(point["settings"][path]) for point in points if path in point["settings"]))


def _listed(comparison: Sweep, axes: list[str]) -> str:
    said = []
    for path in axes:
        texts = _texts(comparison, path)
        values = ", ".join(texts) if len(texts) <= 8 else f"{texts[0]} to {texts[-1]} ({len(texts)} values)"
        said.append(f"{path} is {values}")
    return "; ".join(said)


def _of_figure(comparison: Sweep, name: str, at: int, axes: list[str]) -> list[Drawing]:
    points = comparison.curve(name, axes[0])
    title, made = figure_words(name), []
    is_matrix = points["y"].notna().any()
    for order, line in enumerate(dict.fromkeys(points["line"])) if is_matrix else ():
        mine = points[points["line"] == line]
        of: dict[str, Any] = {"figure": name, "axis_x": axes[0], "axis_y": axes[1]}
        chart = partial(heat_map.heat_map, mine, **of)
        made.append(draw(f"map-{at}-{order}", f"{title}{f', {line}' if line else ''}", chart, heat_map.reading(mine, **of)))
    if is_matrix:
        second = axes[1].rpartition(".")[2]
        points = points.assign(line=[_line(second, *row) for row in zip(points["y_text"], points["line"], strict=True)])
    knee = _knee(comparison, axes[0])
    if knee:
        points = _with(points, *(comparison.curve(figure, axes[0]) for figure in knee.values()))
    chart = partial(sweep_curve.sweep_curve, points, figure=name, axis_x=axes[0], **knee)
    made.append(draw(f"curve-{at}", title, chart, sweep_curve.reading(points, figure=name, axis_x=axes[0], **knee)))
    return made


def _line(second: str, text: str, line: str) -> str:
    return f"{second}={text}" + (f", {line}" if line else "")


def _knee(comparison: Sweep, axis: str) -> dict[str, Any]:
    """What `sweep_curve` takes to mark the knee: only where the load was varied alone, and both figures are there."""
    known = {str(name) for name in comparison.manifest["figures"]}
    is_load = axis.startswith("load.") and axis.rpartition(".")[2] in {"rate", "vus"}
    if len(comparison.axes) > 1 or not is_load or not {GOODPUT, LATENCY_MEAN} <= known:
        return {}
    return {"goodput": GOODPUT, "latency_mean": LATENCY_MEAN}


def _with(points: pd.DataFrame, *others: pd.DataFrame) -> pd.DataFrame:
    """The points of several figures, each once."""
    import pandas as pd  # noqa: PLC0415 — pandas loads only where a frame is asked for

    return pd.concat([points, *others]).drop_duplicates(["figure", "x_text", "line"], ignore_index=True)
