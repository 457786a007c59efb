"""What the charts of a report are about: which variants, routes and services."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from meshsim.report.charts import recorded
from meshsim.report.page.drawings import MOST_DRAWN
from meshsim.scenario.thresholds import parse_condition, parse_selector
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    import pandas as pd

    from meshsim.experiments.comparison import Comparison

ALL = "(all)"
GATEWAY = "(gateway)"
MOST_ROUTES = 2
"""Routes in the open where no threshold names any: the busiest."""


class Subject:
    """The frames of a comparison, of the variants that are drawn, and what in them deserves a chart."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self.variants = _spread(comparison.variants)

    @cached_property
    def latency(self) -> pd.DataFrame:
        """Frame `latency`."""
        return self._of(self._comparison.latency)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """Frame `timeline`."""
        return self._of(self._comparison.timeline)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Frame `errors`."""
        return self._of(self._comparison.errors)

    @cached_property
    def services(self) -> pd.DataFrame:
        """Frame `services`, over time."""
        return self._of(self._comparison.services_over_time)

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Frame `nodes`."""
        return self._of(self._comparison.nodes)

    @cached_property
    def edges(self) -> pd.DataFrame:
        """Frame `edges`."""
        return self._of(self._comparison.edges)

    @cached_property
    def stages(self) -> pd.DataFrame:
        """Frame `stages`."""
        return self._of(self._comparison.stages)

    @cached_property
    def policies(self) -> pd.DataFrame:
        """Frame `policies`, over time; without a row where no replication kept any."""
        return self._of(recorded.policies(self._comparison))

    @cached_property
    def balance(self) -> pd.DataFrame:
        """Frame `balance`, over time; without a row where no replication kept any."""
        return self._of(recorded.balance(self._comparison))

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """Frame `decision_rates`, over time; without a row where there are no filters."""
        return self._of(recorded.decisions(self._comparison))

    @cached_property
    def scaling(self) -> pd.DataFrame:
        """Frame `scaling`, over time; without a row where there are no autoscalers."""
        return self._of(recorded.scaling(self._comparison))

    @cached_property
    def connection_pools(self) -> pd.DataFrame:
        """Frame `pools`, over time; without a row where there are no connection pools."""
        return self._of(recorded.connection_pools(self._comparison))

    @cached_property
    def message_queues(self) -> pd.DataFrame:
        """Frame `queues`, over time; without a row where there are no message queues."""
        return self._of(recorded.message_queues(self._comparison))

    @cached_property
    def caches(self) -> pd.DataFrame:
        """Frame `caches_over_time`; without a row where there are no caches."""
        return self._of(recorded.caches(self._comparison))

    @cached_property
    def cpu(self) -> pd.DataFrame:
        """Frame `cpu_over_time`; without a row where no service has `cpu`."""
        return self._of(recorded.cpu(self._comparison))

    @cached_property
    def rollouts(self) -> pd.DataFrame:
        """Frame `rollouts`; without a row where no version changes."""
        return self._of(recorded.rollouts(self._comparison))

    @cached_property
    def faults(self) -> pd.DataFrame:
        """Frame `faults`."""
        faults = self._comparison.faults
        return self._of(faults) if "variant" in faults else faults

    @property
    def warm_up_s(self) -> float:
        """What is not measured, in seconds."""
        return float(self._comparison.manifest["warm_up_s"])

    @property
    def intro(self) -> str:
        """Which variants are drawn, where not all are; else empty."""
        count = len(self._comparison.variants)
        if len(self.variants) == count:
            return ""
        things = "points" if self._comparison.kind == "sweep" else "variants"
        return f"Of {count} {things} these {len(self.variants)} are drawn: {', '.join(self.variants)}. "

    @cached_property
    def routes(self) -> list[str]:
        """Those with requests: the ones that thresholds name, then by their load."""
        rows = self.timeline[self.timeline["route"] != ALL]
        load = rows.groupby("route", sort=False)["offered_per_s"].mean()
        busiest = [str(name) for name in load[load > 0].sort_values(ascending=False, kind="stable").index]
        return sorted(busiest, key=lambda name: name not in self._named("route"))

    @cached_property
    def main_routes(self) -> list[str]:
        """Those in the open: the ones that thresholds name, or the busiest."""
        named = [name for name in self.routes if name in self._named("route")]
        return named or self.routes[:MOST_ROUTES]

    def slo_s(self, route: str) -> float | None:
        """What a threshold on a latency of the route promises, in seconds: the one on the highest percentile."""
        found = []
        for metric, conditions in self._thresholds.items():
            selector = parse_selector(metric)
            if selector.metric != "latency" or dict(selector.labels) not in ({"route": route}, {}):
                continue
            for text in conditions:
                condition = parse_condition(text, "latency")
                if condition.operator in {"<", "<="}:
                    found.append((condition.argument or 0.0, condition.limit / NS_PER_S))
        return max(found)[1] if found else None

    @cached_property
    def retried(self) -> str | None:
        """The service with the most attempts for each call, in any variant; None where there are no services."""
        return self._top("retry_amplification")

    @cached_property
    def busiest(self) -> str | None:
        """The service with the highest utilisation, in any variant."""
        return self._top("utilisation")

    @cached_property
    def queued(self) -> str | None:
        """The service with the longest queue in the mean, in any variant."""
        means = self.services.groupby(["service", "variant"], sort=False)["queue"].mean().groupby("service", sort=False).max()
        return str(means.idxmax()) if means.notna().any() else None

    def _top(self, column: str) -> str | None:
        rows = self.nodes[self.nodes["service"] != GATEWAY]
        means = rows.groupby(["service", "variant"], sort=False)[column].mean().groupby("service", sort=False).max()
        return str(means.idxmax()) if means.notna().any() else None

    @cached_property
    def _thresholds(self) -> dict[str, list[str]]:
        return dict(self._comparison.experiments[self.variants[0]].scenario.thresholds)

    def _named(self, label: str) -> set[str]:
        """Names that thresholds have under a label."""
        return {dict(parse_selector(metric).labels).get(label, "") for metric in self._thresholds}

    def _of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Of the variants that are drawn, until the load ends: what comes after is the draining of the last requests."""
        if "time_s" in frame:
            frame = frame[frame["time_s"] < float(self._comparison.manifest["duration_s"])]
        if len(self.variants) == len(self._comparison.variants):
            return frame
        return frame[frame["variant"].isin(self.variants)]


def _spread(variants: tuple[str, ...]) -> tuple[str, ...]:
    """All of them, or as many as a chart holds: the first, the last, and evenly between."""
    if len(variants) <= MOST_DRAWN:
        return variants
    steps = [round(at * (len(variants) - 1) / (MOST_DRAWN - 1)) for at in range(MOST_DRAWN)]
    return tuple(variants[step] for step in steps)
