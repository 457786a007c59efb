"""Which figures a comparison shows when nobody names any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.figure import Figure, of_threshold, parse_figure

if TYPE_CHECKING:
    from meshsim.experiments.run import Experiment


def default_figures(experiments: list[Experiment]) -> list[Figure]:
    """What a table shows when nothing else is asked for: what the thresholds are about, then the usual of all requests."""
    found: dict[str, Figure] = {}
    for experiment in experiments:
        for metric, conditions in experiment.scenario.thresholds.items():
            for condition in conditions:
                figure = of_threshold(metric, condition)
                found.setdefault(str(figure), figure)
    usual = ["latency:p50", "latency:p99", "errors:rate", "goodput:rate", "retry_amplification", "wasted_work"]
    scenarios = [experiment.scenario for experiment in experiments]
    if any(
        fault.begins_ns < one.run.duration and (fault.mtbf or fault.ends_ns(0) < one.run.duration)
        for one in scenarios
        for fault in one.faults
    ):
        usual += ["recovery_time", "requests_lost", "outlived"]
    if any(one.deployment != "none" for one in scenarios):
        usual.append("proxy_cpu")
    if any(one.cost is not None for one in scenarios):
        usual += ["cost:per_hour", "cost:per_million"]
    for text in usual:
        figure = parse_figure(text)
        found.setdefault(str(figure), figure)
    return list(found.values())
