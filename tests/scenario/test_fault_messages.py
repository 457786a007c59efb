"""What a user meets who writes a fault that cannot be, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from meshsim.errors import ScenarioError
from meshsim.scenario.load import load


def messages_of(fault: dict[str, Any] | None = None, **parts: Any) -> list[str]:
    made = {
        "name": "faults",
        "deployment": "gateway",
        "load": {"users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"all": 1}}},
        "gateway": {"zones": {"a": 1, "b": 1}, "routes": {"all": {"path": "/", "to": "cart"}}},
        "services": {"cart": {"replicas": 3, "zone": "a", "script": [{"compute": "5ms"}]}},
        "run": {"duration": "60s"},
        "faults": [{"at": "1s", "for": "1s", **fault}] if fault else [],
        **parts,
    }
    try:
        load({name: part for name, part in made.items() if part is not None})
    except ScenarioError as error:
        return [line.removeprefix("scenario: ") for line in str(error).splitlines()]
    return []


GATEWAY = {"service": "(gateway)"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {**GATEWAY, "errors": "5%"},
            (
                "faults[0].errors: the gateway has no errors of its own; write its filter"
                " `fault: {abort: {http_status: 503, percentage: 10%}}`"
            ),
        ),
        ({**GATEWAY, "crash": True, "subset": "v1"}, "faults[0].subset: goes with a service; the gateway has no subsets"),
        ({**GATEWAY, "crash": True, "replicas": 3}, "faults[0].replicas: the gateway has 2, not 3"),
        (
            {**GATEWAY, "slow": 2, "instances": [1, 2]},
            "faults[0].instances[1]: the gateway has no replica 2; they are numbered from 0 to 1",
        ),
        (
            {"service": "cart", "slow": 2, "instances": [3]},
            "faults[0].instances[0]: cart has no replica 3; they are numbered from 0 to 2",
        ),
        ({"service": "(gatway)", "slow": 2}, "faults[0].service: unknown service '(gatway)'; did you mean '(gateway)'?"),
        (
            {"service": "cart", "crash": True, "at": None},
            "faults[0].at: is missing: a fault has `at` and `for`, or `mtbf` and `mttr`",
        ),
        (
            {"service": "cart", "crash": True, "for": None},
            "faults[0].for: is missing: a fault has `at` and `for`, or `mtbf` and `mttr`",
        ),
        ({"service": "cart", "crash": True, "mtbf": "1h"}, "faults[0].mttr: is missing: how long such a fault lasts"),
        ({"service": "cart", "crash": True, "mttr": "1s"}, "faults[0].mttr: goes with `mtbf`"),
        ({"service": "cart", "crash": True, "together": True}, "faults[0].together: goes with `mtbf`"),
        ({"service": "cart", "crash": True, "mtbf": 5, "mttr": "1s"}, "faults[0].mtbf: 5 has no unit; write '5ms' or '5s'"),
        ({"service": "cart", "crash": True, "mtbf": "0s", "mttr": "1s"}, "faults[0].mtbf: mean must be more than 0"),
        (
            {"service": "cart", "crash": True, "mtbf": "1s", "mttr": {"constant": {"value": "0s"}}},
            "faults[0].mttr: must be more than 0 in the mean",
        ),
        ({"zone": "c", "crash": True}, "faults[0].zone: nothing is in zone 'c' (one of: a, b)"),
        ({"crash": True}, "faults[0]: needs a `service` or a `zone`"),
        ({"zone": "a", "crash": True, "instances": [0]}, "faults[0].instances: goes with a `service`"),
        ({"service": "cart", "errors": {"latency": "1ms"}}, "faults[0].errors: write either `rate` or `replay`"),
    ],
)
def test_a_fault_that_cannot_be_is_told(fault, message):
    assert messages_of(fault) == [message]


def test_a_fault_of_a_gateway_that_is_nowhere_is_told():
    load_of_cart = {
        "users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"cart": 1}}
    }
    assert messages_of({**GATEWAY, "crash": True}, gateway=None, deployment="none", load=load_of_cart) == [
        "faults[0].service: there is no `gateway:` in this scenario"
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {**GATEWAY, "crash": True},
        {**GATEWAY, "unreachable": True, "zone": "b"},
        {**GATEWAY, "slow": 3, "replicas": 2},
        {"zone": "b", "crash": True},
        {"service": "cart", "instances": [2], "crash": True},
        {"service": "cart", "errors": {"rate": "10%", "latency": "1ms", "status": 500}},
    ],
)
def test_a_fault_that_can_be_is_taken(fault):
    assert messages_of(fault) == []


def test_an_instance_that_comes_later_may_be_struck():
    cart = {"replicas": 1, "zone": "a", "script": [{"compute": "5ms"}], "scale": [{"at": "10s", "replicas": 4}]}
    assert messages_of({"service": "cart", "slow": 2, "instances": [3]}, services={"cart": cart}) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"unhealthy": [3]}, "services.cart.health_status: there is no replica 3; they are numbered from 0 to 2"),
        (
            {"unhealthy": [1], "degraded": [0, 1]},
            "services.cart.health_status: replica 1 cannot be both unhealthy and degraded",
        ),
        ({"draining": [1]}, "services.cart.health_status.draining: unknown key (one of: degraded, unhealthy)"),
    ],
)
def test_what_discovery_cannot_say_is_told(status, message):
    cart = {"replicas": 3, "zone": "a", "script": [{"compute": "5ms"}], "health_status": status}
    assert messages_of(services={"cart": cart}) == [message]
