"""What `meshsim check` warns of where requests are hashed, and where nothing pays for retries."""

from __future__ import annotations

from typing import Any

import pytest
from advised import traffic_of_payment, warnings_of


def test_a_hash_balancer_without_a_hash_is_told() -> None:
    texts = warnings_of(traffic_of_payment(load_balancer="maglev"))

    assert texts == [
        (
            "mesh.traffic.payment.load_balancer: maglev has nothing to hash for payment, so that every request goes to a host at"
            " random; write hash_on: key, and give the load `keys: {count: 1000}`"
        )
    ]


def test_a_hash_balancer_inside_subsetting_is_told() -> None:
    inside = {"deterministic_subsetting": {"load_balancer": {"ring_hash": {}}}}

    assert "deterministic_subsetting has nothing to hash" in warnings_of(traffic_of_payment(load_balancer=inside))[0]


@pytest.mark.parametrize(
    ("what", "load", "told"),
    [
        ("key", {}, "no load that reaches payment (shoppers) has `keys`, so that every request goes to a host at random"),
        (
            "consumer",
            {},
            "no load that reaches payment (shoppers) has a `consumer`, so that every request goes to a host at random",
        ),
        ("user", {}, "no load that reaches payment (shoppers) has users who come back"),
        ("key", {"keys": {"count": 100}}, None),
        ("consumer", {"consumer": "web"}, None),
        ("user", {"executor": "constant-vus", "vus": 10, "think_time": "1s", "rate": None, "arrivals": None}, None),
        ("route", {}, None),
    ],
)
def test_a_hash_of_what_no_load_has_is_told(what: str, load: dict[str, Any], told: str | None) -> None:
    texts = warnings_of({"load": {"shoppers": load}, **traffic_of_payment(load_balancer="ring_hash", hash_on=what)})

    if told is None:
        assert texts == []
    else:
        (text,) = texts
        assert text.startswith(f"mesh.traffic.payment.hash_on: {told}")


def test_a_hash_without_a_hash_balancer_is_told() -> None:
    keyed = {"load": {"shoppers": {"keys": {"count": 100}}}}

    assert warnings_of({**keyed, **traffic_of_payment(hash_on="key")}) == [
        (
            "mesh.traffic.payment.hash_on: nothing hashes the requests to payment; write load_balancer: ring_hash or maglev"
            " beside it"
        )
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"retry_budget": {"budget_percent": "0%", "min_retry_concurrency": 0}},
            "retry_budget: the budget is 0% of the requests, with min_retry_concurrency: 0: what fails at payment is never tried again",
        ),
        (
            {"circuit_breakers": {"max_retries": 0}},
            "circuit_breakers.max_retries: max_retries: 0 leaves room for no retry: what fails at payment is never tried again",
        ),
        (
            {"retry_token_budget": {"leaky_budget": {"retry_ratio": 0, "min_retries_per_second": 0}}},
            "retry_token_budget: the budget gives no tokens: what fails at payment is never tried again",
        ),
    ],
)
def test_retries_that_nothing_pays_for_are_told(settings: dict[str, Any], told: str) -> None:
    (warning,) = warnings_of(traffic_of_payment(**settings))

    assert warning == f"mesh.traffic.payment.{told}; write more, or num_retries: 0"
    assert warnings_of(traffic_of_payment(**settings, retries={"num_retries": 0})) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"retry_budget": {"budget_percent": "0%", "min_retry_concurrency": 1}},
        {"retry_budget": {"budget_percent": "10%", "min_retry_concurrency": 0}},
        {"retry_budget": {"budget_percent": "10%"}, "circuit_breakers": {"max_retries": 0}},
        {"circuit_breakers": {"max_retries": 1}},
        {"retry_token_budget": {"leaky_budget": {"retry_ratio": 0}}},
    ],
)
def test_retries_that_are_paid_for_are_not_told(settings: dict[str, Any]) -> None:
    assert warnings_of(traffic_of_payment(**settings)) == []


def test_a_gateways_routes_without_room_for_their_retries_are_told() -> None:
    def of(retries: dict[str, Any]) -> list[str]:
        breakers = {"frontend": {"circuit_breakers": {"max_retries": 0}}}
        return warnings_of({"gateway": {"traffic": breakers, "routes": {"browse": {"retries": retries}}}})

    assert of({"num_retries": 0}) == []
    (warning,) = of({"num_retries": 1})
    assert warning.startswith("gateway.traffic.frontend.circuit_breakers.max_retries: max_retries: 0 leaves room for no retry")


def test_a_per_try_timeout_longer_than_the_timeout_is_told() -> None:
    (warning,) = warnings_of(traffic_of_payment(timeout="200ms"))

    assert (
        "per_try_timeout is 300ms, and the timeout over all tries of sidecar of checkout is 200ms: per_try_timeout never fires"
        in warning
    )
