"""Keys of what a proxy does for the calls to a destination: the blocks of `traffic`, retries, their budgets, limits."""

from __future__ import annotations

from typing import Any

import keys_measures as measure
from keys_worlds import (
    ALL_LOST,
    ONE_CRASHES,
    ONE_FAILS,
    ONE_SLOW,
    RETRIES,
    Section,
    mesh_world,
    traffic_to_back,
)
from rows import Row

BROKEN = {"errors": "100%"}
EJECTION = {"consecutive_5xx": 3, "interval": "100ms", "base_ejection_time": "10s", "max_ejection_percent": "100%"}
CHECKS = {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 2, "healthy_threshold": 1}
BURST = {"rate": "300/s", "arrivals": "poisson"}
TWO_FAIL_IN_TURN = [
    {"at": "0s", "for": "1h", "service": "back", "instances": [0], "errors": "100%"},
    {"at": "200ms", "for": "1h", "service": "back", "instances": [1], "errors": "100%"},
]
IN_ZONES: dict[str, Any] = {
    "front": {"zone": "x"},
    "load": {"zone": "x"},
    "back": {"zones": {"x": 2, "y": 2}},
    "network": {"same_zone": "1ms", "cross_zone": "20ms"},
}
BOTH = {
    "front": {"workers": 1000, "script": [{"call": "back"}]},
    "back": {"workers": 100, "script": [{"compute": "10ms"}]},
    "other": {"workers": 100, "script": [{"compute": "10ms"}]},
}


def retries(**settings: object) -> Section:
    """A change of the retries of the calls to the back."""
    return traffic_to_back(retries=settings)


def health_rows() -> list[Row]:
    """Rows of blocks that say which hosts may be sent to."""
    failing = mesh_world({"load_balancer": "round_robin"}, {"replicas": 4}, faults=ONE_FAILS)
    crashing = mesh_world({"healthy_panic_threshold": "0%"}, {"replicas": 2}, faults=ONE_CRASHES)
    away = mesh_world(back={"scale": [{"at": "300ms", "replicas": 0}, {"at": "700ms", "replicas": 1}]})
    ejected = mesh_world({"outlier_detection": EJECTION, "update_merge_window": "0s"}, {"replicas": 2}, faults=ONE_FAILS)
    reserve = mesh_world(
        {"outlier_detection": EJECTION, "locality": "ignore_zones", "healthy_panic_threshold": "0%"},
        {"replicas": 4, "priorities": [0, 0, 1, 1]}, faults=ONE_FAILS,
    )  # fmt: skip
    in_turn = mesh_world(
        {"outlier_detection": EJECTION, "healthy_panic_threshold": "0%"}, {"replicas": 4}, faults=TWO_FAIL_IN_TURN
    )
    leaving = mesh_world(
        {"health_checks": {**CHECKS, "interval": "300ms"}},
        {"replicas": 2, "scale": [{"at": "400ms", "replicas": 1}], "termination_grace_period": "0s"},
    )
    return [
        Row("TrafficSection.outlier_detection", failing, {}, traffic_to_back(outlier_detection=EJECTION), measure.failures, "less"),
        Row(
            "TrafficSection.failure_accrual", failing, {}, traffic_to_back(failure_accrual={"consecutive": {"max_failures": 3}}),
            measure.failures, "less",
        ),
        Row("TrafficSection.health_checks", crashing, {}, traffic_to_back(health_checks=CHECKS), measure.failures, "less"),
        Row("TrafficSection.balancer_queue", away, {}, traffic_to_back(balancer_queue={"failfast_timeout": "1s"}), measure.failures, "less"),
        Row(
            "BalancerQueueSection.failfast_timeout", away, traffic_to_back(balancer_queue={"failfast_timeout": "1s"}),
            traffic_to_back(balancer_queue={"failfast_timeout": "100ms"}), measure.counted("failfasts"), "more",
        ),
        Row(
            "BalancerQueueSection.capacity", away, traffic_to_back(balancer_queue={"failfast_timeout": "1s"}),
            traffic_to_back(balancer_queue={"failfast_timeout": "1s", "capacity": 5}), measure.failures, "more",
        ),
        Row(
            "TrafficSection.healthy_panic_threshold", ejected, traffic_to_back(healthy_panic_threshold="0%"),
            traffic_to_back(healthy_panic_threshold="90%"), measure.counted("panic_picks"), "more",
        ),
        Row(
            "TrafficSection.overprovisioning_factor", reserve, traffic_to_back(overprovisioning_factor=100),
            traffic_to_back(overprovisioning_factor=200), measure.share_of(2, 3), "less",
        ),
        Row(
            "TrafficSection.ignore_health_on_host_removal", leaving, traffic_to_back(ignore_health_on_host_removal=True),
            traffic_to_back(ignore_health_on_host_removal=False), measure.failures, "more",
        ),
        Row(
            "TrafficSection.update_merge_window", in_turn, traffic_to_back(update_merge_window="0s"),
            traffic_to_back(update_merge_window="10s"), measure.failures, "more",
        ),
    ]  # fmt: skip


