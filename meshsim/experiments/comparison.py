"""What came of a comparison, a sweep, or a run: figures with intervals, tables, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from meshsim.experiments import judgement
from meshsim.experiments.failures import failures
from meshsim.experiments.faults import faults
from meshsim.experiments.notes import notes
from meshsim.experiments.places import SCENARIO
from meshsim.experiments.plotting import plots_of
from meshsim.experiments.replications import Replications
from meshsim.experiments.run import Experiment
from meshsim.experiments.store import folder_of
from meshsim.scenario.changes import Change, changes
from meshsim.scenario.figure import Figure, parse_figure, parse_gate
from meshsim.scenario.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from meshsim.experiments.judgement import GateVerdict, Standing


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Variants of a scenario under the same requests, or the points of a sweep; the first is the baseline."""

    directory: Path
    manifest: dict[str, Any]

    @property
    def kind(self) -> str:
        """`comparison`, `sweep`, or `run`."""
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """Of the scenario."""
        return str(self.manifest["scenario"])

    @property
    def description(self) -> str:
        """The question that the scenario asks."""
        return str(self.manifest["description"])

    @property
    def variants(self) -> tuple[str, ...]:
        """Names, the baseline first."""
        return tuple(one["name"] for one in self.manifest["points"])

    @property
    def baseline(self) -> str:
        """What the others are compared with."""
        return self.variants[0]

    @property
    def replications(self) -> int:
        """Of each variant."""
        return int(self.manifest["replications"])

    @property
    def confidence(self) -> float:
        """Of all intervals."""
        return float(self.manifest["confidence"])

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        """The scenario of each variant."""
        found = {}
        for one in self.manifest["points"]:
            found[one["name"]] = Experiment(load(self.directory / one["folder"] / SCENARIO))
        return found

    @cached_property
    def kept(self) -> dict[str, Replications]:
        """The replications of each variant."""
        found = {}
        for one in self.manifest["points"]:
            if self.kind == "run":
                places = [self.directory / folder for folder in one["folders"]]
            else:
                places = [folder_of(self.directory, one["folder"], number) for number in range(self.replications)]
            found[one["name"]] = Replications(tuple(places))
        return found

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """What the table shows."""
        return tuple(parse_figure(text) for text in self.manifest["figures"])

    @cached_property
    def until_figures(self) -> tuple[Figure, ...]:
        """What had to be precise."""
        return tuple(parse_figure(text) for text in (self.manifest["until"] or {"metrics": []})["metrics"])

    def table(self) -> pd.DataFrame:
        """One row for each figure and variant: value with interval, and paired difference to the baseline with interval.

        Columns: figure, variant, quantity, value, low, high, method, note, difference, difference_low, difference_high,
        relative, relative_low, relative_high, is_distinct, better, replications (of the interval). Durations in s, rates per s, shares from 0 to 1.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = [row for figure in self.figures for row in judgement.rows(figure, self.kept, self.confidence)]
        return pd.DataFrame(rows)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Each threshold of each variant."""
        return tuple(
            judgement.standing(metric, condition, name, self.kept[name], self.confidence)
            for name, experiment in self.experiments.items()
            for metric, conditions in experiment.scenario.thresholds.items()
            for condition in conditions
        )

    def thresholds(self) -> pd.DataFrame:
        """One row for each threshold and variant: metric, condition, variant, value, low, high, observed_text, passed, held.

        `held` is the share of the replications in which it held, `passed` whether the value over all of them does.
        """
        return pd.DataFrame([one.to_dict() for one in self.standings])

    @cached_property
    def gates(self) -> tuple[GateVerdict, ...]:
        """Each gate for each variant but the baseline."""
        return tuple(
            judgement.gate(parse_gate(text), name, self.kept[self.baseline], self.kept[name], self.confidence)
            for text in self.manifest["gates"]
            for name in self.variants[1:]
        )

    @cached_property
    def verdict(self) -> str:
        """What it comes to, in a sentence or two."""
        return judgement.verdict(self.variants, self.standings, self._table)

    @property
    def holding(self) -> tuple[str, ...]:
        """The variants that hold all their thresholds."""
        crossed = {one.variant for one in self.standings if not one.passed}
        return tuple(name for name in self.variants if name not in crossed)

    @property
    def passed(self) -> bool:
        """Whether some variant holds all its thresholds, and no gate is crossed."""
        return bool(self.holding) and not any(one.crossed for one in self.gates)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What one should know before believing the figures."""
        return notes(self)

    def changes(self) -> dict[str, list[Change]]:
        """What each variant says differently from the baseline."""
        first = self.experiments[self.baseline].loaded
        return {name: changes(first, self.experiments[name].loaded) for name in self.variants[1:]}

    def routes(self) -> pd.DataFrame:
        """The mean over replications of each variant's figures by route; columns as `Summary.routes_frame`, and `variant`."""
        return self._mean("routes_frame", "route")

    def services(self) -> pd.DataFrame:
        """The mean over replications of each variant's figures by service; columns as `Summary.services_frame`, and `variant`."""
        return self._mean("services_frame", "service")

    def destinations(self) -> pd.DataFrame:
        """The same by caller and destination; columns as `Summary.destinations_frame`."""
        return self._mean("destinations_frame", "destination")

    def filters(self) -> pd.DataFrame:
        """The same by filter; columns as `Summary.filters_frame`."""
        return self._mean("filters_frame", "filter_name")

    def failures(self) -> pd.DataFrame:
        """Why requests failed: a row for each way in which those of a route failed, the most frequent of a variant first.

        Columns: variant, route, status (0 where the client gave up), grpc_status, response_flags, origin (the service where it began; None for the
        gateway and the client), origin_flags, requests (over all replications), share (of the route's requests).
        """
        return failures(self.kept)

    @cached_property
    def latency(self) -> pd.DataFrame:
        """Latencies as a histogram: variant, replication, route, latency_s (middle of the bin), requests."""
        rows = []
        for variant, kept in self.kept.items():
            for replication, summary in enumerate(kept.summaries):
                for route in summary.routes:
                    middles_s, counts = route.latency.counted()
                    rows.append(
                        pd.DataFrame(
                            {
                                "variant": variant, "replication": replication, "route": route.route, "latency_s": middles_s,
                                "requests": counts,
                            }
                        )
                    )  # fmt: skip
        return pd.concat(rows, ignore_index=True)

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """Rates, quantiles and requests in flight by interval and route."""
        return self._section("timeline")

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Failed requests by interval, route and flag."""
        return self._section("errors")

    @cached_property
    def services_over_time(self) -> pd.DataFrame:
        """Calls, attempts, utilisation and queue by interval and service."""
        return self._section("services")

    @cached_property
    def edges(self) -> pd.DataFrame:
        """Who called whom, how often and with what success."""
        return self._section("edges")

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Services and gateway: utilisation, attempts, errors."""
        return self._section("nodes")

    @cached_property
    def stages(self) -> pd.DataFrame:
        """Where the time goes on the slowest 1 % of the requests, by service and stage."""
        return self._section("stages")

    @cached_property
    def spans(self) -> pd.DataFrame:
        """A slow request of the first replication of each variant, piece by piece."""
        return self._section("spans")

    @cached_property
    def faults(self) -> pd.DataFrame:
        """What goes wrong when: variant, from_s, until_s, label.

        Faults by chance are among them where there is one replication: in each they come at other times.
        """
        return faults(self.experiments, self.manifest)

    def _section(self, name: str) -> pd.DataFrame:
        frames = []
        for variant, kept in self.kept.items():
            frame = kept.table(name)
            frame.insert(0, "variant", variant)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True).infer_objects()  # the columns of an empty one are text

    def _mean(self, frame: str, index: str) -> pd.DataFrame:
        frames = []
        for variant, kept in self.kept.items():
            every = pd.concat([getattr(summary, frame)() for summary in kept.summaries])
            mean = every.groupby(level=0, sort=False).mean()
            mean.insert(0, "variant", variant)
            frames.append(mean)
        joined: pd.DataFrame = pd.concat(frames).rename_axis(index)
        return joined

    @property
    def plot(self) -> Any:
        """Charts: `comparison.plot.latency()`; see `meshsim.report.plots.Plots`."""
        return plots_of(self)

    def __repr__(self) -> str:
        things = "points" if self.kind == "sweep" else "variants"
        return f"<{self.kind.capitalize()} of {self.name}: {len(self.variants)} {things}, {self.replications} replications each>"

    def _repr_html_(self) -> str:
        """The comparison in a notebook's cell: verdict, thresholds, figures."""
        frame = judgement.shown(self._table)
        thresholds = self.thresholds()
        judged = ""
        if len(thresholds):
            held = thresholds.assign(held=thresholds["passed"].map({True: "✓ ", False: "✗ "}) + thresholds["observed_text"])
            held["threshold"] = held["metric"] + " " + held["condition"]
            judged = held.pivot_table(index="threshold", columns="variant", values="held", aggfunc="first", sort=False).to_html()
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p><b>{escape(self.name)}</b>: {escape(self.verdict)}</p>{judged}{frame.to_html(index=False)}<ul>{notes}</ul>"
