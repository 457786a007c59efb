"""Nothing is lost and nothing comes from nowhere, whatever the scenario."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import meshsim as ms
from meshsim.records import TABLES

TIMES = st.sampled_from(
    [
        "0s",
        "1ms",
        "8ms",
        {"exponential": {"mean": "6ms"}},
        {"lognormal": {"p50": "4ms", "p99": "40ms"}},
        {"gamma": {"mean": "5ms", "cv": 0.7}},
    ]
)
RETRIES = st.fixed_dictionaries(
    {
        "num_retries": st.integers(0, 3),
        "retry_on": st.sampled_from([["5xx"], ["gateway-error", "reset"], ["unavailable", "connect-failure"]]),
    },
    optional={"per_try_timeout": st.sampled_from(["10ms", "20ms", "30ms"]), "retry_host_predicate": st.just("previous_hosts")},
)
BALANCERS = [
    "round_robin", "random", "least_request", "peak_ewma", "ring_hash", "least_reported_load", "client_side_weighted_round_robin",
    {"least_request": {"selection_method": "full_scan"}},
    {"round_robin": {"slow_start": {"slow_start_window": "500ms"}}},
    {"maglev": {"table_size": 101, "hash_balance_factor": 120}},
    {"deterministic_subsetting": {"subset_size": 2, "load_balancer": "round_robin"}},
    {"aperture": {"min_aperture": 2}},
]  # fmt: skip
LOCALITIES = [
    "zone_aware", "ignore_zones", "locality_failover", {"locality_weighted": {"weights": {"x": 3, "y": 1}}},
    {"locality_distribute": {"distribute": {"x": {"x": 80, "y": 20}}}},
]  # fmt: skip
HEALTH = [
    {"outlier_detection": {"consecutive_5xx": 2, "interval": "100ms", "base_ejection_time": "150ms", "max_ejection_percent": "60%"}},
    {"failure_accrual": {"consecutive": {"max_failures": 3, "min_penalty": "50ms"}}},
    {"failure_accrual": {"success_rate": {"min_penalty": "50ms"}}},
    {"health_checks": {"interval": "50ms", "timeout": "20ms", "unhealthy_threshold": 2, "healthy_threshold": 1, "uses_worker": True}},
    {"circuit_breaker": {"minimum_number_of_calls": 5, "wait_duration_in_open_state": "100ms"}},
    {"client_throttling": {"window": "500ms"}},
    {"concurrency_limit": {"aimd": {"initial_limit": 4, "min_limit": 1}}},
    {"concurrency_limit": {"vegas": {"initial_limit": 4}}},
    {"concurrency_limit": {"gradient2": {"initial_limit": 4, "min_limit": 1}}},
]  # fmt: skip
CONNECTIONS = st.fixed_dictionaries(
    {"protocol": st.sampled_from(["http1", "http2"])},
    optional={
        "max_requests_per_connection": st.integers(1, 20),
        "max_connection_duration": st.sampled_from(["50ms", "300ms"]),
        "idle_timeout": st.sampled_from(["20ms", "200ms"]),
        "balance": st.sampled_from(["requests", "connections"]),
    },
)
HEDGES = [{"delay": "8ms", "max_hedges": 2}, {"quantile": "90%"}, {"delay": "5ms", "cancel": False}]
TRAFFIC = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["none", "20ms", "80ms"]),
        "idle_timeout": st.just("40ms"),
        "connect_timeout": st.just("15ms"),
        "load_balancer": st.sampled_from(BALANCERS),
        "locality": st.sampled_from(LOCALITIES),
        "hash_on": st.sampled_from(["user", "key", "route"]),
        "healthy_panic_threshold": st.sampled_from(["0%", "50%"]),
        "update_merge_window": st.sampled_from(["0s", "100ms"]),
        "connections": CONNECTIONS,
        "hedge_policy": st.sampled_from(HEDGES),
        "mirror": st.just({"to": "c", "share": "30%"}),
        "retries": RETRIES,
        "retry_budget": st.just({"budget_percent": "25%"}),
        "circuit_breakers": st.fixed_dictionaries(
            {},
            optional={
                "max_connections": st.integers(1, 6),
                "max_pending_requests": st.integers(1, 6),
                "max_requests": st.integers(1, 6),
                "max_retries": st.integers(1, 3),
            },
        ),
    },
)
TRAFFIC = st.builds(lambda traffic, health: {**traffic, **health}, TRAFFIC, st.sampled_from([{}, {}, *HEALTH]))
RATE_LIMITS = st.builds(
    lambda tokens: {"rate_limit": {"token_bucket": {"max_tokens": tokens, "tokens_per_fill": 60, "fill_interval": "1s"}}},
    st.integers(1, 20),
)
OTHER_FILTERS = [
    {"fault": {"delay": {"fixed_delay": "10ms", "percentage": "20%"}, "abort": {"http_status": 503, "percentage": "10%"}}},
    {"adaptive_concurrency": {"min_rtt_request_count": 10, "min_rtt_interval": "300ms"}},
    {"admission_control": {"sampling_window": "1s"}},
    {"limit_concurrency": {"limit": {"fixed": {"limit": 5}}}},
    {"shed_by_criticality": {"critical": 1.0, "sheddable_plus": 0.5, "sheddable": 0.3, "interval": "50ms"}},
    {"compress": {"ratio": 4, "time_per_kib": "100us"}},
    {"transform": {"request_time": "500us", "response_time_per_kib": "200us"}},
    {"transcode": {"request_time_per_kib": "200us", "response_time": "1ms", "ratio": 2, "max_request_body_size": "8KiB"}},
    {"buffer": {"max_request_bytes": "6KiB"}},
]  # fmt: skip
LIMITS = [
    {"fixed_window": {"requests": 20, "window": "300ms"}},
    {"gcra": {"count": 50, "period": "1s", "max_burst": 3}},
    {"leaky_bucket": {"rate": "60/s", "burst": 5}},
    {"leaky_bucket": {"rate": "60/s", "burst": 5, "delay": 2}},
    {"sliding_window_counter": {"requests": 20, "window": "300ms"}},
    {"sliding_window_log": {"requests": 20, "window": "300ms"}},
    {"stepped_token_bucket": {"max_tokens": 10, "tokens_per_fill": 5, "fill_interval": "100ms"}},
]
RULES = st.lists(
    st.builds(
        lambda limit, key, shadow: {"limit": limit, "key": key, "shadow": shadow},
        st.sampled_from(LIMITS),
        st.sampled_from(["none", "consumer", "route", "address", "credential", "content"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=2,
)
RULED = st.builds(lambda rules, time: {"rate_limit": {"rules": rules, "time": time}}, RULES, st.sampled_from(["0s", "300us"]))
SYNCED = {"rules": [{"limit": LIMITS[0]}], "sync_interval": "100ms"}
ASKING = st.one_of(
    st.builds(
        lambda rules, deny: {"global_rate_limit": {"service": "auth", "rules": rules, "failure_mode_deny": deny}},
        RULES.filter(lambda rules: all("leaky_bucket" not in rule["limit"] for rule in rules)),
        st.booleans(),
    ),
    st.sampled_from(
        [
            {"global_rate_limit": {"service": "auth", **SYNCED}},
            {"ext_authz": {"service": "auth", "timeout": "10ms", "failure_mode_allow": True}},
            {"ext_authz": {"service": "auth"}},
            {"oauth2_introspection": {"service": "auth", "ttl": "200ms", "timeout": "20ms"}},
            {"oauth2_introspection": {"service": "auth", "ttl": "50ms", "negative_ttl": "100ms", "stale_if_error": "1s"}},
            {"jwt_auth": {"service": "auth", "cache_duration": "200ms", "timeout": "15ms", "coalesce": True}},
        ]
    ),
)
AUTHENTICATING = [
    {"api_key": {"verify_time": "100us"}},
    {"basic_auth": {"algorithm": "sha", "verify_time": "1ms"}},
    {"jwt_auth": {"algorithm": "RS256", "verify_time": "500us"}},
    {"authorization": {"rules": [{"action": "allow", "consumers": ["gold"]}, {"action": "deny", "routes": ["other"]}]}},
]
CACHES = st.fixed_dictionaries(
    {"ttl": st.sampled_from(["20ms", "200ms"])},
    optional={
        "key": st.sampled_from(["content", "route"]),
        "capacity": st.integers(1, 10),
        "hit_time": st.just("500us"),
        "negative_ttl": st.just("50ms"),
        "coalesce": st.sampled_from(["new", "all"]),
        "lock_poll": st.sampled_from(["0s", "5ms"]),
        "lock_timeout": st.sampled_from(["10ms", "1s"]),
        "lock_age": st.sampled_from(["10ms", "1s"]),
        "stale_if_error": st.just("1s"),
        "purge": st.just(["400ms"]),
        "jitter": st.just("30%"),
    },
)
REVALIDATING = {"stale_while_revalidate": "100ms", "background_update": True}
CACHED = st.builds(
    lambda cache, more: {"cache": {**cache, **more}},
    CACHES,
    st.sampled_from([{}, {"stale_while_revalidate": "50ms"}, REVALIDATING]),
)
FILTERS = st.lists(st.one_of(RATE_LIMITS, RULED, ASKING, st.sampled_from(OTHER_FILTERS + AUTHENTICATING)), max_size=3)
GATEWAY_FILTERS = st.builds(
    lambda filters, cache, place: [*filters[:place], *cache, *filters[place:]],
    FILTERS,
    st.lists(CACHED, max_size=1),
    st.integers(0, 3),
)
EDGES = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "balancer": st.sampled_from(
                ["take_turns", "least_connections", "random_replica", "source_hash", {"dns_round_robin": {"ttl": "200ms"}}]
            ),
            "tls": st.fixed_dictionaries(
                {"handshake_time": st.sampled_from(["0s", "3ms"]), "round_trips": st.integers(0, 2)},
                optional={"session_resumption": st.booleans(), "shared_ticket_keys": st.booleans()},
            ),
            "max_connections": st.integers(1, 6),
            "idle_timeout": st.sampled_from(["none", "15ms", "100ms"]),
            "restarts": st.sampled_from([[{"at": "303ms"}], [{"at": "200ms", "batch": 2}, {"at": "250ms"}]]),
            "startup_time": st.just("60ms"),
            "drain_time": st.just("40ms"),
            "workers": st.integers(1, 3),
            "proxy_time": st.sampled_from(["200us", {"exponential": {"mean": "1ms"}}]),
        },
    ),
)
CLIENTS = st.fixed_dictionaries(
    {},
    optional={
        "patience": st.sampled_from(["30ms", {"exponential": {"mean": "60ms"}}]),
        "credentials": st.sampled_from([{"valid": "60%", "missing": "20%", "count": 4}, {"valid": "0%"}, {"count": 3}]),
        "addresses": st.integers(1, 5),
        "criticality": st.sampled_from(["critical_plus", "critical", "sheddable_plus", "sheddable"]),
        "consumer": st.sampled_from(["gold", "silver"]),
        "headers": st.just({"x-group": "beta"}),
        "requests_per_connection": st.integers(0, 3),
        "bandwidth": st.sampled_from(["200KiB", "5MiB"]),
        "body": st.sampled_from(["1KiB", "20KiB", {"p50": "4KiB", "p99": "30KiB"}]),
    },
)
BURSTY = [{"intensity": 0, "lasts": "60ms"}, {"intensity": 1, "lasts": {"exponential": {"mean": "30ms"}}}]
SHAPES = st.fixed_dictionaries(
    {"arrivals": st.sampled_from(["even", "poisson"])},
    optional={
        "sinusoid": st.just({"amplitude": "90%", "period": "300ms", "peak": "50ms"}),
        "bursts": st.sampled_from([{"states": BURSTY}, {"states": BURSTY, "sources": 7}]),
    },
)
USERS = [
    {"executor": "constant-vus"},
    {"executor": "per-vu-iterations", "iterations": 9, "max_duration": "900ms"},
    {"executor": "shared-iterations", "iterations": 20},
]
ANALYSIS = {"interval": "100ms", "min_success_rate": "90%", "max_p99": "60ms", "threshold": 2}
CANARY = {"to": "b", "start": "100ms", "steps": [{"weight": "40%", "pause": "300ms"}, {"weight": "80%", "pause": "200ms"}]}
ROUTES = st.fixed_dictionaries(
    {},
    optional={
        "sticky": st.sampled_from(["user", "consumer", "address"]),
        "session_persistence": st.fixed_dictionaries(
            {"of": st.sampled_from(["user", "consumer", "address"])},
            optional={"absolute_timeout": st.just("70ms"), "strict": st.booleans()},
        ),
        "canary": st.sampled_from([CANARY, {**CANARY, "analysis": ANALYSIS}]),
        "fallback": st.sampled_from("abc"),
        "aggregate": st.lists(
            st.fixed_dictionaries(
                {"call": st.sampled_from(["b", "c", "auth"]), "optional": st.booleans()},
                optional={"timeout": st.sampled_from(["none", "15ms"])},
            ),
            max_size=2,
        ),
        "max_body": st.sampled_from(["2KiB", "1MiB"]),
        "criticality": st.sampled_from(["critical_plus", "sheddable"]),
    },
)
MORE_ROUTES = [{}, {"beta": {"path": {"regex": "/ot.*/1"}, "to": "c", "headers": {"x-group": "beta"}}},
               {"posts": {"path": {"exact": "/other/1"}, "methods": ["POST"], "to": "c", "consumers": ["gold", "silver"]}}]  # fmt: skip


STEPS = [
    lambda call: call,
    lambda call: [call, dict(call)],
    lambda call: {"parallel": [call, dict(call), dict(call)], "need": 2},
    lambda call: {**call, "optional": False, "fallback": [{"compute": "1ms"}, dict(call)]},
    lambda call: {**call, "optional": False, "wait": False},
    lambda call: {"loop": 2, "script": [call]},
    lambda call: {"cached": "values", "script": [call]},
]


@st.composite
def steps(draw: st.DrawFn, callees: tuple[str, ...]) -> list[Any]:
    script: list[Any] = [{"compute": draw(TIMES)}]
    for callee in callees:
        call = {"call": callee, "probability": draw(st.sampled_from(["50%", "100%"])), "optional": draw(st.booleans())}
        if draw(st.booleans()):
            call["timeout"] = draw(st.sampled_from(["15ms", "60ms"]))
        script.append(draw(st.sampled_from(STEPS))(call))
    if draw(st.booleans()):  # a connection over some of the steps, and over fewer of them a second one
        start = draw(st.integers(0, len(script) - 1))
        inner = [{"transaction": "inner", "script": script[start:]}] if draw(st.booleans()) else script[start:]
        script = [*script[:start], {"transaction": "outer", "script": inner}, {"compute": "1ms"}]
    return script


POOLS = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries(
            {"maximum_pool_size": st.integers(1, 3), "waiters": st.sampled_from(["fifo", "random"])},
            optional={"acquire_timeout": st.sampled_from(["none", "0s", "5ms", "30ms"])},
        )
        for name in ("outer", "inner")
    }
)


CACHES = st.sampled_from(
    [
        {"hit_ratio": "60%"},
        {"single_flight": True, "ttl": "20ms"},
        {"single_flight": True, "failed_load": "next", "keys": {"count": 3}, "ttl": "40ms", "early_expiration": 1},
        {"keys": {"count": 20, "zipf": 1}, "capacity": 4, "eviction": "random", "shared": True},
        {"ttl": "30ms", "stale_while_revalidate": "100ms", "single_flight": True, "shared": True, "jitter": "50%"},
        {"ttl": "30ms", "stale_while_revalidate": "20ms", "keys": {"count": 2}, "expire_after": "access", "warm": True},
    ]
)


SCALED_BY = {
    "cpu": {"resource": {"name": "cpu", "target": {"average_utilization": "30%"}}},
    "in_flight": {"pods": {"metric": "in_flight", "target": {"average_value": 1.5}}},
    "requests": {"object": {"metric": "requests_per_second", "target": {"average_value": 20}}},
}
LIVES = [
    {"scale": [{"at": "200ms", "replicas": 5}, {"at": "600ms", "replicas": 1}], "startup_time": "50ms", "pre_stop": "20ms",
     "termination_grace_period": "30ms"},
    {"restarts": [{"at": "300ms", "batch": 1}], "startup_time": "30ms", "termination_grace_period": "20ms"},
    {"readiness": {"period": "50ms", "failure_threshold": 2}},
    {"autoscaling": {"max_replicas": 5, "metrics": [SCALED_BY["cpu"], SCALED_BY["in_flight"]]}, "startup_time": "30ms",
     "readiness": {"period": "50ms", "failure_threshold": 1}, "termination_grace_period": "20ms"},
    {"autoscaling": {"max_replicas": 4, "metrics": [SCALED_BY["requests"]], "behavior": {"scale_down": {"stabilization_window": "0s"}}},
     "restarts": [{"at": "500ms"}], "pre_stop": "30ms"},
    {"rollouts": [{"at": "200ms", "errors": "20%"}, {"at": "350ms", "slow": 3}, {"at": "600ms", "undo": True}], "startup_time": "30ms",
     "min_ready": "10ms", "readiness": {"period": "50ms", "failure_threshold": 1}, "termination_grace_period": "20ms",
     "scale": [{"at": "300ms", "replicas": 5}]},
    {"rollouts": [{"at": "250ms"}], "strategy": {"type": "Recreate"}, "startup_time": "20ms", "pre_stop": "10ms"},
]  # fmt: skip
AUTOSCALER = {
    "sync_period": "50ms", "metric_resolution": "40ms", "scrape_interval": "30ms", "rate_window": "120ms",
    "downscale_stabilization": "100ms", "cpu_initialization_period": "200ms", "initial_readiness_delay": "20ms",
}  # fmt: skip
DISCOVERIES = [
    {}, {"discovery": {"dns_refresh": "100ms"}},
    {"discovery": {"debounce_after": "10ms", "debounce_max": "50ms", "propagation": {"exponential": {"mean": "40ms"}}}},
]  # fmt: skip
MODES = [
    {},
    {"mtls": {"certificate_rotation": ["400ms"], "time_per_kib": "1us"}},
    {"mode": "ambient", "node_proxy": {"proxy_time": "60us", "instances_per_node": 3}, "waypoints": {"services": {"c": {"replicas": 2}}}},
    {"mode": "ambient", "mtls": {}, "waypoints": {"proxy_time": "250us", "services": {"a": {}, "b": {"zone": "y"}, "c": {}}}},
    {"telemetry": {"stats": True, "access_log": True, "trace_sampling": "10%"}},
]  # fmt: skip


QUEUES = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(0, 10),
        "discipline": st.sampled_from(
            [
                "fifo",
                "lifo",
                {"adaptive_lifo": {"switch_threshold": 2}},
                "priority",
                {"priority": {"push_out": True}},
                "fair",
                "earliest_deadline_first",
            ]
        ),
        "max_wait": st.sampled_from(["1ms", "10ms", "40ms"]),
        "shed": st.sampled_from(
            [{"max_wait": {"limit": "10ms"}}, "codel", {"controlled_delay": {"target": "2ms", "interval": "20ms"}}]
        ),
    },
)


CPUS = st.sampled_from(
    [
        {},
        {"cpu": {"requests": "100m", "limits": "500m", "cfs_quota_period": "20ms"}},
        {"cpu": {"requests": 1, "node_cores": 2}},
        {"cpu": {"limits": 1, "node_cores": 1.5, "cfs_quota_period": "10ms", "cfs_burst": "5ms"}},
    ]
)


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    made = {}
    for name, callees in (("a", ("b", "c")), ("b", ("c",)), ("c", ()), ("auth", ())):
        made[name] = {
            "replicas": draw(st.integers(1, 3)),
            "workers": draw(st.integers(1, 4)),
            "async": draw(st.booleans()),
            "on_cancel": draw(st.sampled_from(["continue", "drop_queued", "stop"])),
            "protocol": draw(st.sampled_from(["http", "grpc"])),
            "script": draw(steps(callees)),
            "connection_pools": draw(POOLS),
            "caches": {"values": draw(CACHES)},
            "errors": draw(st.sampled_from(["0%", "10%", "60%", {"rate": "30%", "retry_after": "5ms"}])),
            "deadline_propagation": draw(st.booleans()),
        }
        replicas = made[name].pop("replicas")
        other = draw(st.integers(0, 2))
        made[name]["zones"] = {"x": replicas, **({"y": other} if other else {})}
        if draw(st.booleans()):
            made[name]["queue"] = draw(QUEUES)
        if draw(st.booleans()):
            made[name].update(draw(st.sampled_from(LIVES)))
        made[name].update(draw(CPUS))
        if "cpu" in made[name] and draw(st.booleans()):  # without workers nobody queues, and there is nothing to give free
            made[name] = {key: value for key, value in made[name].items() if key not in {"workers", "queue"}} | {"async": False}
        if draw(st.booleans()) and "rollouts" not in made[name]:
            made[name]["subsets"] = {"v1": replicas, **({"v2": other} if other else {})}
        if draw(st.booleans()):
            made[name]["priorities"] = [number % 2 for number in range(replicas + other)]
    return made


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Small systems with everything that this version can do, over a few hundred requests."""
    faults = [{"at": "300ms", "for": "400ms", "service": draw(st.sampled_from(["a", "b", "c", "auth"])), **effect} for effect in draw(
        st.lists(st.sampled_from([{"slow": 4}, {"crash": True}, {"crash": True, "replicas": 1}, {"errors": "50%"}]), max_size=2)
    )]  # fmt: skip
    mode = draw(st.sampled_from(MODES))
    mesh = {"traffic": {"*": draw(TRAFFIC), "c": draw(TRAFFIC)}, "inbound": {"c": {"filters": draw(FILTERS)}}, **mode}
    made = draw(services())
    if draw(st.booleans()) and "subsets" in made["c"]:
        mesh["traffic"]["c"]["split"] = dict.fromkeys(made["c"]["subsets"], 1)
    mesh.update(draw(st.sampled_from(DISCOVERIES)))
    return {
        "name": "generated",
        "defaults": draw(st.sampled_from(["none", "envoy", "istio"])),
        "deployment": draw(st.sampled_from(["none", "gateway", "mesh", "gateway+mesh"])),
        "load": {
            "open": {
                "executor": "constant-arrival-rate",
                "rate": draw(st.sampled_from(["60/s", "250/s"])),
                "requests": {"main": 3, "/other/1": 1, "POST /other/1": 1, "/nowhere": 1},
                "zone": "x",
                "keys": {"count": 20, "zipf": 1.0},
                "timeout": draw(st.sampled_from(["none", "50ms"])),
                **draw(SHAPES),
                **draw(CLIENTS),
            },
            "closed": {
                **draw(st.sampled_from(USERS)),
                "vus": 3,
                "think_time": "20ms",
                "zone": "y",
                "requests": {"main": 1},
                "retries": draw(RETRIES),
                **draw(CLIENTS),
            },
            "partner": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "20/s",
                "requests": {"main": 1},
                "consumer": "gold",
            },
            "batch": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "20/s",
                "requests": {"main": 1},
                "consumer": "silver",
            },
        },
        "gateway": {
            "replicas": draw(st.integers(1, 2)),
            "zone": draw(st.sampled_from("xy")),
            "filters": draw(GATEWAY_FILTERS),
            "routes": {
                "main": {"path": "/main", "to": {"a": 3, "b": 1}, "retries": draw(RETRIES), **draw(ROUTES)},
                "other": {"path": "/other", "to": "b", "timeout": "70ms"},
                **draw(st.sampled_from(MORE_ROUTES)),
            },
            **draw(EDGES),
            "traffic": {"*": draw(TRAFFIC)},
        },
        "mesh": mesh,
        "direct": {"traffic": {"*": draw(TRAFFIC)}, **draw(st.sampled_from(DISCOVERIES))},
        "services": made,
        "autoscaler": AUTOSCALER,
        "network": {"same_zone": draw(st.sampled_from(["0s", "300us", {"exponential": {"mean": "1ms"}}]))},
        "faults": faults,
        "run": {"duration": "1s", "interval": "100ms"},
    }


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same with the keys of all mappings in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


