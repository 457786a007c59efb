"""What `meshsim check` says of caches, and what it reckons that they take off services."""

from __future__ import annotations

from typing import Any

import pytest
from advised import warnings_of

from meshsim.scenario.flow.caching import SELDOM, least_misses
from meshsim.scenario.sections.caches import CacheSection

PATH = "services.checkout.caches.prices"
CALL = [{"call": "payment"}]
READ = [{"compute": "1ms"}, {"cached": "prices", "script": CALL}]
KEYS = {"count": 1000, "zipf": 1}


def of_checkout(cache: dict[str, Any], script: Any = READ, **rest: Any) -> list[str]:
    return warnings_of({"services": {"checkout": {"caches": {"prices": cache}, "script": script}}, **rest})


def test_a_cache_with_keys_is_not_spoken_of() -> None:
    assert of_checkout({"keys": KEYS}) == []


def test_one_that_nothing_reads() -> None:
    assert of_checkout({"keys": KEYS}, CALL) == [f"{PATH}: no `cached` step of the service reads it, so it does nothing"]


def test_one_that_has_a_single_value() -> None:
    said = (
        f"{PATH}: all requests look up the same value, since neither it nor a load has `keys`: after the first miss they hit until it"
        " expires; write `keys`, such as {count: 10000, zipf: 0.9}, or {count: 1} where that is meant"
    )

    assert of_checkout({}) == [said]
    assert of_checkout({"keys": {"count": 1}}) == []
    assert of_checkout({}, load={"shoppers": {"keys": {"count": 50}}}) == []
    assert of_checkout({"hit_ratio": "90%"}) == []


def test_one_inside_of_another_looks_up_its_keys() -> None:
    near = {"keys": KEYS}
    script = [{"cached": "near", "script": [{"cached": "prices", "script": CALL}]}]

    assert warnings_of({"services": {"checkout": {"caches": {"near": near, "prices": {}}, "script": script}}}) == []


def test_one_with_room_for_more_than_there_is() -> None:
    assert of_checkout({"keys": KEYS, "capacity": 1000}) == [
        f"{PATH}.capacity: there are 1,000 keys and room for 1,000, so that nothing ever has to make room"
    ]
    assert of_checkout({"keys": KEYS, "capacity": 999}) == []


def flushed(**cache: Any) -> list[str]:
    """10/s look-ups of one key, each loaded in 24 ms, or ten times as long."""
    faults = [{"at": "2m", "for": "1ms", "service": "checkout", "flush": "prices"}]
    payment = {"workers": 99, "script": [{"compute": "300ms"}]}
    checkout = {"caches": {"prices": {"keys": {"count": 1}, **cache}}, "script": READ, "workers": 99}
    return warnings_of(
        {"faults": faults, "services": {"checkout": checkout, "payment": payment}, "mesh": {"traffic": {"payment": None}}}
    )


def test_a_flush_after_which_many_load_the_same() -> None:
    said = (
        "faults[0].flush: after it 10/s look-ups of the commonest key all load it until the first load is over, some 3 at once where"
        " nothing queues; write `single_flight: true` for one in each replica"
    )
    assert flushed() == [said]
    assert flushed(single_flight=True) == []
    assert flushed(keys={"count": 10}) == []


@pytest.mark.parametrize(
    ("cache", "share"),
    [
        ({"hit_ratio": "80%"}, 0.2),
        ({"hit_ratio": "100%"}, 0.0),
        ({}, SELDOM),
        ({"keys": KEYS, "ttl": "1s"}, SELDOM),
        ({"keys": KEYS, "capacity": 2000}, SELDOM),
        ({"keys": {"count": 1000}, "capacity": 250}, 0.75),
        ({"keys": {"count": 1000}, "capacity": 250, "eviction": "random"}, 0.75),
    ],
)
def test_misses_at_the_least(cache: dict[str, Any], share: float) -> None:
    assert least_misses(CacheSection.model_validate(cache)) == pytest.approx(share, abs=1e-9)


def test_keys_far_out_may_stand_together() -> None:
    """100,000 of them, against the sum over each."""
    from math import expm1  # noqa: PLC0415

    weights = [rank**-0.9 for rank in range(1, 100_001)]
    total = sum(weights)
    low, high = 0.0, 1e7
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(-expm1(-one / total * middle) for one in weights) < 10_000 else (low, middle)
    misses = 1 - sum(-one / total * expm1(-one / total * high) for one in weights)

    found = least_misses(CacheSection.model_validate({"keys": {"count": 100_000, "zipf": 0.9}, "capacity": 10_000}))
    assert found == pytest.approx(misses, rel=1e-3)


def test_what_hits_is_no_load_of_the_service_behind() -> None:
    """1,000/s checkouts of which payment could do 333/s: too many, but not where nine of ten hit."""
    load = {"load": {"shoppers": {"rate": "1000/s", "requests": {"checkout": 1}}}}
    services = {
        "checkout": {"workers": 99, "caches": {"prices": {"hit_ratio": "0%"}}, "script": READ},
        "payment": {"workers": 4, "script": [{"compute": "24ms"}]}, "frontend": None,
    }  # fmt: skip
    gateway = {"gateway": {"routes": {"browse": None}}}

    assert any("payment is offered 1,000/s" in one for one in warnings_of({**load, **gateway, "services": services}))
    services["checkout"]["caches"] = {"prices": {"hit_ratio": "90%"}}
    assert warnings_of({**load, **gateway, "services": services}) == []


def test_a_transaction_behind_a_cache_is_there_as_often_as_that_misses() -> None:
    pools = {"db": {"maximum_pool_size": 1}}
    script = [{"cached": "prices", "script": [{"transaction": "db", "script": [{"compute": "500ms"}]}]}]

    def found(ratio: str) -> list[str]:
        checkout = {"workers": 99, "connection_pools": pools, "caches": {"prices": {"hit_ratio": ratio}}, "script": script}
        return [one for one in warnings_of({"services": {"checkout": checkout}}) if "transactions" in one]

    assert found("50%")
    assert not found("90%")
