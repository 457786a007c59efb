"""Replications and intervals, for tests that compare with theory.

A test passes when theory lies in the interval that its replications give *and* the interval is narrow enough to mean something.
Seeds are fixed, so a test that passes once passes always; the stated odds are those of the day on which the seed was chosen. Each test has
a seed of its own, made of its name: all that share a seed and the name of a load share their arrivals and their work, and are one draw.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

import meshsim as ms
from meshsim.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim import Result


@dataclass(frozen=True)
class Interval:
    """A t interval for a mean over replications."""

    mean: float
    half_width: float

    def agrees(self, theory: float, within: float) -> bool:
        """Whether theory is in the interval, and the interval is within so much of theory (a share)."""
        return abs(self.mean - theory) <= self.half_width and self.half_width <= within * abs(theory)

    def __str__(self) -> str:
        return f"{self.mean:.6g} +- {self.half_width:.2g}"


def interval(values: Sequence[float], confidence: float = 0.999) -> Interval:
    """The t interval of independent replications (Law, Simulation Modeling and Analysis, 5th ed., section 9.4)."""
    count = len(values)
    spread = float(np.std(values, ddof=1))
    return Interval(float(np.mean(values)), float(stats.t.ppf((1 + confidence) / 2, count - 1)) * spread / sqrt(count))


def replicate(scenario: dict[str, Any], replications: int, *measures: Callable[[Result], float]) -> list[Interval]:
    """One interval for each measure, over so many replications of a scenario, by the seed of the running test."""
    experiment, seed = ms.load(scenario), own_seed()
    values: list[list[float]] = [[] for _ in measures]
    for replication in range(replications):
        result = experiment.run(seed=seed, replication=replication)
        for measure, collected in zip(measures, values, strict=True):
            collected.append(measure(result))
    return [interval(collected) for collected in values]


def own_seed() -> int:
    """A seed that no other test has, nor the same test with other parameters."""
    return stream(os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0].rpartition("/")[2]) >> 1


def station(rate: str, compute: Any, workers: int = 1, *, duration: str, warm_up: str = "0s", **service: Any) -> dict[str, Any]:
    """A scenario of one service with one replica, asked directly by Poisson arrivals, without proxies and network."""
    return {
        "name": "station",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": rate, "requests": {"server": 1}}
        },
        "services": {"server": {"workers": workers, "script": [{"compute": compute}], **service}},
        "run": {"duration": duration, "warm_up": warm_up},
    }


def measured(result: Result) -> Any:
    """The attempts of requests that started after the warm-up, as a frame with times in seconds."""
    frame = result.attempts
    warm_up_ns = result.manifest["warm_up_s"] * 1e9
    return frame[frame["request_started_ns"] >= warm_up_ns]


def mean_waiting(result: Result) -> float:
    """Mean time in the queue, seconds."""
    frame = measured(result)
    frame = frame[frame["started_ns"] >= 0]
    return float((frame["started_ns"] - frame["arrived_ns"]).mean() / 1e9)


def mean_response(result: Result) -> float:
    """Mean time from arrival to answer of requests that were answered well, seconds."""
    frame = result.requests
    frame = frame[(frame["status"] == 200) & (frame["started_ns"] >= result.manifest["warm_up_s"] * 1e9)]
    return float((frame["ended_ns"] - frame["started_ns"]).mean() / 1e9)


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c (Kleinrock 1975, section 3.5), by the recursion for Erlang B."""
    blocking = 1.0
    for count in range(1, servers + 1):
        blocking = load * blocking / (count + load * blocking)
    return servers * blocking / (servers - load * (1 - blocking))