PROPERTY = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@PROPERTY
@given(scenarios())
def test_every_request_ends_once_with_one_cause(scenario):
    result = ms.load(scenario).run(seed=3)
    requests = result.requests

    assert requests["request"].tolist() == list(range(result.manifest["requests"]))
    assert (requests["ended_ns"] >= requests["started_ns"]).all()
    failed = (requests["status"] == 0) | (requests["status"] >= 400) | (requests["grpc_status"] > 0)
    assert (requests.loc[failed, "response_flags"] != "-").all()
    assert (requests.loc[~failed, "response_flags"] == "-").all()


@PROPERTY
@given(scenarios())
def test_attempts_are_one_more_than_retries(scenario):
    """Tries of a call are numbered 1, 2, 3 ... without a gap; the request counts those at its entry.

    A hedge that nobody cancels may be sent when the request is over, and is not counted then.
    """
    result = ms.load(scenario).run(seed=3)
    attempts, requests = result.attempts, result.requests.set_index("request")

    entry = attempts[(attempts["parent"] < 0) & (attempts["request"] >= 0)]
    sent = entry[entry["sent_ns"] >= 0]
    ended_ns = requests["ended_ns"].reindex(sent["request"]).to_numpy()
    before, by_then = (
        sent[is_so].groupby("request").size() for is_so in (sent["sent_ns"] < ended_ns, sent["sent_ns"] <= ended_ns)
    )
    assert (before.reindex(requests.index, fill_value=0) <= requests["attempts"]).all()
    assert (requests["attempts"] <= by_then.reindex(requests.index, fill_value=0)).all()
    numbered = entry.groupby(["request", "attempt"]).size().unstack(fill_value=0)
    assert (numbered.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)  # parts of an answer and a fallback count tries of their own
    assert (numbered[1] > 0).all()
    assert set(attempts["parent"]) - {-1} <= set(attempts["id"])
    assert attempts["id"].is_unique