def choice_rows() -> list[Row]:
    """Rows of blocks that say which host it is."""
    four = mesh_world({"load_balancer": "ring_hash"}, {"replicas": 4}, load={"keys": {"count": 1}})
    versions = mesh_world({}, {"replicas": 2, "subsets": {"v1": 1, "v2": 1}})
    services = mesh_world(services=BOTH)
    return [
        Row(
            "TrafficSection.load_balancer", mesh_world(back={"replicas": 4}), traffic_to_back(load_balancer="round_robin"),
            traffic_to_back(load_balancer="random"), measure.spread, "more",
        ),
        Row("TrafficSection.hash_on", four, {}, traffic_to_back(hash_on="key"), measure.instances_used, "less"),
        Row(
            "TrafficSection.locality", mesh_world(**IN_ZONES), {}, traffic_to_back(locality="locality_failover"), measure.latency, "less",
        ),
        Row(
            "TrafficSection.split", versions, traffic_to_back(split={"v1": 9, "v2": 1}), traffic_to_back(split={"v1": 1, "v2": 9}),
            measure.share_of(0), "less",
        ),
        Row("TrafficSection.mirror", services, {}, traffic_to_back(mirror={"to": "other"}), measure.attempts_at("other"), "more"),
    ]  # fmt: skip


def limit_rows() -> list[Row]:
    """Rows of blocks that hold requests back, give them up, or send more of them."""
    plain, broken = mesh_world(), mesh_world(back=BROKEN)
    retried = mesh_world({"retries": RETRIES}, BROKEN)
    one_slow = mesh_world({"load_balancer": "round_robin"}, {"replicas": 2}, faults=ONE_SLOW)
    return [
        Row("TrafficSection.timeout", plain, {}, traffic_to_back(timeout="5ms"), measure.flagged("UT"), "more"),
        Row("TrafficSection.idle_timeout", plain, {}, traffic_to_back(idle_timeout="5ms"), measure.flagged("SI"), "more"),
        Row(
            "TrafficSection.connect_timeout", mesh_world(faults=ALL_LOST), traffic_to_back(connect_timeout="50ms"),
            traffic_to_back(connect_timeout="200ms"), measure.latency, "more",
        ),
        Row("TrafficSection.connections", plain, {}, traffic_to_back(connections={}), measure.counted("opened"), "more"),
        Row("TrafficSection.retries", mesh_world(back={"errors": "50%"}), {}, retries(**RETRIES), measure.failures, "less"),
        Row(
            "TrafficSection.retry_budget", retried, {}, traffic_to_back(retry_budget={"budget_percent": "0%", "min_retry_concurrency": 0}),
            measure.counted("retries_refused"), "more",
        ),
        Row(
            "TrafficSection.retry_token_budget", retried, {}, traffic_to_back(retry_token_budget={"retry_quota": {"capacity": 50}}),
            measure.counted("retries_refused"), "more",
        ),
        Row("TrafficSection.circuit_breakers", plain, {}, traffic_to_back(circuit_breakers={"max_requests": 0}), measure.flagged("UO"), "more"),
        Row("TrafficSection.hedge_policy", one_slow, {}, traffic_to_back(hedge_policy={"delay": "20ms"}), measure.latency, "less"),
        Row(
            "TrafficSection.circuit_breaker", broken, {}, traffic_to_back(circuit_breaker={"minimum_number_of_calls": 5}),
            measure.counted("breaker_rejected"), "more",
        ),
        Row("TrafficSection.client_throttling", broken, {}, traffic_to_back(client_throttling={}), measure.counted("throttled"), "more"),
        Row(
            "TrafficSection.concurrency_limit", mesh_world(load=BURST), {}, traffic_to_back(concurrency_limit={"fixed": {"limit": 1}}),
            measure.counted("limited"), "more",
        ),
        Row(
            "CircuitBreakersSection.max_connections", mesh_world({"connections": {"protocol": "http1"}}, load=BURST),
            traffic_to_back(circuit_breakers={"max_connections": 1}), traffic_to_back(circuit_breakers={"max_connections": 9}),
            measure.counted("pool_waits"), "less",
        ),
        Row(
            "CircuitBreakersSection.max_pending_requests",
            mesh_world({"connections": {"protocol": "http1"}, "circuit_breakers": {"max_connections": 1}}, load=BURST),
            traffic_to_back(circuit_breakers={"max_pending_requests": 1}), traffic_to_back(circuit_breakers={"max_pending_requests": 50}),
            measure.flagged("UO"), "less",
        ),
        Row(
            "CircuitBreakersSection.max_requests", mesh_world(load=BURST), traffic_to_back(circuit_breakers={"max_requests": 1}),
            traffic_to_back(circuit_breakers={"max_requests": 9}), measure.flagged("UO"), "less",
        ),
        Row(
            "CircuitBreakersSection.max_retries", retried, traffic_to_back(circuit_breakers={"max_retries": 1}),
            traffic_to_back(circuit_breakers={"max_retries": 99}), measure.counted("retries_refused"), "less",
        ),
        Row(
            "RetryBudgetSection.budget_percent", retried,
            traffic_to_back(retry_budget={"budget_percent": "0%", "min_retry_concurrency": 0}),
            traffic_to_back(retry_budget={"budget_percent": "100%", "min_retry_concurrency": 0}),
            measure.counted("retries_refused"), "less",
        ),
        Row(
            "RetryBudgetSection.min_retry_concurrency", retried,
            traffic_to_back(retry_budget={"budget_percent": "0%", "min_retry_concurrency": 0}),
            traffic_to_back(retry_budget={"budget_percent": "0%", "min_retry_concurrency": 50}),
            measure.counted("retries_refused"), "less",
        ),
    ]  # fmt: skip


