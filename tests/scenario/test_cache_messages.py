"""What is wrong with caches, with the steps that read through them, and with flushes, in exact words."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms

SCRIPT = [{"cached": "c", "script": [{"compute": "1ms"}]}]


def mistakes_of(cache: dict[str, Any], script: Any = SCRIPT, **rest: Any) -> list[str]:
    scenario = {
        "name": "caches",
        "load": {"all": {"executor": "constant-arrival-rate", "rate": "1/s", "requests": {"shop": 1}}},
        "services": {"shop": {"caches": {"c": cache}, "script": script}},
        "run": {"duration": "1s"},
        **rest,
    }
    with pytest.raises(ms.errors.ScenarioError) as caught:
        ms.load(scenario)
    return [f"{one.path}: {one.message}" for one in caught.value.mistakes]


AT = "services.shop.caches.c"


@pytest.mark.parametrize(
    ("cache", "message"),
    [
        (
            {"hit_ratio": "80%", "ttl": "1s"},
            f"{AT}.ttl: has no meaning with a `hit_ratio`: nothing is kept, each look-up hits by chance",
        ),
        ({"jitter": "10%"}, f"{AT}.jitter: needs a `ttl`: nothing expires without one"),
        ({"early_expiration": 1}, f"{AT}.early_expiration: needs a `ttl`: nothing expires without one"),
        ({"stale_while_revalidate": "1s"}, f"{AT}.stale_while_revalidate: needs a `ttl`: nothing expires without one"),
        ({"expire_after": "access"}, f"{AT}.expire_after: needs a `ttl`: nothing expires without one"),
        ({"eviction": "lru"}, f"{AT}.eviction: needs a `capacity`: without one nothing has to make room"),
        (
            {"failed_load": "next"},
            f"{AT}.failed_load: needs `single_flight`: nobody waits for another's load without it",
        ),
        ({"warm": True}, f"{AT}.warm: needs `keys` of the cache's own: it has to be known what is in it"),
    ],
)  # fmt: skip
def test_settings_that_would_do_nothing_are_mistakes(cache: dict[str, Any], message: str) -> None:
    assert mistakes_of(cache) == [message]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([{"cached": "d", "script": [{"compute": "1ms"}]}], "cached: shop has no cache 'd' (one of: c)"),
        (
            [{"cached": "c", "script": [{"cached": "c", "script": [{"compute": "1ms"}]}]}],
            "script[0].cached: c is read inside of a load of itself, which would wait for itself",
        ),
        ([{"cached": "c"}], "script: is missing"),
        ([{"cached": "c", "lookup": [{"call": "redis"}], "script": [{"compute": "1ms"}]}], "lookup[0].call: unknown service 'redis' (one of: shop)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_step_is_said(script: Any, message: str) -> None:
    assert mistakes_of({}, script) == [f"services.shop.script[0].{message}"]


def test_a_service_without_caches_has_none_to_read() -> None:
    services = {"shop": {"script": SCRIPT}}

    assert mistakes_of({}, services=services) == [
        "services.shop.script[0].cached: shop has no cache 'c'; write it under `caches`"
    ]


@pytest.mark.parametrize(
    ("cache", "fault", "message"),
    [
        ({}, {"service": "shop", "flush": "d"}, "faults[0].flush: shop has no cache 'd' (one of: c)"),
        (
            {"hit_ratio": "50%"}, {"service": "shop", "flush": "c"},
            "faults[0].flush: nothing is in c: it hits by chance; write its `keys` in place of `hit_ratio`",
        ),
        ({}, {"zone": "x", "flush": "c"}, "faults[0].flush: needs a `service`, whose cache it is"),
        (
            {}, {"service": "(gateway)", "flush": "c"},
            "faults[0].flush: the gateway has no `caches`; its filter `cache` has `purge`",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_flush_is_said(cache: dict[str, Any], fault: dict[str, Any], message: str) -> None:
    assert message in mistakes_of(cache, faults=[{"at": "0s", "for": "1ms", **fault}])


def test_a_flush_of_a_service_without_caches() -> None:
    services = {"shop": {"script": [{"compute": "1ms"}]}}
    faults = [{"at": "0s", "for": "1ms", "service": "shop", "flush": "c"}]

    assert mistakes_of({}, services=services, faults=faults) == [
        "faults[0].flush: shop has no cache 'c'; write it under `caches`"
    ]