@PROPERTY
@given(scenarios())
def test_nothing_is_in_flight_at_the_end_and_busy_time_is_time_held(scenario):
    result = ms.load(scenario).run(seed=3)
    counters, attempts = result.counters, result.attempts

    last = counters.groupby(["service", "instance"], observed=True).last()
    assert (last["busy"] == 0).all()
    assert (last["queued"] == 0).all()
    assert counters["arrived"].sum() == counters["finished"].sum() == (attempts["arrived_ns"] >= 0).sum()
    for name, service in scenario["services"].items():
        rows, visits = counters[counters["service"] == name], attempts[(attempts["service"] == name)]
        held = visits[visits["started_ns"] >= 0]
        left_ns = visits["started_ns"].where(visits["started_ns"] >= 0, visits["finished_ns"])[visits["arrived_ns"] >= 0]
        waited_ns = (left_ns - visits.loc[left_ns.index, "arrived_ns"]).sum()
        is_all = not service["async"] and "uses_worker" not in str(
            scenario
        )  # what goes on after a call waits too, and health checks
        assert rows["queued_ns"].sum() == waited_ns if is_all else rows["queued_ns"].sum() >= waited_ns
        time_held = held["worked_ns"] if service["async"] else held["finished_ns"] - held["started_ns"]
        used_ns = result.cpu.loc[result.cpu["service"] == name, "used_ns"].sum()
        assert rows["busy_ns"].sum() == (time_held.sum() if "workers" in service else used_ns)
        look_at_the_cpu(service, result.cpu[result.cpu["service"] == name], visits)
    pools = result.connection_pools.groupby(["service", "instance", "connection_pool"], observed=True).last()
    assert (pools[["in_use", "waiting"]] == 0).all(axis=None)
    look_at_the_caches(result)
    if not result.proxies.empty:
        assert (
            result.proxies.groupby(["kind", "service", "instance"], observed=True, dropna=False).last()["active_retries"] == 0
        ).all()


