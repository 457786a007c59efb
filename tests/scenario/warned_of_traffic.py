"""Rows for what `check` says of capacity, limits, timeouts, retries and pools."""

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
    fault,
    flagged,
    gateway,
    last_take,
    limited_tries,
    longest,
    mesh,
    to_back,
    users,
)

from meshsim.scenario.advice.remark import Kind

ONE_WORKER = back(replicas=1, workers=1)
CACHE = {"gateway": {"filters": [{"cache": {"ttl": "10s"}}]}}
KEYS = clients(keys={"count": 3})


def computing(time: str) -> dict[str, Any]:
    return back(script=[{"compute": time}])


def limited(**rule: Any) -> dict[str, Any]:
    return {"gateway": {"filters": [{"rate_limit": {"rules": [rule]}}]}}


def bucket(size: int, rate: int) -> dict[str, Any]:
    return {"limit": {"token_bucket": {"max_tokens": size, "tokens_per_fill": rate, "fill_interval": "1s"}}}


def fan(levels: int) -> dict[str, Any]:
    """Services of which each calls the next in ten places."""
    services = {
        f"s{level}": {"replicas": 1, "workers": 500, "async": True, "script": [{"call": f"s{level + 1}"}] * 10}
        for level in range(levels)
    }
    services[f"s{levels}"] = {"replicas": 1, "workers": 500, "script": [{"compute": "1us"}]}
    return {
        "name": "fan",
        "load": {"one": {"executor": "constant-vus", "vus": 1, "think_time": "1m", "requests": {"s0": 1}}},
        "services": services,
        "run": {"duration": "1s", "seed": 1},
    }


def calls(least: int, most: int) -> Any:
    return lambda result: least <= len(result.attempts) <= most


def never(retries: dict[str, Any], remedy: dict[str, Any], **service: Any) -> tuple[Any, ...]:
    """Retries that nothing sets off, and the same with a remedy."""
    failing = both(back(errors="50%", **service), {"services": {"front": {"protocol": service.get("protocol", "http")}}})
    return (
        mesh(**both(failing, calls_to_back(retries={"num_retries": 2, **retries}))),
        attempts(1, 1),
        mesh(**both(failing, calls_to_back(retries={"num_retries": 2, **retries, **remedy}))),
        attempts(1.3),
    )


