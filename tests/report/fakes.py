"""Comparisons without a run: real scenarios, made-up figures."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import frames
import numpy as np
import pandas as pd

from meshsim.scenario.changes import Change, changes
from meshsim.scenario.load import LoadedScenario, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.experiments.judgement import GateVerdict
    from meshsim.scenario.sections.model import Scenario

SCENARIO: dict[str, Any] = {
    "name": "shop",
    "description": "Does a retry budget keep checkout up while payment is slow?",
    "defaults": "istio-1.29",
    "deployment": "gateway+mesh",
    "load": {
        "shoppers": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "800/s",
            "requests": {"browse": 9, "checkout": 1},
        }
    },
    "gateway": {"routes": {"browse": {"path": "/browse", "to": "frontend"}, "checkout": {"path": "/checkout", "to": "checkout"}}},
    "mesh": {
        "traffic": {"payment": {"retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "600ms"}}},
    },
    "services": {
        "frontend": {"workers": 16, "script": [{"compute": "3ms"}, [{"call": "catalog"}, {"call": "ads"}]]},
        "checkout": {"workers": 8, "script": [{"compute": "9ms"}, {"call": "payment"}]},
        "payment": {"workers": 3, "replicas": 3, "script": [{"compute": "20ms"}]},
        "catalog": {"workers": 8, "script": [{"compute": "6ms"}]},
        "ads": {"workers": 8, "script": [{"compute": "8ms"}]},
    },
    "faults": [{"at": "60s", "for": "30s", "service": "payment", "slow": 5}],
    "variants": {
        "as-is": {},
        "budget": {"mesh": {"traffic": {"payment": {"retry_budget": {"budget_percent": "20%"}}}}},
        "no-retries": {"mesh": {"traffic": {"payment": {"retries": {"num_retries": 0}}}}},
    },
    "run": {"duration": "3m", "warm_up": "20s", "seed": 42},
    "thresholds": {"latency{route:checkout}": ["p(99)<800ms"], "errors{route:checkout}": ["rate<1%"]},
}


@dataclass
class FakeExperiment:
    """A scenario that nobody runs."""

    loaded: LoadedScenario

    @property
    def scenario(self) -> Scenario:
        return self.loaded.scenario


@dataclass
class FakeReplications:
    """Folders with tables in them."""

    places: tuple[Path, ...]


@dataclass
class FakeComparison:
    """What `meshsim.experiments.comparison.Comparison` shows of itself, made up."""

    experiments: dict[str, FakeExperiment]
    kind: str = "comparison"
    replications: int = 5
    verdict: str = "No variant holds all 2 thresholds: as-is crosses 2; budget crosses 2; no-retries crosses 1."
    notes: tuple[str, ...] = ("as-is: the warm-up of 20s is too short. MSER-5 finds that the figures settle after 35s.",)
    gates: tuple[GateVerdict, ...] = ()
    confidence: float = 0.95
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    """In place of the made-up ones."""

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.experiments)

    @property
    def name(self) -> str:
        return next(iter(self.experiments.values())).scenario.name

    @property
    def description(self) -> str:
        return next(iter(self.experiments.values())).scenario.description

    @property
    def manifest(self) -> dict[str, Any]:
        points = [
            {
                "name": name,
                "file": "shop.yaml",
                "variant": name,
                "set": [],
                "settings": {},
                "digest": experiment.loaded.digest,
                "data_files": dict(experiment.loaded.data_files),
            }
            for name, experiment in self.experiments.items()
        ]
        return {
            "kind": self.kind, "scenario": self.name, "description": self.description, "points": points, "axes": [], "seed": 42,
            "replications": self.replications, "confidence": self.confidence, "engine": "reference", "duration_s": 180.0,
            "warm_up_s": 20.0, "versions": {"python": "3.13.1", "meshsim": "0.1.0", "simpy": "4.1.2"},
            "repeat": "meshsim compare shop.yaml --replications 5 --seed 42", "gates": [], "until": None,
        }  # fmt: skip

    def table(self) -> pd.DataFrame:
        return self.frames.get("figures", frames.figures(self.variants))

    def thresholds(self) -> pd.DataFrame:
        if "thresholds" in self.frames:
            return self.frames["thresholds"]
        rows = []
        for place, name in enumerate(self.variants):
            latency, share = 3.2 / (place * 4 + 1), 0.121 / (place * 30 + 1)
            rows += [
                (
                    "latency{route:checkout}",
                    "p(99)<800ms",
                    name,
                    latency,
                    latency * 0.9,
                    latency * 1.1,
                    f"{latency:.2f}s",
                    latency < 0.8,
                    min(1.0, place / 5),
                ),
                (
                    "errors{route:checkout}",
                    "rate<1%",
                    name,
                    share,
                    share * 0.9,
                    share * 1.1,
                    f"{share:.3%}",
                    share < 0.01,
                    min(1.0, place / 2),
                ),
            ]
        columns = ["metric", "condition", "variant", "value", "low", "high", "observed_text", "passed", "held"]
        return pd.DataFrame(rows, columns=columns)

    def changes(self) -> dict[str, list[Change]]:
        first = self.experiments[self.variants[0]].loaded
        return {name: changes(first, self.experiments[name].loaded) for name in self.variants[1:]}

    def failures(self) -> pd.DataFrame:
        return self.frames.get("failures", frames.failures(self.variants))

    def routes(self) -> pd.DataFrame:
        scenario = self.experiments[self.variants[0]].scenario
        names = list(scenario.gateway.routes) if scenario.gateway else ["checkout"]
        middles = {
            "offered_per_s": 400, "goodput_per_s": 395, "latency_p50_s": 0.014, "latency_p90_s": 0.05, "latency_p99_s": 0.5,
            "latency_p999_s": 2.1, "error_share": 0.01, "attempts_per_request": 1.1,
        }  # fmt: skip
        return self._means("route", names, middles)

    def services(self) -> pd.DataFrame:
        middles = {
            "replicas": 3, "attempts_per_s": 420, "response_time_p50_s": 0.009, "response_time_p99_s": 0.2,
            "waiting_time_mean_s": 0.004, "utilisation": 0.6, "queue_mean": 4.0, "queue_peak": 120, "retry_amplification": 1.2,
            "wasted_share": 0.02, "error_share": 0.004,
        }  # fmt: skip
        return self._means("service", list(self.experiments[self.variants[0]].scenario.services), middles)

    def destinations(self) -> pd.DataFrame:
        services = list(self.experiments[self.variants[0]].scenario.services)
        middles = {"retries": 120, "ejections": 3, "opened": 40, "hedges": 0, "least_healthy_share": 0.8, "spread": 1.1}
        return self._means("destination", [f"(gateway) to {name}" for name in services[:2]], middles)

    def filters(self) -> pd.DataFrame:
        middles = {"admitted": 70_000, "limited": 1_500, "denied": 0, "fairness": 0.93}
        return self._means("filter_name", ["gateway: rate_limit"], middles)

    def _means(self, index: str, names: Sequence[str], middles: Mapping[str, float]) -> pd.DataFrame:
        random = np.random.default_rng(7)
        parts = []
        for variant in self.variants:
            values = {name: middle * random.lognormal(0, 0.3, len(names)) for name, middle in middles.items()}
            part = pd.DataFrame(values, index=pd.Index(names, name=index))
            part.insert(0, "variant", variant)
            parts.append(part)
        return pd.concat(parts)

    def _frame(self, name: str) -> pd.DataFrame:
        if name in self.frames:
            return self.frames[name]
        if name == "faults":
            return frames.faults()
        if name == "spans":
            return pd.concat([frames.spans(variant) for variant in self.variants], ignore_index=True)
        made: pd.DataFrame = getattr(frames, name)(self.variants, self.replications)
        return made

    @property
    def kept(self) -> dict[str, FakeReplications]:
        """Replications that kept what policies did, how even the balance was, and what filters decided."""
        tables = {name: self._frame(name) for name in ("policies", "balance", "decision_rates")}
        return {variant: FakeReplications(_written(variant, tables, self.replications)) for variant in self.variants}

    @property
    def latency(self) -> pd.DataFrame:
        return self._frame("latency")

    @property
    def timeline(self) -> pd.DataFrame:
        return self._frame("timeline")

    @property
    def errors(self) -> pd.DataFrame:
        return self._frame("errors")

    @property
    def services_over_time(self) -> pd.DataFrame:
        return self._frame("services")

    @property
    def edges(self) -> pd.DataFrame:
        return self._frame("edges")

    @property
    def nodes(self) -> pd.DataFrame:
        return self._frame("nodes")

    @property
    def stages(self) -> pd.DataFrame:
        return self._frame("stages")

    @property
    def spans(self) -> pd.DataFrame:
        return self._frame("spans")

    @property
    def faults(self) -> pd.DataFrame:
        return self._frame("faults")


def _written(variant: str, tables: Mapping[str, pd.DataFrame], replications: int) -> tuple[Path, ...]:
    """Folders that hold the variant's rows of each table; a table without rows is not there."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    places = tuple(root / str(number) for number in range(replications))
    for number, place in enumerate(places):
        place.mkdir()
        for name, table in tables.items():
            rows = table[(table["variant"] == variant) & (table["replication"] == number)]
            if len(rows):
                rows.drop(columns=["variant", "replication"]).to_parquet(place / f"{name}.parquet")
    return places