@PROPERTY
@given(scenarios())
def test_no_time_and_no_count_is_negative_and_stages_follow_each_other(scenario):
    attempts = ms.load(scenario).run(seed=3).attempts

    stages = attempts[["request_started_ns", "sent_ns", "arrived_ns", "started_ns", "finished_ns"]].to_numpy()
    latest = np.maximum.accumulate(stages, axis=1)
    assert ((stages == latest) | (stages < 0)).all()
    assert (attempts["ended_ns"] >= attempts["request_started_ns"]).all()
    for column in ("worked_ns", "wasted_ns", "backoff_ns", "proxy_ns", "connection_ns", "tls_ns", "inbound_ns"):
        assert (attempts[column] >= 0).all()
    assert ((attempts["wasted_ns"] == 0) | (attempts["wasted_ns"] == attempts["worked_ns"])).all()


def look_at_the_cpu(service: Any, rows: Any, visits: Any) -> None:
    """Nothing computes at the end, cores are used by computations only, and no quota is exceeded."""
    if "cpu" not in service:
        assert rows.empty
        return
    cpu = service["cpu"]
    period_ns = int(cpu.get("cfs_quota_period", "100ms").removesuffix("ms")) * 1_000_000
    burst_ns = int(cpu.get("cfs_burst", "0ms").removesuffix("ms")) * 1_000_000
    assert (rows.groupby("instance")["computing"].last() == 0).all()
    assert (rows["throttled_periods"] <= rows["periods"]).all()
    assert rows["used_ns"].sum() <= visits["worked_ns"].sum() + len(visits)
    for _, of_one in rows.groupby("instance"):
        length_ns = of_one["time_ns"].diff().fillna(of_one["time_ns"].iloc[0])
        assert (of_one["used_ns"] <= length_ns * cpu.get("node_cores", 1e9) + 2).all()
        if "limits" in cpu:
            quota_ns = (0.5 if cpu["limits"] == "500m" else 1) * period_ns
            assert (of_one["used_ns"] <= quota_ns * (length_ns / period_ns + 2) + burst_ns).all()


