"""Charts of structure: what is drawn is what was given, all of it is in the picture, and the sentence under it is true."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import frames
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

from meshsim.report.charts import forest, heat_map, layers, style, sweep_curve, topology, waterfall, where_time_goes
from meshsim.report.charts.quantities import MINUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CROSS = "\N{MULTIPLICATION SIGN}"
LONG = "a-service-with-a-name-that-goes-on-and-on"
P99 = {"figure": "latency:p(99)", "axis_x": "load.shoppers.rate"}
MATRIX = {**P99, "axis_y": "mesh.traffic.payment.retries.num_retries"}
BOUTIQUE = (
    ("(client)", "(gateway)", 500.0, 0.01),
    ("(gateway)", "frontend", 500.0, 0.01),
    ("frontend", "productcatalogservice", 900.0, 0.0),
    ("frontend", "currencyservice", 1400.0, 0.0),
    ("frontend", "cartservice", 600.0, 0.0),
    ("frontend", "recommendationservice", 300.0, 0.02),
    ("frontend", "shippingservice", 200.0, 0.0),
    ("frontend", "adservice", 350.0, 0.0),
    ("frontend", "checkoutservice", 25.0, 0.12),
    ("recommendationservice", "productcatalogservice", 300.0, 0.0),
    ("checkoutservice", "paymentservice", 40.0, 0.3),
    ("checkoutservice", "emailservice", 25.0, 0.0),
    ("checkoutservice", "cartservice", 50.0, 0.0),
    ("checkoutservice", "shippingservice", 50.0, 0.0),
    ("checkoutservice", "currencyservice", 75.0, 0.0),
    ("checkoutservice", "productcatalogservice", 75.0, 0.0),
)


def edges(*calls: tuple[str, str, float, float]) -> pd.DataFrame:
    columns = ["variant", "replication", "caller", "service", "attempts_per_s", "error_share"]
    return pd.DataFrame([("v", 0, *call) for call in calls], columns=columns)


def nodes(calls: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in dict.fromkeys([*calls["caller"], *calls["service"]]) if name != "(client)"]
    return pd.DataFrame({"variant": "v", "replication": 0, "service": names, "utilisation": np.linspace(0.05, 0.97, len(names))})


def boutique() -> Axes:
    calls = edges(*BOUTIQUE)
    return topology.topology(calls, nodes(calls))


def cyclic() -> Axes:
    calls = edges(
        *BOUTIQUE,
        ("paymentservice", "frontend", 30.0, 0.2),
        ("adservice", "adservice", 9.0, 0.0),
        ("adservice", LONG, 9.0, math.nan),
    )
    return topology.topology(calls, nodes(calls))


def knee_points(lines: dict[str, float]) -> pd.DataFrame:
    """M/M/1 with the service rates given, swept from a tenth of 1000/s on."""
    rows = []
    for line, capacity in lines.items():
        for load in range(100, 1000, 100):
            mean = 1 / (capacity - load)
            figures = (
                ("goodput:rate", "rate", float(load)),
                ("latency:mean", "duration", mean),
                ("latency:p(99)", "duration", 4.6 * mean),
            )
            rows += [(float(load), f"{load}/s", line, *figure, figure[2] * 0.9, figure[2] * 1.1) for figure in figures]
    return pd.DataFrame(rows, columns=["x", "x_text", "line", "figure", "quantity", "value", "low", "high"])


def awkward_figures() -> pd.DataFrame:
    table = frames.figures()
    base_zero, missing = table["figure"].str.contains("p\\(50"), table["figure"].str.contains("retry")
    table.loc[base_zero, ["relative", "relative_low", "relative_high"]] = math.inf
    table.loc[missing, ["difference", "relative", "relative_low", "relative_high"]] = math.nan
    table["figure"] = table["figure"].str.replace("checkout", LONG)
    table["variant"] = table["variant"].replace("budget", "retry-budget-of-20-percent-and-a-timeout-per-try")
    return table


def many_tries(count: int = 75) -> pd.DataFrame:
    rows = []
    for span in range(count):
        start = span * 0.01
        service = ("checkoutservice", "productcatalogservice", LONG)[span % 3]
        named = ("v", 0, 1, span, (span - 1) // 3 if span else -1, min(span, 4), service, "/get/product", 1 + span % 3)
        ended = (503, "UF") if span % 9 == 4 else (200, "-")
        rows.append((*named, "service", start, start + 0.02, *ended))
        rows.append((*named, "network", start + 0.02, start + 0.03 + span * 1e-4, *ended))
    columns = ["variant", "replication", "request", "span", "parent", "depth", "service", "operation", "attempt"]
    return pd.DataFrame(rows, columns=[*columns, "stage", "from_s", "until_s", "status", "response_flags"])


def with_holes() -> pd.DataFrame:
    points = frames.points(is_matrix=True)
    points.loc[[3, 10], "value"] = math.nan
    return points.drop(20)


DRAWINGS: dict[str, Callable[[], Axes]] = {
    "stages": lambda: where_time_goes.where_time_goes(frames.stages()),
    "stages of services": lambda: where_time_goes.where_time_goes(frames.stages(), by="service", route="checkout"),
    "stages with long names": lambda: where_time_goes.where_time_goes(frames.stages(("as-is", LONG, f"{LONG} too"))),
    "topology": lambda: topology.topology(frames.edges(), frames.nodes(), variant="budget"),
    "topology of Online Boutique": boutique,
    "topology with cycles": cyclic,
    "sweep": lambda: sweep_curve.sweep_curve(frames.points(), **P99),
    "sweep with a knee": lambda: sweep_curve.sweep_curve(
        knee_points({"": 1000.0}), **P99, goodput="goodput:rate", latency_mean="latency:mean"
    ),
    "sweep with nine lines": lambda: sweep_curve.sweep_curve(
        frames.points([f"{at} retries, {at}00ms" for at in range(9)]), **P99
    ),
    "matrix": lambda: heat_map.heat_map(with_holes(), **MATRIX),
    "waterfall": lambda: waterfall.waterfall(frames.spans()),
    "waterfall of 75 tries": lambda: waterfall.waterfall(many_tries()),
    "forest": lambda: forest.forest(frames.figures()),
    "forest of one variant": lambda: forest.forest(frames.figures(), variant="budget"),
    "forest with gaps": lambda: forest.forest(awkward_figures()),
}
every_drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)


@pytest.fixture(autouse=True)
def _no_windows() -> Iterator[None]:
    with style.off_screen():
        yield


def texts(figure: Figure) -> list[Text]:
    """All that is drawn; ticks outside the axes' limits are not."""
    unseen = set()
    for ax in figure.findobj(lambda one: hasattr(one, "xaxis")):
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = (high - low) * 1e-6
            for tick in axis.get_major_ticks():
                if not low - slack <= tick.get_loc() <= high + slack:
                    unseen |= {tick.label1, tick.label2}
        if not ax.axison:
            unseen |= {*ax.xaxis.findobj(Text), *ax.yaxis.findobj(Text)}
    return [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip() and one not in unseen]


