"""200 networks of stations against LINE, a solver of queueing networks (`line_networks.py` says how its answers came to be).

A figure is the mean over replications with its 99 % interval. By chance theory lies outside of one in a hundred of the intervals; a test fails
where it lies outside of so many that chance alone would bring it about less often than once in ten thousand, and where all deviations
together, over the networks of a family, leave theory on one side.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statistics_of_runs import interval, measured, own_seed

import meshsim as ms

NETWORKS = json.loads(Path(__file__).with_name("line_networks.json").read_text(encoding="utf-8"))
FAMILIES = ("open", "closed", "priority")
REPLICATIONS, REQUESTS = 8, 1000
CONFIDENCE = 0.99
CRITICALITY = {"first": "critical_plus", "second": "sheddable", "all": "critical"}


def test_there_are_two_hundred_with_and_without_sharing():
    assert len(NETWORKS) == 200
    shared = [any("shared" in one for one in network["stations"].values()) for network in NETWORKS]
    assert 60 < sum(shared) < 140


@pytest.mark.parametrize("family", FAMILIES)
def test_some_networks_agree_with_line(family):
    compare([network for network in NETWORKS if network["family"] == family][:2])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("family", FAMILIES)
def test_all_networks_agree_with_line(family, part):
    compare([network for network in NETWORKS if network["family"] == family][part::4])


def compare(networks: list[dict[str, Any]]) -> None:
    """Each figure by its interval, and all of one kind together by the mean of their deviations."""
    outside, count, deviations = [], 0, {"response": [], "throughput": [], "waiting": []}
    for network in networks:
        figures = simulated(network)
        for (kind, *where), theory in expected(network).items():
            values = figures[kind, *where]
            found = interval(values, CONFIDENCE)
            count += 1
            if abs(found.mean - theory) > found.half_width:
                outside.append(f"{network['name']} {kind} {where}: LINE {theory:.5g}, here {found}")
            if kind != "waiting" or theory > 1e-3:
                deviations[kind].append(np.array(values) / theory - 1)
    assert stats.binom.sf(len(outside) - 1, count, 1 - CONFIDENCE) > 1e-4, outside
    for kind, of_each in deviations.items():
        if of_each:
            together = interval(np.mean(of_each, axis=0), 0.9999)
            assert abs(together.mean) <= together.half_width, (kind, together)


def expected(network: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """What LINE says, in seconds and requests a second. An open network's throughput is its load, and says nothing."""
    found: dict[tuple[str, ...], float] = {}
    for load, response in network["response_ms"].items():
        found["response", load] = response / 1000
        if "users" in network:
            found["throughput", load] = network["throughput_per_s"][load]
        for service, waiting in network["waiting_ms"][load].items():
            found["waiting", load, service] = waiting / 1000
    return found


def simulated(network: dict[str, Any]) -> dict[tuple[str, ...], list[float]]:
    """Each figure, one for each replication."""
    experiment, seed = ms.load(scenario_of(network)), own_seed()
    found: dict[tuple[str, ...], list[float]] = {}
    for replication in range(REPLICATIONS):
        result = experiment.run(seed=seed, replication=replication)
        for name, value in figures_of(result, network).items():
            found.setdefault(name, []).append(value)
    return found


def figures_of(result: ms.Result, network: dict[str, Any]) -> dict[tuple[str, ...], float]:
    warm_up_ns = result.manifest["warm_up_s"] * 1e9
    measured_s = float(network_duration_s(network)) - result.manifest["warm_up_s"]
    requests, attempts = result.requests, measured(result)
    loads = requests.set_index("request")["source"].astype(str)
    attempts = attempts.assign(
        load=attempts["request"].map(loads), wait_s=(attempts["started_ns"] - attempts["arrived_ns"]) / 1e9
    )
    waits = attempts.groupby(["load", "service"], observed=True)["wait_s"].mean()
    requests = requests[requests["started_ns"] >= warm_up_ns]
    found: dict[tuple[str, ...], float] = {}
    for load, of_load in requests.groupby(requests["source"].astype(str)):
        found["response", load] = float(of_load["latency_s"].mean())
        found["throughput", load] = len(of_load) / measured_s
        for service in network["stations"]:
            found["waiting", load, service] = float(waits.get((load, service), np.nan))
    return found


def network_duration_s(network: dict[str, Any]) -> int:
    """Long enough for so many requests of the class that asks least, and a tenth more to warm up."""
    return int(1.1 * REQUESTS / min(network["throughput_per_s"].values())) + 1


def scenario_of(network: dict[str, Any]) -> dict[str, Any]:
    """The network in the words of a scenario, without proxies and ways."""
    seconds = network_duration_s(network)
    first, *_ = network["stations"]
    if "users" in network:
        load = {
            name: {
                "executor": "constant-vus",
                "vus": users,
                "think_time": exponential(network["think_ms"][name]),
                "criticality": CRITICALITY[name],
                "requests": {first: 1},
            }
            for name, users in network["users"].items()
        }
    else:
        rate = f"{network['rate_per_s']}/s"
        load = {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": rate, "requests": {first: 1}}}
    services = {name: service_of(station, network["family"]) for name, station in network["stations"].items()}
    return {
        "name": network["name"],
        "load": load,
        "services": services,
        "run": {"duration": f"{seconds}s", "warm_up": f"{seconds // 11}s"},
    }


def service_of(station: dict[str, Any], family: str) -> dict[str, Any]:
    """A service that holds no worker while it calls; all of its work comes before its calls."""
    mean_ms, work = station["mean_ms"], station.get("shared", "exponential")
    script: list[Any] = [
        {"compute": {"exponential": exponential, "deterministic": constant, "hyperexponential": mixed}[work](mean_ms)}
    ]
    script += [{"call": other, "probability": f"{100 * often:.1f}%"} for other, often in station["next"].items()]
    if "shared" in station:
        return {"cpu": {"node_cores": station["servers"]}, "workers": None, "script": script}
    queue = {"queue": {"discipline": "priority"}} if family == "priority" else {}
    return {"workers": station["servers"], "async": True, "script": script, **queue}


def exponential(mean_ms: float) -> dict[str, Any]:
    return {"exponential": {"mean": f"{mean_ms}ms"}}


def constant(mean_ms: float) -> str:
    return f"{mean_ms}ms"


def mixed(mean_ms: float) -> dict[str, Any]:
    """Nine in ten of half the mean, one in ten of five and a half times the mean: squared coefficient of variation 5.5."""
    parts = ((0.9, 0.5), (0.1, 5.5))
    return {"mixture": {"of": [{"weight": weight, "time": exponential(mean_ms * factor)} for weight, factor in parts]}}
