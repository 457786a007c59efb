"""Policies that never acted: what says that each has, tested both ways."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms

FIVE_OF_250 = {"workers": 5, "script": [{"compute": "20ms"}]}
"""250/s at most by five connections of HTTP/1.1."""
OPEN = {"executor": "constant-arrival-rate", "rate": "200/s", "arrivals": "even", "requests": {"all": 1}}


def idle(
    traffic: dict[str, Any], *, load: dict[str, Any] | None = None, back: dict[str, Any] | None = None, **parts: Any
) -> list[str]:
    """Texts of one second behind a gateway, without where they are."""
    return [text.removeprefix("(gateway) to back: ") for text in summary(traffic, load=load, back=back, **parts).never_acted]


def summary(traffic: dict[str, Any], *, load: dict[str, Any] | None, back: dict[str, Any] | None, **parts: Any) -> Any:
    made = ms.load(
        {
            "name": "idle",
            "deployment": "gateway",
            "load": {"clients": {**OPEN, **(load or {})}},
            "gateway": {"routes": {"all": {"path": "/", "to": "back"}}, "proxy_time": "0s", "traffic": {"back": traffic}},
            "services": {"back": {"workers": 50, "script": [{"compute": "20ms"}], **(back or {})}},
            "run": {"duration": "1s"},
            **parts,
        }
    )
    return made.run().summary()


NO_LIMIT_REACHED = "circuit_breakers: no limit was reached"


@pytest.mark.parametrize("connections", [{}, {"connections": {"protocol": "http1"}}])
def test_a_limit_that_makes_requests_wait_has_acted(connections):
    """Five connections can carry 250/s: of 300/s each request waits, of 200/s none does."""
    limits = {"circuit_breakers": {"max_connections": 5}, **connections}

    busy = summary(limits, load={"rate": "300/s"}, back=None)
    (way,) = busy.destinations
    assert NO_LIMIT_REACHED not in str(busy.never_acted)
    assert way.counts["connection_overflows"] == way.counts["pool_waits"] > 250
    assert way.pool_wait_mean_s == pytest.approx(
        0.1, abs=0.01
    )  # the backlog grows by 50 a second, to 50 that take 20 ms / 5 each
    assert busy.total.failures == 0

    assert NO_LIMIT_REACHED in idle(limits, load={"rate": "200/s"})


@pytest.mark.parametrize(
    ("limits", "rate", "is_reached"),
    [
        ({"max_requests": 5}, "300/s", True),
        ({"max_requests": 5}, "200/s", False),
        ({"max_connections": 5, "max_pending_requests": 1}, "300/s", True),
        ({"max_pending_requests": 0}, "200/s", True),
    ],
)
def test_a_limit_that_refuses_has_acted(limits, rate, is_reached):
    assert (NO_LIMIT_REACHED in idle({"circuit_breakers": limits}, load={"rate": rate})) is not is_reached


@pytest.mark.parametrize(
    ("others", "is_reached"), [({}, True), ({"retry_budget": {"min_retry_concurrency": 1, "budget_percent": "0%"}}, False)]
)
def test_max_retries_acts_where_no_budget_stands_in_its_place(others, is_reached):
    """All fail, and at 200/s several are in their back-offs at once. Both refuse tries again, with flag UO; only one is a circuit breaker."""
    retries = {"num_retries": 3, "retry_on": ["5xx"]}
    found = idle({"retries": retries, "circuit_breakers": {"max_retries": 1}, **others}, back={"errors": "100%"})

    assert (NO_LIMIT_REACHED in found) is not is_reached
    assert NO_LIMIT_REACHED in idle({"retries": retries, "circuit_breakers": {"max_retries": 1}})


def test_a_timeout_has_acted_wherever_what_it_ended_waited():
    """Of 300/s by five connections those that wait longest are cut off in the pool, where no attempt tells of it."""
    waiting = {"timeout": "60ms", "circuit_breakers": {"max_connections": 5}}

    assert "timeout: nothing timed out" not in idle(waiting, load={"rate": "300/s"})
    assert "timeout: nothing timed out" not in idle({"timeout": "10ms"})
    assert "timeout: nothing timed out" in idle({"timeout": "60ms"})


def test_a_timeout_of_tries_is_none_of_the_call():
    tries = {"timeout": "1s", "retries": {"num_retries": 0, "per_try_timeout": "10ms"}}

    found = summary(tries, load=None, back=None)
    assert found.total.failures > 0
    assert "(gateway) to back: timeout: nothing timed out" in found.never_acted


@pytest.mark.parametrize(("timeout", "has_acted"), [("21ms", True), ("19ms", False)])
def test_a_back_off_that_the_timeout_cuts_off_was_the_retries_doing(timeout, has_acted):
    """Every request fails after 20 ms. Within 21 ms no try again can end, but the answer is now 504 and later: the policy has acted."""
    retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "10s"}}

    found = idle({"retries": retries, "timeout": timeout}, load={"rate": "20/s"}, back={"errors": "100%"})
    assert ("retries: nothing was tried again" in found) is not has_acted


def test_retries_and_hedges_that_are_sent_or_refused_have_acted():
    retries = {"retries": {"num_retries": 1, "retry_on": ["5xx"]}}
    assert "retries: nothing was tried again" in idle(retries)
    assert "retries: nothing was tried again" not in idle(retries, back={"errors": "50%"})

    assert "hedge_policy sent nothing" in idle({"hedge_policy": {"delay": "30ms"}})
    assert "hedge_policy sent nothing" not in idle({"hedge_policy": {"delay": "10ms"}})
    assert "hedge_policy sent nothing" not in idle({"hedge_policy": {"delay": "10ms"}, "circuit_breakers": {"max_retries": 0}})


def test_a_budget_that_refuses_has_acted():
    text = "the retry budget refused nothing"
    budget = {
        "retries": {"num_retries": 1, "retry_on": ["5xx"]},
        "retry_budget": {"budget_percent": "0%", "min_retry_concurrency": 1},
    }

    assert text in idle(budget)
    assert text not in idle(budget, back={"errors": "100%"})


@pytest.mark.parametrize(
    ("traffic", "text", "trouble"),
    [
        ({"outlier_detection": {"max_ejection_percent": "100%"}}, "outlier_detection ejected nobody", {"errors": "100%"}),
        ({"failure_accrual": "consecutive"}, "failure_accrual shut nobody out", {"errors": "100%"}),
        (
            {"circuit_breaker": {"minimum_number_of_calls": 5, "sliding_window_size": 5}},
            "circuit_breaker held nothing back", {"errors": "100%"},
        ),
        ({"client_throttling": {}}, "client_throttling held nothing back", {"errors": "100%"}),
        ({"concurrency_limit": {"fixed": {"limit": 20}}}, "concurrency_limit held nothing back", {"script": [{"compute": "200ms"}]}),
    ],
)  # fmt: skip
def test_what_holds_back_or_takes_out_has_acted(traffic, text, trouble):
    assert text in idle(traffic, load={"rate": "40/s"})
    assert text not in idle(traffic, back=trouble)


CHECKS = {"health_checks": {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 2, "healthy_threshold": 2}}


def test_a_check_has_acted_where_it_takes_out_or_lets_nobody_in():
    text = "health_checks changed nothing"
    crash = [{"at": "300ms", "for": "1s", "service": "back", "instances": [0], "crash": True}]

    assert text in idle(CHECKS, back={"replicas": 2})
    assert text not in idle(CHECKS, back={"replicas": 2}, faults=crash)


def test_a_copy_is_an_act():
    services = {name: {"workers": 50, "script": [{"compute": "20ms"}]} for name in ("back", "shadow")}

    assert "mirror copied nothing" not in idle({"mirror": {"to": "shadow"}}, services=services)
    assert "mirror copied nothing" in idle({"mirror": {"to": "shadow", "share": "0.0001%"}}, services=services)


def test_what_makes_requests_leave_a_queue_has_acted_where_one_was_refused():
    def found(queue, rate="200/s", **load):
        back = {"workers": 1, "script": [{"compute": "4ms"}], "queue": queue}
        texts = summary({}, load={"rate": rate, "arrivals": "poisson", **load}, back=back).never_acted
        return [text for text in texts if text.startswith("back: ")]

    lots = {"max_wait": "2ms", "shed": {"max_wait": {"limit": "1ms"}}}
    assert found(lots) == []
    assert found({"max_wait": "10s", "shed": {"max_wait": {"limit": "9s"}}}) == [
        "back: queue.max_wait refused nobody", "back: queue.shed dropped nobody",
    ]  # fmt: skip
    push_out = {"limit": 1000, "discipline": {"priority": {"push_out": True}}}
    assert found(push_out) == ["back: queue.discipline: push_out made nobody leave"]


def test_nothing_is_said_of_a_queue_that_some_have_left_whose_callers_had_gone():
    """Nobody knows what became of them: their rows say that the client gave up."""
    back = {"workers": 1, "script": [{"compute": "10ms"}], "queue": {"max_wait": "100ms"}}
    texts = summary({}, load={"rate": "300/s", "timeout": "30ms"}, back=back).never_acted

    assert [text for text in texts if text.startswith("back: ")] == []


def test_a_filter_has_acted_where_it_did_not_only_let_pass():
    def found(per_second: int) -> tuple[str, ...]:
        limit = {"token_bucket": {"max_tokens": 10, "tokens_per_fill": per_second, "fill_interval": "1s"}}
        gateway = {"routes": {"all": {"path": "/", "to": "back"}}, "proxy_time": "0s", "filters": [{"rate_limit": limit}]}
        return tuple(summary({}, load=None, back=None, gateway=gateway).never_acted)

    assert found(1000) == ("gateway: rate_limit let all 200 requests pass",)
    assert found(100) == ()
