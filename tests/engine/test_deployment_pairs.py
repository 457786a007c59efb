"""Where rollouts meet other settings."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import meshsim as ms
from meshsim.planning import make_plan
from meshsim.scenario.sections.model import Scenario

ROLLED = {"replicas": 4, "workers": 10, "startup_time": "1s", "rollouts": [{"at": "3s"}]}


def world(back: dict[str, Any], *, traffic: Any = None, seconds: int = 10, rate: str = "100/s", **rest: Any) -> dict[str, Any]:
    """Evenly spaced requests through a gateway, for 10 ms of work each."""
    return {
        "name": "pairs",
        "defaults": "envoy-1.40",
        "deployment": "gateway",
        "load": {
            "clients": {
                "executor": "constant-arrival-rate", "arrivals": "even", "rate": rate, "requests": {"all": 1}, **rest.pop("load", {}),
            }
        },
        "gateway": {
            "routes": {"all": {"path": "/", "to": "back", **rest.pop("route", {})}},
            "traffic": {"back": {"load_balancer": "round_robin", **(traffic or {})}},
            **rest.pop("gateway", {}),
        },
        "services": {"back": {"script": [{"compute": "10ms"}], **ROLLED, **back}},
        "network": {"same_zone": "0s"},
        "run": {"duration": f"{seconds}s", "interval": "500ms"},
        **rest,
    }  # fmt: skip


def failures(result: ms.Result) -> int:
    return result.summary().total.failures


def count(result: ms.Result, name: str) -> int:
    return sum(one.counts.get(name, 0) for one in result.summary().destinations)


@cache
def scaled(rate: str) -> ms.Result:
    scaling = {"max_replicas": 12, "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]}
    quick = {
        "sync_period": "500ms",
        "metric_resolution": "500ms",
        "cpu_initialization_period": "0s",
        "initial_readiness_delay": "0s",
    }
    back = {"workers": 1, "autoscaling": scaling, "script": [{"compute": "20ms"}], "rollouts": [{"at": "5s"}]}
    return ms.load(world(back, rate=rate, autoscaler=quick, seconds=12)).run(seed=1)


def test_an_autoscaler_sees_pods_of_all_versions_and_changes_them_in_proportion():
    """At 100/s it wants four, and the rollout makes it want no more: pods that start have no figures, and count as idle. At 180/s it scales."""
    calm, busy = scaled("100/s"), scaled("180/s")

    assert set(calm.autoscaling["desired"]) == {4}
    assert calm.summary().rollouts[0].duration_s == 2.0
    rows = busy.deployments
    assert rows["desired"].max() >= 6
    assert (rows["pods"] <= rows["desired"] + -(-rows["desired"] // 4)).all()
    assert busy.summary().rollouts[0].duration_s is not None


def test_callers_that_hear_late_of_pods_that_end_are_refused_unless_those_sleep_first():
    late = {"discovery": {"debounce_after": "0s", "propagation": "500ms"}}
    at_once, sleeping = (ms.load(world({"pre_stop": sleep}, gateway=late)).run(seed=1) for sleep in ("0s", "600ms"))

    assert failures(at_once) == pytest.approx(
        100 * 0.5 * (1 / 4 + 2 / 3 + 1 / 3), abs=3
    )  # of those known, the ones that are gone
    assert failures(sleeping) == 0


def test_envoys_health_checks_keep_pods_that_have_left_until_they_fail_one():
    checks = {"health_checks": {"interval": "1s", "timeout": "100ms", "unhealthy_threshold": 1, "healthy_threshold": 1}}
    kept = ms.load(world({}, traffic=checks)).run(seed=1)
    gone = ms.load(world({}, traffic={**checks, "ignore_health_on_host_removal": True})).run(seed=1)

    assert failures(kept) > 20
    assert failures(gone) == 0


def test_outlier_detection_ejects_pods_of_a_bad_version_and_the_rollout_goes_on():
    """Readiness is what a rollout goes by; a caller's ejection is its own affair."""
    one_by_one = {"rolling_update": {"max_surge": 1, "max_unavailable": 0}}
    bad = {"rollouts": [{"at": "3s", "errors": "100%"}], "strategy": one_by_one, "min_ready": "2s"}
    ejecting = {"outlier_detection": {"consecutive_5xx": 3, "max_ejection_percent": "50%", "enforcing_success_rate": "0%"}}
    plain, ejected = (ms.load(world(bad, traffic=more, seconds=16)).run(seed=1) for more in ({}, ejecting))

    assert count(ejected, "ejections") >= 2
    assert failures(ejected) < failures(plain)
    assert ejected.summary().rollouts[0].duration_s == plain.summary().rollouts[0].duration_s == 12.0


def test_sessions_of_pods_that_are_gone_move():
    sticky = {"session_persistence": {"of": "address"}}
    users = {"executor": "constant-vus", "vus": 20, "think_time": "100ms", "requests": {"all": 1}}
    moved = []
    for rollouts in ([], [{"at": "3s"}]):
        scenario = world({"rollouts": rollouts}, route=sticky)
        scenario["load"]["clients"] = users
        result = ms.load(scenario).run(seed=1)
        moved.append(count(result, "sessions_moved"))
        assert failures(result) == 0

    assert moved[0] == 0 < moved[1]


def test_connections_to_pods_that_end_are_closed_and_new_ones_are_made():
    plain, rolled = (
        ms.load(world({"rollouts": rollouts}, traffic={"connections": {}})).run(seed=1) for rollouts in ([], [{"at": "3s"}])
    )

    assert count(rolled, "opened") >= count(plain, "opened") + 4
    assert count(rolled, "closed") > count(plain, "closed")


def test_a_fault_strikes_places_and_a_pod_that_comes_elsewhere_is_well():
    """The four pods of the start fail everything; those of the new version have places of their own."""
    fault = {"at": "0s", "for": "10s", "service": "back", "errors": "100%", "replicas": 4}
    result = ms.load(world({"strategy": {"rolling_update": {"max_surge": "100%"}}}, faults=[fault])).run(seed=1)
    failed = result.requests[result.requests["status"] != 200]["started_ns"] / 1e9

    assert len(failed) == pytest.approx(400, abs=2)
    assert failed.max() < 4.1


def test_a_version_may_fail_at_once_as_a_fault_may():
    errors = {"rate": "100%", "latency": "1ms"}
    result = ms.load(world({"rollouts": [{"at": "3s", "errors": errors}]})).run(seed=1)
    failed = result.requests[result.requests["status"] != 200]

    assert (failed["ended_ns"] - failed["started_ns"]).max() < 2e6
    assert len(failed) > 500


def test_those_that_come_take_weights_and_priorities_in_turn_again():
    service = make_plan(
        Scenario.model_validate(world({"replicas": 2, "load_balancing_weights": [1, 3], "priorities": [0, 1]}))
    ).services[0]

    assert (service.weights, service.priorities) == ((1.0, 3.0, 1.0, 3.0, 1.0), (0, 1, 0, 1, 0))