def look_at_the_caches(result: ms.Result) -> None:
    """Nothing is being loaded at the end; what does not hit is loaded or waited for; and there is no more than was loaded."""
    of_each = result.caches.groupby(["service", "instance", "cache"], observed=True)
    assert (of_each.last()["loading"] == 0).all()
    sums = of_each.sum(numeric_only=True)
    assert (sums["loads"] >= sums["misses"]).all()
    assert (sums["failed_loads"] <= sums["loads"]).all()
    assert (sums["evictions"] <= sums["loads"]).all()
    assert (sums["waited_ns"] >= 0).all()


def look_at_the_gateway(scenario: dict[str, Any], result: ms.Result) -> None:
    """What filters decided is what they were asked, and connections are as many as may be."""
    decided = result.decisions.groupby(["kind", "filter_number"], observed=True)["requests"].sum()
    judged = result.filters.groupby(["kind", "filter_number"], observed=True)["judged"].sum()
    assert decided.sum() == judged.sum()
    assert (result.filters["acted"] <= result.filters["judged"]).all()
    proxies = result.proxies
    if proxies.empty:
        return
    assert (proxies["connections"] >= 0).all()
    assert (proxies["connections"] <= scenario["gateway"].get("max_connections", 10**9)).all()
    totals = proxies[["opened", "handshakes", "resumed"]].sum()
    assert totals["resumed"] <= totals["handshakes"] <= totals["opened"]
    last = proxies.groupby(["kind", "service", "instance"], observed=True, dropna=False).last()
    assert (last["busy"] == 0).all()
    assert (last["queued"] == 0).all()


