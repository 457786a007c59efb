"""Draws every chart of the gallery: `python docs/gallery/make.py`, from the root of the repository.

The frames are those of the tests, made up and the same each time. Beside each picture stands the sentence that the chart itself computes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "report"))

import frames  # noqa: E402 — found by the path above

from meshsim.report.charts import (  # noqa: E402
    attempts_over_time,
    autoscaling_over_time,
    balance_over_time,
    caches_over_time,
    connection_pools_over_time,
    connections_over_time,
    cpu_over_time,
    decisions_over_time,
    forest,
    heat_map,
    in_flight_over_time,
    latency_ccdf,
    latency_over_time,
    load_over_time,
    message_queues_over_time,
    policies_over_time,
    queue_over_time,
    rollouts_over_time,
    style,
    sweep_curve,
    topology,
    utilisation,
    waterfall,
    where_time_goes,
)

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).resolve().parent
SLOW = {"faults": frames.faults(), "warm_up_s": 20.0}
SWEPT = {"figure": "latency:p(99)", "axis_x": "load.shoppers.rate"}
RETRIES = "mesh.traffic.payment.retries.num_retries"


class Picture(NamedTuple):
    """One chart of the gallery: the module that draws it, what it draws and how."""

    title: str
    chart: ModuleType
    shown: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the chart's function, and of the picture's file."""
        return self.chart.__name__.rpartition(".")[2]


def pictures() -> list[Picture]:
    """All of them, in the order of a report."""
    load, services = frames.timeline(), frames.services()
    matrix = frames.points(("",), is_matrix=True)
    return [
        Picture("Latency distribution", latency_ccdf, (frames.latency(),), {"route": "checkout", "slo_s": 0.8}),
        Picture("Latency over time", latency_over_time, (load,), {"route": "checkout", **SLOW}),
        Picture("Load, goodput and errors", load_over_time, (load, frames.errors()), {"route": "checkout", **SLOW}),
        Picture("Attempts against calls", attempts_over_time, (services,), {"service": "payment", **SLOW}),
        Picture("Requests in flight", in_flight_over_time, (load,), SLOW),
        Picture("Queue length", queue_over_time, (services,), {"service": "payment", **SLOW}),
        Picture("Utilisation", utilisation, (frames.nodes(),), {}),
        Picture("What filters decided", decisions_over_time, (frames.decision_rates(),), SLOW),
        Picture("What policies did", policies_over_time, (frames.policies(),), SLOW),
        Picture("Connections", connections_over_time, (frames.policies(),), SLOW),
        Picture("Balance of the instances", balance_over_time, (frames.balance(),), SLOW),
        Picture("CPU and throttling", cpu_over_time, (frames.cpu(),), {"service": "payment", **SLOW}),
        Picture("What autoscalers did", autoscaling_over_time, (frames.scaling(),), {"service": "payment", **SLOW}),
        Picture("What rollouts did", rollouts_over_time, (frames.rollouts(),), {"service": "payment", **SLOW}),
        Picture(
            "Connection pools", connection_pools_over_time, (frames.connection_pools(),), {"pool": "payment: ledger", **SLOW}
        ),
        Picture("Message queues", message_queues_over_time, (frames.message_queues(),), {"queue": "orders", **SLOW}),
        Picture("Caches", caches_over_time, (frames.caches(),), {"cache": "shop: products", **SLOW}),
        Picture("Where the time goes", where_time_goes, (frames.stages(),), {}),
        Picture("Topology", topology, (frames.edges(), frames.nodes()), {}),
        Picture("A sweep", sweep_curve, (frames.points(),), SWEPT),
        Picture("A matrix of two settings", heat_map, (matrix,), {**SWEPT, "axis_y": RETRIES}),
        Picture("One slow request", waterfall, (frames.spans(),), {}),
        Picture("Paired differences", forest, (frames.figures(),), {}),
    ]


def main() -> None:
    """Write each picture as an SVG that suits light and dark pages, and the page that shows them."""
    lines = [
        "# Gallery",
        "",
        "Made by `python docs/gallery/make.py`. The sentence beside each picture is computed from the same data.",
        "",
    ]
    for picture in pictures():
        said = picture.chart.reading(*picture.shown, **picture.options)
        with style.off_screen():
            ax = getattr(picture.chart, picture.name)(*picture.shown, **picture.options)
        drawn = style.svg(ax.get_figure(root=True), prefix=f"{picture.name}-", alt=said, is_inline=False)
        (HERE / f"{picture.name}.svg").write_text(drawn, encoding="utf-8")
        lines += [f"## {picture.title}", "", f"`meshsim.report.charts.{picture.name}`: {said}", ""]
        lines += [f"![{picture.title}]({picture.name}.svg)", ""]
    (HERE / "index.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
