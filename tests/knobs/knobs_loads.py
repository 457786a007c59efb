"""Knobs of loads."""

from __future__ import annotations

from knob import Knob

GF = "gateway.filters"


def filters(text: str) -> str:
    """The gateway's filters as one value."""
    return f"[{{{text}}}]"


def bucket(tokens: int, fill: int, interval: str, more: str = "") -> str:
    return filters(
        f"rate_limit: {{token_bucket: {{max_tokens: {tokens}, tokens_per_fill: {fill}, fill_interval: {interval}}}{more}}}"
    )


LOADS = [
    Knob("ConstantArrivalRate.rate ConstantArrivalRate.executor", "chain", "load.users.rate", ("50/s", "200/s"), "requests"),
    Knob("ConstantArrivalRate.requests", "chain", "load.users.requests", ("{main: 1}", "{main: 1, /nowhere: 1}"), "failures"),
    Knob("ConstantArrivalRate.timeout", "busy", "load.users.timeout", ("2s", "30ms"), "failures"),
    Knob(
        "ConstantArrivalRate.retries",
        "errors",
        "load.users.retries",
        ("{num_retries: 0, retry_on: [5xx]}", "{num_retries: 2, retry_on: [5xx]}"),
        "failures",
        "less",
    ),
    Knob(
        "ConstantArrivalRate.consumer RateLimit.key",
        "two consumers",
        GF,
        (bucket(20, 20, "1s"), bucket(20, 20, "1s", ", key: consumer")),
        "failures",
        "less",
    ),
    Knob("ConstantArrivalRate.zone", "zones", "load.users.zone", ("x", "y"), "mean"),
    Knob("ConstantArrivalRate.start", "chain", "load.users.start", ("0s", "1s"), "first arrival"),
    Knob("ConstantArrivalRate.duration", "chain", "load.users.duration", ("1s", "2s"), "last arrival"),
    Knob("ConstantArrivalRate.arrivals", "chain", "load.users.arrivals", ("poisson", "uniform"), "requests", "other"),
    Knob("ConstantArrivalRate.keys KeysSection.count", "keys", "load.users.keys.count", ("1", "1000"), "busiest", "less"),
    Knob("KeysSection.zipf", "keys", "load.users.keys.zipf", ("0", "4"), "busiest", "more"),
    Knob(
        "RampingArrivalRate.executor RampingArrivalRate.start_rate", "ramp", "load.users.start_rate", ("1/s", "300/s"), "requests"
    ),
    Knob(
        "RampingArrivalRate.stages RateStage.target",
        "ramp",
        "load.users.stages",
        ("[{target: 10/s, duration: 3s}]", "[{target: 300/s, duration: 3s}]"),
        "requests",
    ),
    Knob(
        "RateStage.duration",
        "ramp",
        "load.users.stages",
        ("[{target: 100/s, duration: 1s}]", "[{target: 100/s, duration: 3s}]"),
        "last arrival",
    ),
    Knob("ConstantUsers.executor ConstantUsers.vus", "users", "load.users.vus", ("2", "12"), "requests"),
    Knob("ConstantUsers.think_time", "users", "load.users.think_time", ("10ms", "200ms"), "requests", "less"),
    Knob("ConstantUsers.duration", "users", "load.users.duration", ("1s", "2s"), "last arrival"),
    Knob("RampingUsers.executor RampingUsers.start_vus", "ramping users", "load.users.start_vus", ("0", "8"), "requests"),
    Knob(
        "RampingUsers.stages UserStage.target",
        "ramping users",
        "load.users.stages",
        ("[{target: 1, duration: 2s}]", "[{target: 9, duration: 2s}]"),
        "requests",
    ),
    Knob(
        "UserStage.duration",
        "ramping users",
        "load.users.stages",
        ("[{target: 4, duration: 500ms}]", "[{target: 4, duration: 2s}]"),
        "last arrival",
    ),
]

KNOBS = [*LOADS]
