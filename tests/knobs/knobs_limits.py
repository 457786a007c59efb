"""Knobs of limits, breakers, connections, mirrors and splits."""

from __future__ import annotations

from knob import Knob

B = "mesh.traffic.b"
CB = f"{B}.circuit_breaker"
BREAK = (
    f"{CB}.sliding_window_size=20",
    f"{CB}.minimum_number_of_calls=10",
    f"{CB}.wait_duration_in_open_state=200ms",
    f"{CB}.permitted_number_of_calls_in_half_open_state=5",
)

LIMITS = [
    Knob(
        "TrafficSection.circuit_breaker CircuitBreaker.failure_rate_threshold",
        "storm",
        f"{CB}.failure_rate_threshold",
        ("30%", "100%"),
        "breaker rejected",
        "less",
        BREAK,
    ),
    Knob(
        "CircuitBreaker.sliding_window_type",
        "storm",
        f"{CB}.sliding_window_type",
        ("count_based", "time_based"),
        "breaker rejected",
        "other",
        (*BREAK, f"{CB}.sliding_window_size=1", f"{CB}.minimum_number_of_calls=1"),
    ),
    Knob(
        "CircuitBreaker.sliding_window_size",
        "faulty host",
        f"{CB}.sliding_window_size",
        ("4", "100"),
        "breaker rejected",
        "less",
        (*BREAK, f"{CB}.minimum_number_of_calls=4"),
    ),
    Knob(
        "CircuitBreaker.minimum_number_of_calls",
        "storm",
        f"{CB}.minimum_number_of_calls",
        ("5", "100"),
        "breaker rejected",
        "less",
        (*BREAK, f"{CB}.sliding_window_size=200"),
    ),
    Knob(
        "CircuitBreaker.slow_call_rate_threshold",
        "slow host",
        f"{CB}.slow_call_rate_threshold",
        ("10%", "90%"),
        "breaker rejected",
        "less",
        (*BREAK, f"{CB}.slow_call_duration_threshold=20ms"),
    ),
    Knob(
        "CircuitBreaker.slow_call_duration_threshold",
        "slow host",
        f"{CB}.slow_call_duration_threshold",
        ("20ms", "5s"),
        "breaker rejected",
        "less",
        (*BREAK, f"{CB}.slow_call_rate_threshold=10%"),
    ),
    Knob(
        "CircuitBreaker.wait_duration_in_open_state",
        "storm",
        f"{CB}.wait_duration_in_open_state",
        ("50ms", "1s"),
        "breaker rejected",
        "more",
        BREAK,
    ),
    Knob(
        "CircuitBreaker.permitted_number_of_calls_in_half_open_state",
        "storm",
        f"{CB}.permitted_number_of_calls_in_half_open_state",
        ("1", "40"),
        "attempts",
        "more",
        BREAK,
    ),
    Knob(
        "CircuitBreaker.max_wait_duration_in_half_open_state",
        "storm",
        f"{CB}.max_wait_duration_in_half_open_state",
        ("0s", "5ms"),
        "breaker rejected",
        "more",
        BREAK,
    ),
    Knob(
        "TrafficSection.client_throttling ClientThrottling.k",
        "storm",
        f"{B}.client_throttling.k",
        ("1.1", "10"),
        "throttled",
        "less",
    ),
    Knob(
        "ClientThrottling.window",
        "faulty host",
        f"{B}.client_throttling.window",
        ("200ms", "60s"),
        "throttled",
        "other",
        (f"{B}.client_throttling.k=1.1",),
    ),
    *(
        Knob(
            f"TrafficSection.concurrency_limit ConcurrencyLimitChoice.{owner.lower()} {owner}.{name}",
            "busy",
            f"{B}.concurrency_limit.{owner.lower()}.{name}",
            values,
            measure,
            direction,
            tuple(f"{B}.concurrency_limit.{owner.lower()}.{one}" for one in also),
        )
        for owner, name, values, measure, direction, also in (
            ("Fixed", "limit", ("1", "50"), "limited", "less", ()),
            ("Aimd", "initial_limit", ("1", "40"), "limit", "more", ("min_limit=1",)),
            ("Aimd", "min_limit", ("1", "10"), "limit", "more", ("initial_limit=10", "timeout=10ms")),
            ("Aimd", "max_limit", ("2", "50"), "limit", "more", ("initial_limit=2", "min_limit=1")),
            ("Aimd", "backoff_ratio", ("0.5", "0.95"), "limit", "more", ("initial_limit=20", "min_limit=1", "timeout=30ms")),
            ("Aimd", "timeout", ("5ms", "5s"), "limit", "more", ("initial_limit=20", "min_limit=1")),
            ("Gradient2", "initial_limit", ("2", "40"), "limit", "more", ("min_limit=1",)),
            ("Gradient2", "min_limit", ("1", "12"), "limit", "more", ("initial_limit=12",)),
            ("Gradient2", "max_limit", ("2", "50"), "limit", "more", ("initial_limit=2", "min_limit=1")),
            ("Gradient2", "queue_size", ("1", "8"), "limit", "more", ("initial_limit=4", "min_limit=1")),
            ("Gradient2", "rtt_tolerance", ("1", "3"), "limit", "more", ("initial_limit=10", "min_limit=1")),
            ("Gradient2", "long_window", ("2", "600"), "limit", "other", ("initial_limit=10", "min_limit=1")),
            ("Gradient2", "smoothing", ("0.05", "1"), "limit", "other", ("initial_limit=10", "min_limit=1")),
            ("Vegas", "initial_limit", ("1", "40"), "limit", "more", ()),
            ("Vegas", "max_limit", ("2", "50"), "limit", "more", ("initial_limit=2",)),
            ("Vegas", "smoothing", ("0.05", "1"), "limit", "other", ("initial_limit=10",)),
            ("Vegas", "probe_multiplier", ("1", "1000"), "limit", "other", ("initial_limit=10",)),
        )
    ),
]


S = "services.b"
SHEDDING = [
    Knob(
        "QueueSection.shed LoadSheddingChoice.max_wait MaxWait.limit",
        "busy",
        f"{S}.queue.shed.max_wait.limit",
        ("5ms", "5s"),
        "failures",
        "other",
    ),
    Knob(
        "LoadSheddingChoice.codel Codel.target",
        "busy",
        f"{S}.queue.shed.codel.target",
        ("1ms", "40ms"),
        "failures",
        "other",
        (f"{S}.queue.shed.codel.interval=50ms",),
    ),
    Knob("ControlledDelay.target", "busy", f"{S}.queue.shed.controlled_delay.target", ("1ms", "40ms"), "failures", "less"),
    Knob("ControlledDelay.interval", "busy", f"{S}.queue.shed.controlled_delay.interval", ("10ms", "80ms"), "failures", "less"),
    Knob("Codel.interval", "busy", f"{S}.queue.shed.codel.interval", ("10ms", "10s"), "failures", "other"),
]
D = f"{S}.queue.discipline"
QUEUEING = [
    Knob(
        "AdaptiveLifo.switch_threshold", "busy", f"{D}.adaptive_lifo.switch_threshold", ("0", "50"), "spread of latency", "less"
    ),
    Knob("Fair.push_out", "two classes", f"{D}.fair.push_out", ("false", "true"), "failures of users", "less"),
    Knob("Priority.push_out", "two classes", f"{D}.priority.push_out", ("false", "true"), "failures of users", "less"),
]
KNOBS = [*LIMITS, *SHEDDING, *QUEUEING]
