"""Rows for what `check` says of ejections that end early, instances that leave late, retries that never end, and queues."""

from __future__ import annotations

from typing import Any

from warned_scenarios import (
    Row,
    attempts,
    back,
    both,
    calls_to_back,
    clients,
    counted,
    every,
    failed,
    fault,
    gateway,
    longest,
    mesh,
    to_back,
    users,
)

from meshsim.scenario.advice.remark import Kind

BUSY = clients(rate="200/s")
ONE_FAILS = fault(errors="100%", instances=[0])
CHECKED = {"interval": "200ms", "timeout": "100ms", "unhealthy_threshold": 3, "healthy_threshold": 1}
EJECTING = {"consecutive_5xx": 3, "max_ejection_percent": "50%", "enforcing_success_rate": "0%"}


def ejecting(**settings: Any) -> dict[str, Any]:
    made = to_back(health_checks=CHECKED, outlier_detection={**EJECTING, **settings})
    return gateway(**both(BUSY, ONE_FAILS, made))


def leaving(change: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return gateway(**both({"defaults": "envoy-1.40"}, BUSY, back(**change), to_back(health_checks=CHECKED, **settings)))


SCALED_IN = {"scale": [{"at": "1s", "replicas": 1}]}
RESTARTED = {"restarts": [{"at": "1s"}], "startup_time": "500ms"}
CHECKS = (
    Row(  # out for the two seconds of the fault, and 200 ms at a time
        Kind.CHECKS_END_EJECTIONS,
        ejecting(),
        every(counted("ejections", 7), failed(0.03)),
        ejecting(successful_active_health_check_uneject_host=False),
        every(counted("ejections", 1, 1), failed(0, 0.01)),
    ),
    Row(  # the first one ends by itself as soon, and those after it would not
        Kind.CHECKS_END_EJECTIONS,
        ejecting(interval="50ms", base_ejection_time="200ms"),
        counted("ejections", 7),
        ejecting(interval="50ms", base_ejection_time="200ms", max_ejection_time="200ms"),
        counted("ejections", 7),
        is_same=True,
    ),
    Row(
        Kind.CHECKS_PUT_LEAVING_OFF,
        leaving(SCALED_IN),
        failed(0.03, 0.08),  # half of 120 requests in 600 ms at the most, of 800
        leaving(SCALED_IN, ignore_health_on_host_removal=True),
        failed(0, 0),
    ),
    Row(
        Kind.CHECKS_PUT_LEAVING_OFF,
        leaving(RESTARTED),
        failed(0.03),
        leaving(RESTARTED, ignore_health_on_host_removal=True),
        failed(0, 0),
    ),
)

AT_ONCE = both(back(script=[]), fault(errors="100%"), clients(rate="10/s"))
"""Nothing takes any time, and nothing works for 2 s."""
ENDLESS: dict[str, Any] = {"num_retries": 2**32 - 1, "retry_on": ["5xx"]}
WITHOUT_WAIT = {**ENDLESS, "retry_back_off": {"base_interval": "0s"}}
WITH_WAIT = {**ENDLESS, "retry_back_off": {"base_interval": "25ms"}}
FEW = {**WITHOUT_WAIT, "num_retries": 3}


def is_ended(result: Any) -> bool:
    """Whether the run had to be ended in one instant."""
    return "without end and without a wait" in result.why_ended


def goes_on(result: Any) -> bool:
    """Whether it had not."""
    return not result.interrupted


def at_gateway(retries: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return gateway(**both(AT_ONCE, to_back(retries=retries, **settings)))


def at_route(retries: dict[str, Any]) -> dict[str, Any]:
    return gateway(**both(AT_ONCE, {"gateway": {"routes": {"all": {"retries": retries}}}}))


def in_script(retries: dict[str, Any]) -> dict[str, Any]:
    return mesh(**both(AT_ONCE, {"services": {"front": {"script": [{"call": "back", "retries": retries}]}}}))


def in_time(retries: dict[str, Any]) -> dict[str, Any]:
    """Over a network that takes 0.5 ms each way."""
    return gateway(**both(AT_ONCE, {"network": {"same_zone": "500us"}}, to_back(retries=retries, timeout="100ms")))


def kept(**back_off: Any) -> dict[str, Any]:
    return {**ENDLESS, "back_off": back_off}


def row(earns: dict[str, Any], beside: dict[str, Any], *shows_beside: Any) -> Row:
    return Row(Kind.RETRIES_WITHOUT_END, earns, is_ended, beside, every(goes_on, *shows_beside))


RETRYING = (
    row(at_gateway(WITHOUT_WAIT), at_gateway(WITH_WAIT), failed(0, 0)),
    row(at_gateway(WITHOUT_WAIT), at_gateway(FEW), failed(0.3)),
    row(mesh(**both(AT_ONCE, calls_to_back(retries=WITHOUT_WAIT))), mesh(**both(AT_ONCE, calls_to_back(retries=FEW)))),
    row(at_route(WITHOUT_WAIT), at_route(FEW), failed(0.3)),
    row(gateway(**both(AT_ONCE, clients(retries=WITHOUT_WAIT))), gateway(**both(AT_ONCE, clients(retries=FEW))), failed(0.3)),
    row(in_script(WITHOUT_WAIT), in_script(FEW), failed(0.3)),
    row(at_gateway(kept(constant={"interval": "0s"})), at_gateway(kept(constant={"interval": "25ms"})), failed(0, 0)),
    row(  # Envoy waits whole milliseconds; what doubles waits in the end
        at_gateway({**ENDLESS, "retry_back_off": {"base_interval": "100us"}}),
        at_gateway({**ENDLESS, "retry_back_off": {"base_interval": "100us", "max_interval": "1s"}}),
        failed(0, 0),
    ),
    row(  # how many there are at once, and how many there are
        at_gateway(WITHOUT_WAIT, retry_budget={"budget_percent": "20%", "min_retry_concurrency": 3}),
        at_gateway(WITHOUT_WAIT, retry_token_budget={"leaky_budget": {"min_retries_per_second": 1}}),
        failed(0.3),
    ),
    row(at_gateway(WITHOUT_WAIT), at_gateway(WITHOUT_WAIT, circuit_breakers={"max_retries": 0}), failed(0.3)),
    Row(  # where time passes the timeout ends it: about 100 tries
        Kind.RETRIES_WITHOUT_END,
        in_time(WITHOUT_WAIT),
        every(goes_on, attempts(40), failed(0.3)),
        in_time(WITH_WAIT),
        every(goes_on, attempts(1, 10), failed(0.3)),
    ),
)

LINKERD = {"defaults": "linkerd-2.19"}
BREAKING = {"failure_accrual": {"consecutive": {"min_penalty": "1s", "max_penalty": "1s", "jitter_ratio": 0}}}


def queueing(*changes: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Through Linkerd to instances that all fail for 2 s."""
    return mesh(**both(LINKERD, fault(errors="100%"), calls_to_back(**settings), *changes))


AWAY = back(scale=[{"at": "1s", "replicas": 0}, {"at": "3s", "replicas": 2}])
"""Nobody is there for 2 s."""
EJECT_ALL = {"outlier_detection": {"consecutive_5xx": 3, "max_ejection_percent": "100%", "interval": "100ms"}}


def away(*changes: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return mesh(**both(LINKERD, AWAY, calls_to_back(**settings), *changes))


MANY_USERS = users(20, think_time="100ms")
QUEUES = (
    Row(
        Kind.NOTHING_FILLS_THE_QUEUE,
        queueing(balancer_queue={"capacity": 100}),
        every(failed(0.3), counted("endpoint_waits", 0, 0)),
        queueing(balancer_queue={"capacity": 100}, **BREAKING),
        every(failed(0, 0.2), counted("endpoint_waits", 30)),
    ),
    Row(  # a panic
        Kind.NOTHING_FILLS_THE_QUEUE,
        queueing(balancer_queue={"capacity": 100}, healthy_panic_threshold="50%", **EJECT_ALL),
        every(failed(0.3), counted("endpoint_waits", 0, 0)),
        queueing(balancer_queue={"capacity": 100}, **EJECT_ALL),
        counted("endpoint_waits", 30),
    ),
    Row(
        Kind.QUEUE_IS_FULL_AT_ONCE,
        away(balancer_queue={"capacity": 9}),
        failed(0.3),
        away(balancer_queue={"capacity": 190}),
        failed(0, 0),
    ),
    Row(  # no more can wait than the caller has workers
        Kind.QUEUE_IS_FULL_AT_ONCE,
        away(balancer_queue={"capacity": 9}),
        failed(0.3),
        away({"services": {"front": {"workers": 8}}}, balancer_queue={"capacity": 9}),
        failed(0, 0),
    ),
    Row(  # users wait, and do not ask for more
        Kind.QUEUE_IS_FULL_AT_ONCE,
        away(balancer_queue={"capacity": 30}),
        failed(0.1),
        away(MANY_USERS, balancer_queue={"capacity": 30}),
        failed(0, 0),
    ),
    Row(
        Kind.TIMEOUT_ENDS_NO_WAIT,
        away(timeout="200ms"),
        every(failed(0.3), longest(1.9)),
        away(timeout="200ms", balancer_queue={"failfast_timeout": "200ms"}),
        every(failed(0.3), longest(0, 0.21)),
    ),
    Row(
        Kind.TIMEOUT_ENDS_NO_WAIT,
        away(timeout="200ms"),
        longest(1.9),
        mesh(**both({"defaults": "istio-1.29"}, AWAY, calls_to_back(timeout="200ms"))),
        longest(0, 0.3),
    ),
)

ROWS = CHECKS + RETRYING + QUEUES