def comparison(scenario: Mapping[str, Any] | None = None, **settings: Any) -> FakeComparison:
    """The variants of a scenario; without any, the scenario as it stands."""
    scenario = SCENARIO if scenario is None else scenario
    names = list(scenario.get("variants", {})) or [None]
    experiments = {name or "base": FakeExperiment(load(scenario, variant=name)) for name in names}
    return FakeComparison(experiments, **settings)


RATES = ("200/s", "400/s", "600/s", "800/s", "1000/s", "1200/s")


@dataclass
class FakeSweep(FakeComparison):
    """A sweep over the load, and over retries as well where there are two axes."""

    axes: tuple[str, ...] = ("load.shoppers.rate",)

    @property
    def manifest(self) -> dict[str, Any]:
        made = super().manifest
        for point, name in zip(made["points"], self.variants, strict=True):
            point["settings"] = dict(zip(self.axes, name.split(" x "), strict=True))
        return made | {"axes": list(self.axes), "figures": ["latency:p(99)", "goodput:rate"]}

    def curve(self, figure: str, x: str | None = None) -> pd.DataFrame:  # noqa: ARG002 — as Sweep's
        points = frames.points(("",), is_matrix=len(self.axes) == 2)
        if len(self.axes) == 1:
            points = points.assign(y=float("nan"), y_text="")
        return points.assign(figure=figure, quantity="rate" if figure.startswith("goodput") else "duration")


def sweep(*, is_matrix: bool = False) -> FakeSweep:
    """Six loads; with four numbers of retries each."""
    names = [f"{rate} x {count}" if is_matrix else rate for rate in RATES for count in (range(4) if is_matrix else (0,))]
    loaded = FakeExperiment(load(SCENARIO, variant="as-is"))
    axes = ("load.shoppers.rate", "mesh.traffic.payment.retries.num_retries") if is_matrix else ("load.shoppers.rate",)
    return FakeSweep(dict.fromkeys(names, loaded), kind="sweep", replications=2, axes=axes)