def retry_rows() -> list[Row]:
    """Rows of the settings of retries, where they stand in `traffic`."""
    on_5xx = {"num_retries": 2, "retry_on": ["5xx"]}
    broken = mesh_world({"retries": on_5xx}, BROKEN)
    slow = mesh_world(
        {"retries": {**RETRIES, "retry_on": ["5xx", "reset"]}, "load_balancer": "round_robin"}, {"replicas": 2}, faults=ONE_SLOW
    )
    later = mesh_world({"retries": RETRIES}, {"errors": {"rate": "50%", "retry_after": "50ms"}})
    reserve = mesh_world(
        {"retries": {**RETRIES, "num_retries": 1}, "locality": "ignore_zones"},
        {"replicas": 2, "priorities": [0, 1]},
        faults=ONE_FAILS,
    )
    frequent = {"num_retries": 2, "retry_on": ["5xx"], "retry_priority": "previous_priorities"}
    reserve_of_two = mesh_world(
        {"retries": frequent, "locality": "ignore_zones"}, {"replicas": 2, "priorities": [0, 1]}, faults=ONE_FAILS
    )
    at_random = mesh_world(
        {"retries": {**RETRIES, "num_retries": 1}, "load_balancer": "random"}, {"replicas": 2}, faults=ONE_FAILS
    )
    sent, waits = measure.counted("retries"), measure.sum_of("backoff_ns")
    growing = mesh_world({"retries": {**on_5xx, "num_retries": 4, "retry_back_off": {"base_interval": "10ms"}}}, BROKEN)
    return [
        Row("RetriesSection.num_retries", broken, {}, retries(num_retries=3), sent, "more"),
        Row("RetriesSection.num_retries 0", broken, {}, retries(num_retries=0), sent, "less"),
        Row("RetriesSection.retry_on", broken, {}, retries(retry_on=["connect-failure"]), sent, "less"),
        Row("RetriesSection.per_try_timeout", slow, retries(per_try_timeout="none"), retries(per_try_timeout="20ms"), measure.latency, "less"),
        Row(
            "RetriesSection.retriable_status_codes", broken, retries(retry_on=["retriable-status-codes"], retriable_status_codes=[500]),
            retries(retry_on=["retriable-status-codes"], retriable_status_codes=[503]), sent, "more",
        ),
        Row("RetriesSection.retry_back_off", broken, {}, retries(retry_back_off={"base_interval": "200ms"}), waits, "more"),
        Row("RetriesSection.back_off", broken, {}, retries(back_off={"constant": {"interval": "200ms"}}), waits, "more"),
        Row("RetriesSection.max_retry_after", later, {}, retries(max_retry_after="100ms"), waits, "more"),
        Row("RetriesSection.max_retry_after short", later, retries(max_retry_after="100ms"), retries(max_retry_after="10ms"), waits, "less"),
        Row(
            "RetriesSection.retry_priority", reserve, retries(update_frequency=1),
            retries(update_frequency=1, retry_priority="previous_priorities"), measure.failures, "less",
        ),
        Row("RetriesSection.update_frequency", reserve_of_two, retries(update_frequency=1), retries(update_frequency=3), measure.failures, "more"),
        Row(
            "RetriesSection.retry_host_predicate", at_random, {},
            retries(retry_host_predicate="previous_hosts", host_selection_retry_max_attempts=20), measure.failures, "less",
        ),
        Row(
            "RetriesSection.host_selection_retry_max_attempts", at_random,
            retries(retry_host_predicate="previous_hosts", host_selection_retry_max_attempts=0),
            retries(retry_host_predicate="previous_hosts", host_selection_retry_max_attempts=20), measure.failures, "less",
        ),
        Row("BackOffSection.base_interval", growing, {}, retries(retry_back_off={"base_interval": "50ms"}), waits, "more"),
        Row("BackOffSection.max_interval", growing, retries(retry_back_off={"max_interval": "10ms"}), {}, waits, "more"),
    ]  # fmt: skip


ROWS = [*health_rows(), *choice_rows(), *limit_rows(), *retry_rows()]
