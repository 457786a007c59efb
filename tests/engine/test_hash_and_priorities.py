"""Consistent hashing where there are several priorities, or zones with weights: one key goes to one host.

Source: Envoy, source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc (LoadBalancerImpl::chooseHost).
"""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms


def run(traffic: dict[str, Any], back: dict[str, Any], **more: Any) -> ms.Result:
    """About 400 requests a second of 400 users from zone a, by the gateway."""
    load = {"executor": "constant-vus", "vus": 400, "think_time": "1s", "requests": {"all": 1}}
    return ms.load(
        {
            "name": "hashed",
            "defaults": "envoy-1.40",
            "deployment": "gateway",
            "load": {"users": {**load, "zone": "a"}},
            "gateway": {
                "proxy_time": "0s",
                "zones": {"a": 1},
                "routes": {"all": {"path": "/", "to": "back", **more.pop("route", {})}},
                "traffic": {"back": {"load_balancer": "ring_hash", "hash_on": "user", **traffic}},
            },
            "services": {"back": {"workers": 50, "script": [{"compute": "5ms"}], **back}},
            "run": {"duration": "10s", "seed": 3},
            **more,
        }
    ).run()


def hosts_of_a_user(result: ms.Result, after_s: float = 0.0) -> Any:
    """How many hosts the requests of each user went to."""
    attempts = result.attempts.merge(result.requests[["request", "user"]], on="request")
    return attempts[attempts["sent_ns"] >= after_s * 1e9].groupby("user")["instance"].nunique()


def share_of(result: ms.Result, instances: set[int], after_s: float = 0.0) -> float:
    attempts = result.attempts[result.attempts["sent_ns"] >= after_s * 1e9]
    return float(attempts["instance"].isin(instances).mean())


HALF_FAIL = [{"at": "0s", "for": "10s", "service": "back", "instances": [0, 1], "crash": True}]
CHECKS = {"interval": "200ms", "timeout": "100ms", "unhealthy_threshold": 1, "healthy_threshold": 1}
TWO_PRIORITIES = {"replicas": 8, "priorities": [0, 0, 0, 0, 1, 1, 1, 1]}


@pytest.mark.parametrize("balancer", ["ring_hash", "maglev"])
def test_a_key_stays_with_its_priority_while_both_are_used(balancer: str) -> None:
    """Half of the first priority is down, so that it takes 70 %; drawn for each request, nearly all users would see both priorities.

    Who goes where hangs on 400 drawn hashes modulo 100: 0.7 within 4 standard errors of 0.023.
    """
    result = run({"load_balancer": balancer, "health_checks": CHECKS}, TWO_PRIORITIES, faults=HALF_FAIL)

    assert (hosts_of_a_user(result, 2.0) == 1).all()
    assert share_of(result, {2, 3}, 2.0) == pytest.approx(0.7, abs=0.092)


def test_without_a_hash_each_request_is_drawn() -> None:
    result = run({"hash_on": None, "health_checks": CHECKS}, TWO_PRIORITIES, faults=HALF_FAIL)

    assert share_of(result, {2, 3}, 2.0) == pytest.approx(0.7, abs=0.035)  # of 3,600, 4.6 standard errors
    assert (hosts_of_a_user(result, 2.0) > 1).mean() > 0.3


def test_zones_with_weights_are_one_table() -> None:
    """75 % for the one host of zone a, within 4 standard errors of 400 users, 0.022; each user has one host."""
    weights = {"locality": {"locality_weighted": {"weights": {"a": 3, "b": 1}}}}
    result = run({**weights, "load_balancer": "maglev"}, {"zones": {"a": 1, "b": 3}})

    assert (hosts_of_a_user(result) == 1).all()
    assert result.attempts.groupby("instance").size().max() / len(result.attempts) == pytest.approx(0.75, abs=0.088)


def test_previous_priorities_do_nothing() -> None:
    """The retry of a hash stays in its priority: one host of two fails, and its keys' requests fail in spite of a second priority.

    Without a hash, a try at each priority is enough.
    """
    failing = [{"at": "0s", "for": "10s", "service": "back", "instances": [0], "errors": "100%"}]
    retries = {"num_retries": 3, "retry_on": ["5xx"], "retry_priority": "previous_priorities", "update_frequency": 1}
    back = {"replicas": 4, "priorities": [0, 0, 1, 1]}
    breakers = {"circuit_breakers": {"max_retries": 1000}}
    hashed = run(breakers, back, faults=failing, route={"retries": retries})
    drawn = run({**breakers, "load_balancer": "random", "hash_on": None}, back, faults=failing, route={"retries": retries})

    assert share_of(hashed, {2, 3}) == 0.0
    assert (hashed.requests["status"] >= 500).mean() > 0.3
    assert share_of(drawn, {2, 3}) > 0.2
    assert (drawn.requests["status"] >= 500).mean() == 0.0