CAPACITY = (
    Row(
        Kind.SERVICE_CANNOT_KEEP_UP,
        gateway(**both(ONE_WORKER, computing("30ms"))),
        last_take(1),
        gateway(**both(ONE_WORKER, computing("12ms"))),
        last_take(0, 0.3),
    ),
    Row(  # copies are work too
        Kind.SERVICE_CANNOT_KEEP_UP,
        gateway(
            **both(
                to_back(mirror={"to": "copy"}),
                {"services": {"copy": {"replicas": 1, "workers": 1, "script": [{"compute": "30ms"}]}}},
            )
        ),
        lambda result: (
            (waits := result.attempts.query("service == 'copy'")) is not None
            and (waits["started_ns"] - waits["arrived_ns"]).max() > 1e9
        ),
        gateway(
            **both(
                to_back(mirror={"to": "copy", "share": "40%"}),
                {"services": {"copy": {"replicas": 1, "workers": 1, "script": [{"compute": "30ms"}]}}},
            )
        ),
        lambda result: (
            (waits := result.attempts.query("service == 'copy'")) is not None
            and (waits["started_ns"] - waits["arrived_ns"]).max() < 1e9
        ),
    ),
    Row(  # and so is a limit of the CPU, which workers share
        Kind.SERVICE_CANNOT_KEEP_UP,
        gateway(**both(back(workers=8, cpu={"limits": "500m"}), computing("30ms"))),
        last_take(1),
        gateway(**both(back(workers=8, cpu={"limits": "2500m"}), computing("12ms"))),
        last_take(0, 0.3),
    ),
    Row(
        Kind.USERS_WAIT,
        gateway(**both(ONE_WORKER, computing("10ms"), users(20))),
        last_take(0.15),
        gateway(**both(ONE_WORKER, computing("10ms"), users(20, think_time="1s"))),
        lambda result: result.requests["latency_s"].median() < 0.15,
    ),
    Row(
        Kind.CAPACITY_NOT_CHECKED,  # and indeed it would be wrong to say that it cannot keep up
        gateway(**both(ONE_WORKER, computing("30ms"), CACHE, KEYS)),
        last_take(0, 0.1),
        gateway(**both(CACHE, KEYS)),
        last_take(0, 0.1),
        is_same=True,
    ),
    Row(
        Kind.CAPACITY_NOT_CHECKED,
        gateway(
            **both(ONE_WORKER, computing("30ms"), limited(**bucket(1, 1), key="credential"), clients(credentials={"count": 3}))
        ),
        last_take(0, 0.1),
        gateway(**both(limited(**bucket(1, 1), key="credential"), clients(credentials={"count": 3}))),
        last_take(0, 0.1),
        is_same=True,
    ),
    Row(
        Kind.GATEWAY_CANNOT_KEEP_UP,
        gateway(gateway={"workers": 1, "replicas": 1, "proxy_time": "30ms"}),
        last_take(1),
        gateway(gateway={"workers": 1, "replicas": 1, "proxy_time": "10ms"}),
        last_take(0, 0.3),
    ),
    Row(
        Kind.SIDECAR_CANNOT_KEEP_UP,
        mesh(mesh={"workers": 1, "proxy_time": "15ms"}),
        last_take(0.5),
        mesh(mesh={"workers": 1, "proxy_time": "4ms"}),
        last_take(0, 0.3),
    ),
    Row(
        Kind.RATE_LIMITED,  # 60/s, and yet: M/D/1/1 loses 0.83 / 1.83
        gateway(**limited(**bucket(1, 60))),
        flagged("RL", 0.30, 0.60),
        gateway(**limited(**bucket(60, 60))),
        flagged("RL", 0.0, 0.01),
    ),
    Row(
        Kind.RATE_LIMIT_NOT_CHECKED,
        gateway(**both(limited(**bucket(1, 10), key="credential"), clients(credentials={"count": 3}))),
        flagged("RL", 0.1),
        gateway(**limited(**bucket(60, 60))),
        flagged("RL", 0.0, 0.01),
    ),
    Row(
        Kind.NOTHING_MAY_WAIT,
        gateway(**to_back(circuit_breakers={"max_pending_requests": 0})),
        flagged("UO", 1.0),
        gateway(**to_back(circuit_breakers={"max_pending_requests": 1})),
        flagged("UO", 0.0, 0.0),
    ),
    Row(
        Kind.NOTHING_MAY_WAIT,
        gateway(**to_back(circuit_breakers={"max_pending_requests": 0}, connections={"protocol": "http2"})),
        flagged("UO", 1.0),
        gateway(**to_back(circuit_breakers={"max_pending_requests": 1}, connections={"protocol": "http2"})),
        flagged("UO", 0.0, 0.0),
    ),
    Row(
        Kind.POOL_IS_FULL,
        gateway(**both(back(replicas=1), computing("30ms"), to_back(circuit_breakers={"max_connections": 1}))),
        last_take(1),
        gateway(**both(back(replicas=1), computing("30ms"), to_back(circuit_breakers={"max_connections": 3}))),
        last_take(0, 0.5),
    ),
    Row(
        Kind.POOL_IS_FULL,
        gateway(**both(computing("60ms"), to_back(circuit_breakers={"max_requests": 2}))),
        flagged("UO", 0.2),
        gateway(**both(computing("60ms"), to_back(circuit_breakers={"max_requests": 30}))),
        flagged("UO", 0.0, 0.0),
    ),
    Row(Kind.NOT_ALL_CHAINS, fan(4), calls(10_000, 12_000), fan(3), calls(1_000, 9_999)),
)

