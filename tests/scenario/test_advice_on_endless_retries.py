"""What `meshsim check` warns of where retries have no end and no wait between them; that it is so is shown in test_warnings_come_true.py."""

from __future__ import annotations

from typing import Any

import pytest
from advised import traffic_of_payment, warnings_of

MANY = 2**32 - 1
AT_ONCE: dict[str, Any] = {"num_retries": MANY, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "0s"}}
SO_MANY = "4,294,967,295 retries without a wait between them: while "
REMEDY = "; write a longer back-off, or fewer num_retries"


def endless(patch: dict[str, Any]) -> list[str]:
    return [text for text in warnings_of(patch) if "without a wait" in text]


def retried(**retries: Any) -> list[str]:
    return endless(traffic_of_payment(retries={**AT_ONCE, **retries}))


def test_those_of_a_proxy_are_told() -> None:
    assert retried() == [
        (
            f"mesh.traffic.payment.retries: {SO_MANY}payment refuses at once, one request asks so often as fast as it can, until its timeout"
            f" of 1s where a try takes time, and in one instant where it takes none{REMEDY}"
        )
    ]
    (endlessly,) = endless(traffic_of_payment(retries=AT_ONCE, timeout=None))
    assert endlessly == (
        f"mesh.traffic.payment.retries: {SO_MANY}payment refuses at once, one request asks so often as fast as it can, and in one instant"
        f" where a try takes no time{REMEDY}"
    )


CALL = {"services": {"checkout": {"script": [{"call": "payment", "retries": AT_ONCE}]}}}


@pytest.mark.parametrize(
    ("patch", "path", "target", "timeout"),
    [
        ({"load": {"shoppers": {"retries": AT_ONCE}}}, "load.shoppers.retries", "frontend", "5s"),
        (CALL, "services.checkout.script[0].retries", "payment", None),
        ({"gateway": {"routes": {"browse": {"retries": AT_ONCE}}}}, "gateway.routes.browse.retries", "frontend", "2s"),
        ({"gateway": {"traffic": {"frontend": {"retries": AT_ONCE}}}}, "gateway.traffic.frontend.retries", "frontend", "2s"),
        (
            {"deployment": "gateway", "mesh": None, "direct": {"traffic": {"*": {"retries": AT_ONCE}}}},
            "direct.traffic.*.retries",
            "payment",
            None,
        ),
    ],
)
def test_so_are_those_of_clients_applications_and_routes(
    patch: dict[str, Any], path: str, target: str, timeout: str | None
) -> None:
    (text,) = endless(patch)

    assert text.startswith(f"{path}: {SO_MANY}{target} refuses at once, ")
    assert (f"until its timeout of {timeout} " in text) if timeout else "until" not in text


@pytest.mark.parametrize(
    "back_off",
    [
        {"retry_back_off": {"base_interval": "1ns"}},
        {"retry_back_off": {"base_interval": "199us"}},  # up to ten times that, in whole milliseconds below it: none
        {"retry_back_off": None, "back_off": {"constant": {"interval": "0s"}}},
        {"retry_back_off": None, "back_off": {"exponential": {"base_interval": "100ns"}}},
        {"retry_back_off": None, "back_off": {"decorrelated_jitter": {"base_interval": "0s"}}},
    ],
)
def test_what_a_back_off_waits_is_looked_at_and_not_what_it_begins_with(back_off: dict[str, Any]) -> None:
    assert len(retried(**back_off)) == 1


@pytest.mark.parametrize(
    "back_off",
    [
        {"retry_back_off": {"base_interval": "25ms"}},
        {"retry_back_off": {"base_interval": "200us"}},
        {"retry_back_off": {"base_interval": "1ns", "max_interval": "1s"}},
        {"retry_back_off": None, "back_off": {"constant": {"interval": "2us"}}},
        {"num_retries": 999},
    ],
)
def test_retries_that_wait_in_the_end_and_few_of_them_are_not_told(back_off: dict[str, Any]) -> None:
    assert retried(**back_off) == []


def test_what_ends_the_retries_of_one_request_is_seen_and_what_counts_those_at_once_does_not() -> None:
    def limited(**limit: Any) -> int:
        return len(endless(traffic_of_payment(retries=AT_ONCE, **limit)))

    assert limited(circuit_breakers={"max_retries": 1}) == 1
    assert limited(circuit_breakers={"max_retries": 0}) == 0
    assert limited(retry_budget={"budget_percent": "20%"}) == 1
    assert limited(retry_budget={"budget_percent": "0%", "min_retry_concurrency": 0}) == 0
    assert limited(retry_token_budget={"retry_quota": {}}) == 0


def test_a_limit_of_the_proxy_does_not_end_those_of_the_application() -> None:
    limit = traffic_of_payment(retry_token_budget={"retry_quota": {}}, circuit_breakers={"max_retries": 0})

    assert len(endless(limit | CALL)) == 1


def test_in_ambient_mode_it_is_the_waypoint_that_retries() -> None:
    ambient = {"mode": "ambient", "traffic": {"payment": {"retries": AT_ONCE}}, "waypoints": {"services": {"payment": {}}}}

    assert len(endless({"defaults": "istio-1.29", "mesh": ambient})) == 1
