"""Pools without an `acquire_timeout` whose connections are held during calls that end up waiting for the same pool."""

from __future__ import annotations

from typing import Any

import pytest

from meshsim.errors import ScenarioError
from meshsim.scenario.load import load

HELD = {"transaction": "db", "script": [{"compute": "5ms"}]}
SENTENCE = (
    "scenario: services.shop.operations.a.script[0].script[0]{at}: requests that hold db during this call may wait for each other's connections"
    " for ever; write an `acquire_timeout` for {pool}, or a `timeout` for the call"
)


def mistakes_of(inside: dict[str, Any] | list[Any], **changes: Any) -> list[str]:
    """`shop/a` holds a connection during that step, and `shop/b` takes one of the same pool; `other` calls `shop/b`."""
    pools = {"db": {"maximum_pool_size": 2, "acquire_timeout": "none"}}
    scenario = {
        "name": "endless",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1/s", "requests": {"shop/a": 1}}},
        "services": {
            "shop": {
                "connection_pools": pools,
                "operations": {"a": {"script": [{"transaction": "db", "script": [inside]}]}, "b": {"script": [HELD]}},
            },
            "other": {"script": [{"call": "shop/b"}]},
            "leaf": {"script": [{"compute": "1ms"}]},
        },
        "run": {"duration": "1s"},
        **changes,
    }
    try:
        load(scenario)
    except ScenarioError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("inside", "at"),
    [
        ({"call": "shop/b"}, ".call"),
        ({"call": "other"}, ".call"),
        ([{"call": "leaf"}, {"call": "other"}], "[1].call"),
        ({"parallel": [{"call": "other"}]}, ".parallel[0].call"),
        ({"loop": 2, "script": [{"call": "other"}]}, ".script[0].call"),
        ({"call": "leaf", "fallback": [{"call": "other"}]}, ".fallback[0].call"),
        ({"call": "other", "timeout": "none"}, ".call"),
        ({"call": "other", "timeout": "0s"}, ".call"),
    ],
)
def test_a_pool_may_wait_for_itself_across_calls(inside: Any, at: str) -> None:
    assert mistakes_of(inside) == [SENTENCE.format(at=at, pool="db")]


@pytest.mark.parametrize(
    ("inside", "changes"),
    [
        ({"call": "leaf"}, {}),
        ({"call": "other", "wait": False}, {}),
        ({"call": "other", "timeout": "1s"}, {}),
        ({"call": "other", "retries": {"num_retries": 1, "per_try_timeout": "1s"}}, {}),
        ({"parallel": [{"call": "other"}, {"call": "leaf"}], "need": 1}, {}),
        ({"call": "other"}, {"direct": {"traffic": {"*": {"timeout": "1s"}}}}),
        ({"call": "other"}, {"deployment": "mesh", "mesh": {"traffic": {"other": {"timeout": "1s"}}}}),
        ({"call": "other"}, {"deployment": "mesh", "defaults": "envoy-1.40"}),
    ],
)
def test_what_ends_or_is_not_waited_for_is_no_endless_wait(inside: Any, changes: dict[str, Any]) -> None:
    assert mistakes_of(inside, **changes) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"deployment": "mesh", "defaults": "istio-1.29"},
        {"deployment": "mesh", "defaults": "envoy-1.40", "mesh": {"traffic": {"*": {"timeout": "none"}}}},
        {"deployment": "mesh", "defaults": "istio-1.29", "direct": {"traffic": {"other": {"timeout": "1s"}}}},
    ],
)
def test_sidecars_without_a_timeout_end_no_wait(changes: dict[str, Any]) -> None:
    assert mistakes_of({"call": "other"}, **changes) == [SENTENCE.format(at=".call", pool="db")]


def test_two_services_may_wait_for_each_others_pools() -> None:
    pools = {"db": {"acquire_timeout": "none"}}

    def services(other: dict[str, Any]) -> dict[str, Any]:
        shop = {"a": {"script": [{"transaction": "db", "script": [{"call": "stock/a"}]}]}, "b": {"script": [HELD]}}
        stock = {"a": {"script": [HELD]}, "b": {"script": [{"transaction": "db", "script": [{"call": "shop/b"}]}]}}
        return {
            "shop": {"connection_pools": pools, "operations": shop},
            "stock": {"connection_pools": {"db": other}, "operations": stock},
        }

    assert mistakes_of({"call": "x"}, services=services(pools["db"])) == [
        SENTENCE.format(at=".call", pool="db of stock"),
        SENTENCE.format(at=".call", pool="db of shop").replace("shop.operations.a", "stock.operations.b"),
    ]
    assert mistakes_of({"call": "x"}, services=services({})) == []