@PROPERTY
@given(scenarios())
def test_filters_decide_once_for_each_question_and_connections_are_counted(scenario):
    look_at_the_gateway(scenario, ms.load(scenario).run(seed=3))


@settings(parent=PROPERTY, max_examples=10)
@given(scenarios(), st.integers(0, 1000))
def test_no_order_of_keys_changes_a_byte(scenario, seed):
    other = shuffled(scenario, random.Random(seed))

    first, second = ms.load(scenario).run(seed=3), ms.load(other).run(seed=3)

    for table in TABLES:
        one, two = (result.directory / f"{table}.parquet" for result in (first, second))
        assert one.read_bytes() == two.read_bytes()
    assert first.manifest["digest"] == second.manifest["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_thousand_systems_with_everything_lose_nothing(part):
    some = settings(parent=PROPERTY, max_examples=250, derandomize=False, database=None)
    seed(part)(some(given(scenarios())(loses_nothing)))()


def loses_nothing(scenario):
    """All of the above at once, on many more systems: requests, attempts, instances, connections, slots."""
    result = ms.load(scenario).run(seed=5)
    requests, attempts, counters = result.requests, result.attempts, result.counters

    assert requests["request"].tolist() == list(range(result.manifest["requests"]))
    failed = (requests["status"] == 0) | (requests["status"] >= 400) | (requests["grpc_status"] > 0)
    assert ((requests["response_flags"] != "-") == failed).all()
    assert counters["arrived"].sum() == counters["finished"].sum() == (attempts["arrived_ns"] >= 0).sum()
    last = result.destinations[result.destinations["time_ns"] == result.destinations["time_ns"].max()]
    for column in ("in_flight", "pending", "active_retries"):
        assert (last[column] == 0).all(), column
    look_at_the_gateway(scenario, result)
    pools = result.connection_pools.groupby(["service", "instance", "connection_pool"], observed=True).last()
    assert (pools[["in_use", "waiting"]] == 0).all(axis=None)
    look_at_the_caches(result)