@every_drawing
def test_all_text_is_in_the_picture_and_none_lies_on_another(draw: Callable[[], Axes]) -> None:
    figure = draw().get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    found = [(one.get_text(), one.get_window_extent()) for one in texts(figure)]
    page = figure.bbox

    assert [
        text
        for text, box in found
        if box.x0 < page.x0 - 0.5 or box.x1 > page.x1 + 0.5 or box.y0 < page.y0 - 0.5 or box.y1 > page.y1 + 0.5
    ] == []
    overlapping = [
        (one, other)
        for (one, a), (other, b) in combinations(found, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2.5
    ]
    assert overlapping == []


@every_drawing
def test_text_is_five_points_high_or_more_on_half_of_a4(draw: Callable[[], Axes]) -> None:
    figure = draw().get_figure(root=True)
    assert figure is not None

    assert min(one.get_fontsize() for one in texts(figure)) * 85 / (figure.get_figwidth() * 25.4) >= 5


@every_drawing
def test_the_svg_is_the_same_bytes_twice(draw: Callable[[], Axes]) -> None:
    assert style.svg(draw().figure, prefix="a") == style.svg(draw().figure, prefix="a")


def test_bars_are_as_long_as_the_mean_of_the_replications() -> None:
    stages = frames.stages()
    ax = where_time_goes.where_time_goes(stages, route="checkout")

    drawn = {(round(bar.get_y() + bar.get_height() / 2), round(bar.get_width(), 12)) for bar in ax.patches}
    expected = stages[stages["route"] == "checkout"].groupby(["variant", "stage", "replication"])["mean_s"].sum()
    means = expected.groupby(["variant", "stage"]).mean()
    assert {(list(frames.VARIANTS).index(variant), round(value, 12)) for (variant, _), value in means.items()} == drawn


def test_parts_of_the_slow_requests_sum_to_their_latency_whatever_the_parts() -> None:
    stages = frames.stages()
    by_stage = where_time_goes.parts_of(stages, route="(all)", by="stage").sum(axis=1)
    by_service = where_time_goes.parts_of(stages, route="(all)", by="service", most=2).sum(axis=1)

    assert by_stage.to_list() == pytest.approx(by_service.to_list())


def test_a_wider_edge_carries_more_and_each_call_path_is_drawn_once() -> None:
    arrows = {one.get_label(): one.get_linewidth() for one in boutique().patches if isinstance(one, FancyArrowPatch)}

    assert len(arrows) == len(BOUTIQUE)
    assert arrows["frontend to currencyservice"] > arrows["frontend to adservice"] > arrows["checkoutservice to emailservice"]


def test_a_caller_stands_left_of_whom_it_calls_and_a_cycle_is_cut_once() -> None:
    calls = [(caller, service) for caller, service, *_ in BOUTIQUE]
    found = layers.layered([*calls, ("paymentservice", "frontend"), ("adservice", "adservice")])
    column = {name: at for at, names in enumerate(found.columns) for name in names}

    assert found.backward == [("adservice", "adservice"), ("paymentservice", "frontend")]
    assert all(column[caller] < column[service] for caller, service in calls)


def test_a_ring_without_a_beginning_has_layers_too() -> None:
    found = layers.layered([("a", "b"), ("b", "c"), ("c", "a")])

    assert (found.columns, found.backward) == ([["a"], ["b", ("c", "a", 1)], ["c"]], [("c", "a")])


def test_mermaid_has_a_line_for_each_service_and_each_call() -> None:
    calls = edges(("(client)", "web", 120.0, 0.0), ("web", 'pay "eu"', 30.0, 0.25), ("web", "ads", 0.0, math.nan))

    assert topology.mermaid(calls, "v") == (
        "flowchart LR\n"
        '  n0(["client"])\n'
        '  n1["web"]\n'
        '  n2["pay #quot;eu#quot;"]\n'
        '  n3["ads"]\n'
        '  n0 -->|"120/s"| n1\n'
        '  n1 -->|"30/s, 25 % failed"| n2\n'
        '  n1 -->|"0/s"| n3\n'
        "  linkStyle 1 stroke:#c4143c,color:#c4143c\n"
    )


def test_the_knee_of_mm1_is_at_half_its_capacity() -> None:
    """Power is load * (capacity - load): Kleinrock 1979."""
    load = np.arange(50, 1000, 50)

    assert sweep_curve.knee(load, load, 1 / (1000.0 - load)) == 500


def test_the_knee_needs_a_point_and_takes_the_lowest_of_equals() -> None:
    assert math.isnan(sweep_curve.knee([1.0, 2.0], [1.0, 2.0], [math.nan, 0.0]))
    assert sweep_curve.knee([3.0, 1.0, 2.0], [2.0, 2.0, math.nan], [0.5, 0.5, 0.1]) == 1


def test_a_sweep_draws_its_values_its_intervals_and_its_knee() -> None:
    points = knee_points({"": 1000.0})
    names = {"goodput": "goodput:rate", "latency_mean": "latency:mean"}
    ax = sweep_curve.sweep_curve(points, **P99, **names)
    p99 = points[points["figure"] == "latency:p(99)"]

    curve, ring = ax.lines
    assert curve.get_xydata().tolist() == p99[["x", "value"]].to_numpy().tolist()
    assert [list(one) for one in ring.get_data()] == [[500.0], [4.6 / 500]]
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (p99["low"].min(), p99["high"].max())
    assert sweep_curve.reading(points, **P99, **names) == (
        "latency:p(99) is between 5.11 ms (at 100/s) and 46 ms (at 900/s), its knee at 500/s (load.shoppers.rate)."
    )


def test_a_matrix_has_its_values_in_its_cells_and_hatches_what_is_missing() -> None:
    ax = heat_map.heat_map(with_holes(), **MATRIX)
    table, _ = heat_map.matrix(with_holes(), "latency:p(99)")
    cells = {one.get_position(): one.get_text() for one in ax.texts}

    assert cells[0, 0] == "0.0952"
    assert table.iloc[0, 0] == pytest.approx(0.0952, rel=1e-3)
    assert [place for place, text in cells.items() if text == "missing"] == [(5, 0), (2, 2), (0, 3)]
    assert sum(one.get_hatch() is not None for one in ax.patches if isinstance(one, Rectangle)) == 3
    assert heat_map.reading(with_holes(), **MATRIX).endswith("; 3 cells of 24 were not measured.")


def test_a_waterfall_has_a_bar_for_each_stage_where_it_was() -> None:
    spans = frames.spans()
    ax = waterfall.waterfall(spans)
    bars = [(round(one.get_y() + one.get_height() / 2), one.get_x(), one.get_width()) for one in ax.patches if one.get_fill()]

    assert bars == [
        (span, start, end - start) for span, start, end in spans[["span", "from_s", "until_s"]].itertuples(index=False)
    ]
    assert [one.get_text().strip("\N{NO-BREAK SPACE}") for one in ax.get_yticklabels()][-2:] == [
        "payment charge (try 2)",
        "payment charge (try 3)",
    ]
    assert [one.get_text() for one in ax.texts] == [f"{CROSS} URX,UT"] * 3 + [f"{CROSS} UT"] * 3


def test_a_waterfall_shows_the_sixty_longest_tries() -> None:
    ax = waterfall.waterfall(many_tries())

    assert len(ax.get_yticks()) == 60
    assert ax.get_xlabel().endswith("(15 shortest of 75 left out)")


def test_a_forest_is_hollow_where_the_difference_may_be_noise() -> None:
    figures = frames.figures()
    ax = forest.forest(figures, variant="no-retries")
    marks = [one for one in ax.lines if one.get_marker() == "o"]
    rows = figures[figures["variant"] == "no-retries"]

    assert [one.get_xdata()[0] for one in marks] == rows["relative"].to_list()
    assert [one.get_markerfacecolor() != "none" for one in marks] == rows["is_distinct"].to_list()
    assert [one.get_markeredgecolor() for one in marks] == [
        forest.COLOURS[one] for one in ("same", "better", "worse", "same", "better")
    ]


def test_a_difference_to_zero_is_told_in_its_own_unit() -> None:
    said = [row.text for row in forest.rows_of(awkward_figures(), "no-retries")]

    assert said[0] == f"{MINUS}600 µs, from 0"
    assert said[4] == "not measured"


@pytest.mark.parametrize(
    ("draw", "read", "frame", "options"),
    [
        (where_time_goes.where_time_goes, where_time_goes.reading, frames.stages(), {}),
        (sweep_curve.sweep_curve, sweep_curve.reading, frames.points(), P99),
        (heat_map.heat_map, heat_map.reading, frames.points(), MATRIX),
        (waterfall.waterfall, waterfall.reading, frames.spans(), {}),
        (forest.forest, forest.reading, frames.figures(), {}),
    ],
)
def test_an_empty_frame_says_so(
    draw: Callable[..., Axes], read: Callable[..., str], frame: pd.DataFrame, options: dict[str, str]
) -> None:
    assert [one.get_text() for one in draw(frame.iloc[:0], **options).texts] == ["nothing was measured"]
    assert read(frame.iloc[:0], **options).endswith(("nothing was measured.", "nothing was compared."))


def test_an_empty_topology_says_so() -> None:
    nothing = frames.edges().iloc[:0]

    assert [one.get_text() for one in topology.topology(nothing, frames.nodes()).texts] == ["nothing was measured"]
    assert topology.reading(nothing, frames.nodes()) == "Topology: nothing was measured."
    assert topology.mermaid(nothing) == "flowchart LR\n"