PATIENCE = (
    Row(
        Kind.PER_TRY_TIMEOUT_NEVER_FIRES,
        gateway(
            **both(
                computing("300ms"),
                back(workers=64),
                to_back(timeout="100ms", retries={"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "200ms"}),
            )
        ),
        attempts(1, 1),
        gateway(
            **both(
                computing("300ms"),
                back(workers=64),
                to_back(timeout="100ms", retries={"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "20ms"}),
            )
        ),
        attempts(2),
    ),
    Row(
        Kind.TIMEOUT_OUTLASTS_CALLER,
        mesh(**both(clients(timeout="50ms"), computing("60ms"), calls_to_back(timeout="1s"))),
        lambda result: result.attempts["wasted_ns"].sum() > 0,
        mesh(**both(clients(timeout="50ms"), computing("5ms"), calls_to_back(timeout="50ms"))),
        lambda result: result.attempts["wasted_ns"].sum() == 0,
    ),
    Row(
        Kind.TIMEOUT_BELOW_THE_WORK,
        gateway(**both(computing("50ms"), to_back(timeout="20ms"))),
        flagged("UT", 1.0),
        gateway(**both(computing("50ms"), to_back(timeout="200ms"))),
        flagged("UT", 0.0, 0.0),
    ),
    Row(
        Kind.NOTHING_ENDS_THE_CALL,
        gateway(**both(fault(unreachable=True), clients(rate="10/s"))),
        longest(100),
        gateway(**both(fault(unreachable=True), clients(rate="10/s", timeout="1s"))),
        longest(0, 1.001),
    ),
    Row(  # a caller without a proxy has timeouts too
        Kind.NOTHING_ENDS_THE_CALL,
        mesh(**both({"deployment": "none", "mesh": None}, fault(unreachable=True), clients(rate="10/s"))),
        longest(100),
        mesh(
            **both(
                {"deployment": "none", "mesh": None, "direct": {"traffic": {"back": {"timeout": "1s"}}}},
                fault(unreachable=True),
                clients(rate="10/s"),
            )
        ),
        longest(0, 1.1),
    ),
)

AGAIN = {"num_retries": 2, "retry_on": ["5xx"]}
RETRYING = (
    Row(
        Kind.RETRIES_MULTIPLY,
        mesh(**both(back(errors="100%"), clients(retries=AGAIN), calls_to_back(retries=AGAIN))),
        attempts(8.9, 9.1),
        mesh(**both(back(errors="100%"), clients(retries={"num_retries": 0}), calls_to_back(retries=AGAIN))),
        attempts(2.9, 3.1),
    ),
    Row(Kind.NO_RETRY_CONDITION, *never({"retry_on": []}, {"retry_on": ["5xx"]})),
    Row(
        Kind.NO_RETRIABLE_CODES,
        *never({"retry_on": ["retriable-status-codes"]}, {"retriable_status_codes": [503]}),
    ),
    Row(
        Kind.CONDITION_OF_PROXIES,
        gateway(**both(limited(**bucket(1, 10)), clients(retries={"num_retries": 2, "retry_on": ["envoy-ratelimited"]}))),
        limited_tries(1, 1),
        gateway(
            **both(
                limited(**bucket(1, 10)),
                clients(retries={"num_retries": 2, "retry_on": ["retriable-status-codes"], "retriable_status_codes": [429]}),
            )
        ),
        limited_tries(1.5),
    ),
    Row(Kind.GRPC_CONDITION_OVER_HTTP, *never({"retry_on": ["unavailable"]}, {"retry_on": ["5xx"]})),
    Row(
        Kind.CODES_WITHOUT_CONDITION,
        *never(
            {"retry_on": ["connect-failure"], "retriable_status_codes": [503]},
            {"retry_on": ["connect-failure", "retriable-status-codes"]},
        ),
    ),
    Row(
        Kind.HTTP_CONDITION_OVER_GRPC,
        *never({"retry_on": ["5xx"]}, {"retry_on": ["5xx", "unavailable"]}, protocol="grpc"),
    ),
    Row(
        Kind.NO_ROOM_FOR_RETRIES,
        mesh(**both(back(errors="50%"), calls_to_back(retries=AGAIN, circuit_breakers={"max_retries": 0}))),
        attempts(1, 1),
        mesh(**both(back(errors="50%"), calls_to_back(retries=AGAIN, circuit_breakers={"max_retries": 30}))),
        attempts(1.3),
    ),
    Row(
        Kind.NO_ROOM_FOR_RETRIES,
        mesh(
            **both(
                back(errors="50%"),
                calls_to_back(retries=AGAIN, retry_budget={"budget_percent": "0%", "min_retry_concurrency": 0}),
            )
        ),
        counted("retries", 0, 0),
        mesh(
            **both(
                back(errors="50%"),
                calls_to_back(retries=AGAIN, retry_budget={"budget_percent": "0%", "min_retry_concurrency": 9}),
            )
        ),
        counted("retries", 50),
    ),
)

ROWS = CAPACITY + PATIENCE + RETRYING
