"""Keys of routes, of who asks, and of what stands before the gateway."""

from __future__ import annotations

from typing import Any

import keys_measures as measure
from keys_load import EXECUTORS
from keys_worlds import Section, clients_are, gateway_world
from rows import Row

ANOTHER = {"other": {"workers": 100, "script": [{"compute": "30ms"}]}}
FAILING = {"other": {"workers": 100, "errors": "100%", "script": [{"compute": "30ms"}]}}


def of_route(**settings: Any) -> Section:
    """A change of the route."""
    return {"gateway": {"routes": {"main": settings}}}


def of_gateway(**settings: Any) -> Section:
    """A change of the gateway."""
    return {"gateway": settings}


def with_other(services: Section | None = None, **settings: Any) -> Section:
    """A gateway with a second service."""
    made = gateway_world(**settings)
    return {**made, "services": {**made["services"], **(services or ANOTHER)}}


def canary(steps: list[Section], **settings: Any) -> Section:
    """A change: the other service takes over."""
    return of_route(canary={"to": "other", "steps": steps, **settings})


def by_path(**route: Any) -> Section:
    """A gateway whose load asks for a path."""
    made = gateway_world(route=route)
    made["load"]["clients"]["requests"] = {"/main": 1}
    return made


def of_executor(name: str, **gateway: Any) -> Section:
    """A gateway under a load of an executor."""
    made = gateway_world(gateway=gateway)
    return {**made, "load": {"clients": {"requests": {"main": 1}, **EXECUTORS[name]}}, "run": {"duration": "2s"}}


def shared(name: str) -> list[Row]:
    """Rows of what loads of all executors show to the gateway."""
    bucket = {"max_tokens": 4, "tokens_per_fill": 1, "fill_interval": "10s"}
    limited = of_executor(name, filters=[{"rate_limit": {"token_bucket": bucket, "key": "address"}}])
    keyed = of_executor(name, filters=["api_key"])
    shedding = of_executor(
        name, workers=1, proxy_time="19ms", filters=[{"shed_by_criticality": {"interval": "20ms", "sheddable": 0.1}}]
    )
    large = of_executor(name, filters=[{"buffer": {"max_request_bytes": "8KiB"}}])
    headed = of_executor(name, routes={"main": {"path": "/main", "to": "back", "headers": {"x-beta": "1"}}})
    headed["load"]["clients"]["requests"] = {"/main": 1}
    secure = of_executor(name, tls={"handshake_time": "5ms"})
    slow = of_executor(name)
    slow["services"]["back"]["response_size"] = "64KiB"
    return [
        Row(f"{name}.addresses", limited, {}, clients_are(addresses=50), measure.flagged("RL"), "less"),
        Row(f"{name}.credentials", keyed, {}, clients_are(credentials={"valid": "50%"}), measure.failures, "more"),
        Row(f"{name}.criticality", shedding, clients_are(criticality="sheddable"), clients_are(criticality="critical_plus"),
            measure.flagged("shed"), "less"),
        Row(f"{name}.body", large, {}, clients_are(body="9KiB"), measure.failures, "more"),
        Row(f"{name}.headers", headed, {}, clients_are(headers={"X-Beta": "1"}), measure.failures, "less"),
        Row(f"{name}.requests_per_connection", secure, {}, clients_are(requests_per_connection=1), measure.latency, "more"),
        Row(f"{name}.bandwidth", slow, clients_are(bandwidth="64MiB"), clients_are(bandwidth="2MiB"), measure.latency, "more"),
    ]  # fmt: skip


def route_rows() -> list[Row]:
    """Rows of routes."""
    split = with_other(route={"to": {"back": 1, "other": 1}}, load={"executor": "constant-vus", "vus": 2, "think_time": "5ms",
                       "rate": None, "arrivals": None})  # fmt: skip
    split["load"]["clients"] = {"executor": "constant-vus", "vus": 2, "think_time": "5ms", "requests": {"main": 1}}
    versions = with_other(route={"to": {"back": 1, "other": 0}})
    bad = with_other(FAILING, route={"to": {"back": 1, "other": 0}})
    alike = {**split, "load": {"clients": {**split["load"]["clients"], "vus": 8, "addresses": 2}}}
    leaving = gateway_world(load={"executor": "constant-vus", "vus": 4, "think_time": "5ms", "rate": None, "arrivals": None})
    leaving["load"]["clients"] = {"executor": "constant-vus", "vus": 4, "think_time": "5ms", "requests": {"main": 1}}
    leaving["services"]["back"] |= {"replicas": 2, "restarts": [{"at": "300ms"}], "startup_time": "100ms"}
    parts = with_other()
    broken = with_other(FAILING)
    steps = [{"weight": "50%", "pause": "400ms"}]
    watched = {"interval": "50ms", "min_success_rate": "90%", "threshold": 1}
    other = measure.attempts_at("other")
    dying = with_other(FAILING, route={"to": {"back": 1, "other": 1}})
    dying["gateway"]["traffic"] = {
        "*": {"outlier_detection": {"consecutive_5xx": 1, "max_ejection_percent": "100%"}, "update_merge_window": "0s"}
    }
    shedding = gateway_world(
        gateway={"workers": 1, "proxy_time": "19ms", "filters": [{"shed_by_criticality": {"interval": "20ms", "sheddable": 0.1}}]}
    )
    return [
        Row("RouteSection.criticality", shedding, of_route(criticality="sheddable"), of_route(criticality="critical_plus"),
            measure.flagged("shed"), "less"),
        Row("RouteSection.methods", by_path(), {}, of_route(methods=["POST"]), measure.flagged("NR"), "more"),
        Row("RouteSection.headers", by_path(), {}, of_route(headers={"x": "1"}), measure.flagged("NR"), "more"),
        Row("RouteSection.consumers", {**by_path(), "load": {
            "clients": {**by_path()["load"]["clients"], "consumer": "acme"},
            "others": {**by_path()["load"]["clients"], "consumer": "zenith"},
        }}, {}, of_route(consumers=["acme"]), measure.flagged("NR"), "more"),
        Row("PathSection.exact", by_path(), of_route(path={"exact": "/main"}), of_route(path={"exact": "/other"}), measure.flagged("NR"), "more"),
        Row("PathSection.regex", by_path(), of_route(path={"regex": "/m.*"}), of_route(path={"regex": "/o.*"}), measure.flagged("NR"), "more"),
        Row("RouteSection.cluster_per", dying, {}, of_route(cluster_per="rule"), measure.failures, "less"),
        Row("RouteSection.sticky", split, {}, of_route(sticky="user"), other, "other"),
        Row("RouteSection.session_persistence", split, {}, of_route(session_persistence={}), other, "other"),
        Row("SessionPersistenceSection.of", alike, of_route(session_persistence={}),
            of_route(session_persistence={"of": "address"}), other, "other"),
        Row("SessionPersistenceSection.absolute_timeout", split, of_route(session_persistence={}),
            of_route(session_persistence={"absolute_timeout": "20ms"}), other, "other"),
        Row("SessionPersistenceSection.strict", leaving, of_route(session_persistence={}),
            of_route(session_persistence={"strict": True}), measure.failures, "more"),
        Row("RouteSection.max_body", gateway_world(load={"body": "9KiB"}), {}, of_route(max_body="8KiB"), measure.failures, "more"),
        Row("RouteSection.fallback", {**parts, "services": {**parts["services"], "back": {"errors": "100%", "script": [{"compute": "1ms"}]}}},
            {}, of_route(fallback="other"), measure.failures, "less"),
        Row("RouteSection.aggregate", parts, {}, of_route(aggregate=[{"call": "other"}]), measure.latency, "more"),
        Row("AggregateCall.call", parts, of_route(aggregate=[{"call": "back"}]), of_route(aggregate=[{"call": "other"}]), other, "more"),
        Row("AggregateCall.optional", broken, of_route(aggregate=[{"call": "other"}]),
            of_route(aggregate=[{"call": "other", "optional": True}]), measure.failures, "less"),
        Row("AggregateCall.timeout", parts, of_route(aggregate=[{"call": "other"}]),
            of_route(aggregate=[{"call": "other", "timeout": "20ms"}]), measure.failures, "more"),
        Row("RouteSection.canary", versions, {}, canary(steps), other, "more"),
        Row("CanarySection.to", with_other(route={"to": {"back": 1, "other": 1}}), canary(steps),
            of_route(canary={"to": "back", "steps": steps}), other, "less"),
        Row("CanarySection.start", versions, canary(steps), canary(steps, start="500ms"), other, "less"),
        Row("CanarySection.steps", versions, canary(steps), canary([*steps, *steps, *steps]), other, "less"),
        Row("CanaryStep.weight", versions, canary(steps), canary([{"weight": "5%", "pause": "400ms"}]), other, "less"),
        Row("CanaryStep.pause", versions, canary(steps), canary([{"weight": "50%", "pause": "900ms"}]), other, "less"),
        Row("CanarySection.analysis", bad, canary(steps), canary(steps, analysis=watched), measure.failures, "less"),
        Row("CanaryAnalysis.interval", bad, canary(steps, analysis=watched), canary(steps, analysis={**watched, "interval": "300ms"}),
            measure.failures, "more"),
        Row("CanaryAnalysis.min_success_rate", bad, canary(steps, analysis=watched),
            canary(steps, analysis={**watched, "min_success_rate": "0%"}), measure.failures, "more"),
        Row("CanaryAnalysis.max_p99", versions, canary(steps, analysis={**watched, "max_p99": "1s"}),
            canary(steps, analysis={**watched, "max_p99": "20ms"}), other, "less"),
        Row("CanaryAnalysis.min_requests", bad, canary(steps, analysis=watched), canary(steps, analysis={**watched, "min_requests": 9999}),
            measure.failures, "more"),
        Row("CanaryAnalysis.threshold", bad, canary(steps, analysis=watched), canary(steps, analysis={**watched, "threshold": 5}),
            measure.failures, "more"),
        Row("CanaryAnalysis.hold", bad, canary([*steps, *steps], analysis={**watched, "threshold": 1000}),
            canary([{"weight": "1%", "pause": "100ms"}, *steps], analysis={**watched, "threshold": 1000, "hold": True}),
            measure.failures, "less"),
    ]  # fmt: skip


def edge_rows() -> list[Row]:
    """Rows of the edge, and of credentials and sizes."""
    keyed = gateway_world(gateway={"filters": ["api_key"]})
    cached = gateway_world(gateway={"filters": [{"oauth2_introspection": {"service": "other", "ttl": "10s"}}]})
    cached = {**cached, "services": {**cached["services"], **ANOTHER}}
    secure = gateway_world(
        gateway={"tls": {"handshake_time": "5ms", "resumed_handshake_time": "1ms"}}, load={"requests_per_connection": 1}
    )
    crash = {"at": "200ms", "for": "600ms", "service": "(gateway)", "instances": [0], "crash": True}
    crashing = gateway_world(gateway={"replicas": 2}, load={"requests_per_connection": 1}, faults=[crash])
    restarted = gateway_world(gateway={"replicas": 2, "restarts": [{"at": "400ms", "batch": 2}]})
    tls = of_gateway
    large = gateway_world(gateway={"filters": [{"buffer": {"max_request_bytes": "8KiB"}}]})
    asked = gateway_world(gateway={"filters": [{"oauth2_introspection": {"service": "other", "ttl": "0s"}}]})
    asked = {**asked, "services": {**asked["services"], **ANOTHER}}
    replicas = {**secure, "gateway": {**secure["gateway"], "replicas": 8}}
    return [
        Row("CredentialsSection.valid", keyed, clients_are(credentials={"valid": "90%"}), clients_are(credentials={"valid": "20%"}),
            measure.failures, "more"),
        Row("CredentialsSection.missing", asked, clients_are(credentials={"valid": "50%", "count": 1000}),
            clients_are(credentials={"valid": "50%", "missing": "50%", "count": 1000}), measure.attempts_at("other"), "less"),
        Row("CredentialsSection.count", cached, {}, clients_are(credentials={"count": 50}), measure.attempts_at("other"), "more"),
        Row("SizeSpread.p50", large, clients_are(body={"p50": "1KiB", "p99": "20KiB"}), clients_are(body={"p50": "12KiB", "p99": "20KiB"}),
            measure.failures, "more"),
        Row("SizeSpread.p99", large, clients_are(body={"p50": "6KiB", "p99": "7KiB"}), clients_are(body={"p50": "6KiB", "p99": "90KiB"}),
            measure.failures, "more"),
        Row("GatewaySection.tls", gateway_world(load={"requests_per_connection": 1}), {}, tls(tls={"handshake_time": "5ms"}),
            measure.latency, "more"),
        Row("EdgeTlsSection.handshake_time", secure, {}, tls(tls={"handshake_time": "9ms", "session_resumption": False}), measure.latency, "more"),
        Row("EdgeTlsSection.resumed_handshake_time", secure, {}, tls(tls={"resumed_handshake_time": "4ms"}), measure.latency, "more"),
        Row("EdgeTlsSection.round_trips", secure, {}, tls(tls={"round_trips": 3}), measure.latency, "more"),
        Row("EdgeTlsSection.session_resumption", secure, {}, tls(tls={"session_resumption": False}), measure.latency, "more"),
        Row("EdgeTlsSection.shared_ticket_keys", replicas, {}, tls(tls={"shared_ticket_keys": True}), measure.latency, "less"),
        Row("GatewaySection.max_connections", gateway_world(), {}, of_gateway(max_connections=1), measure.flagged("UF"), "more"),
        Row("GatewaySection.idle_timeout", gateway_world(gateway={"tls": {"handshake_time": "5ms"}}), {}, of_gateway(idle_timeout="2ms"),
            measure.latency, "more"),
        Row("GatewaySection.restarts", restarted, {"gateway": {"restarts": []}}, {}, measure.failures, "more"),
        Row("GatewaySection.readiness", crashing, {}, of_gateway(readiness={"period": "100ms", "failure_threshold": 1}),
            measure.flagged("UF"), "less"),
        Row("GatewaySection.startup_time", restarted, {}, of_gateway(startup_time="300ms"), measure.failures, "more"),
        Row("GatewaySection.drain_time", restarted, {}, of_gateway(drain_time="100ms"), measure.flagged("UC"), "less"),
        Row("GatewaySection.balancer", gateway_world(gateway={"replicas": 4}), {}, of_gateway(balancer="source_hash"), measure.longest, "other"),
    ]  # fmt: skip


LIMITS: dict[str, Section] = {
    "fixed_window": {"requests": 20, "window": "1s"},
    "gcra": {"max_burst": 10, "count": 20, "period": "1s"},
    "leaky_bucket": {"rate": "20/s"},
    "quota": {"requests": 20, "period": "day"},
    "sliding_window_counter": {"requests": 20, "window": "1s"},
    "sliding_window_log": {"requests": 20, "window": "1s"},
    "stepped_token_bucket": {"max_tokens": 20, "tokens_per_fill": 20, "fill_interval": "1s"},
    "token_bucket": {"max_tokens": 20, "tokens_per_fill": 20, "fill_interval": "1s"},
}
GENEROUS = {"token_bucket": {"max_tokens": 9999, "tokens_per_fill": 9999, "fill_interval": "1s"}}
BALANCERS = ("dns_round_robin", "least_connections", "source_hash", "take_turns")
FILTERS: dict[str, tuple[Section, Any, str]] = {
    "api_key": ({}, measure.failures, "more"),
    "authorization": ({"rules": [{"action": "deny", "routes": ["main"]}]}, measure.failures, "more"),
    "basic_auth": ({"verify_time": "9ms"}, measure.latency, "more"),
    "buffer": ({"max_request_bytes": "1KiB"}, measure.failures, "more"),
    "cache": ({"ttl": "1s", "key": "route"}, measure.latency, "less"),
    "compress": ({"time_per_kib": "1ms"}, measure.latency, "more"),
    "ext_authz": ({"service": "other"}, measure.latency, "more"),
    "global_rate_limit": (
        {"service": "other", "timeout": "1s", "rules": [{"limit": {"quota": {"requests": 9, "period": "day"}}}]},
        measure.failures,
        "more",
    ),
    "jwt_auth": ({"service": "other"}, measure.attempts_at("other"), "more"),
    "oauth2_introspection": ({"service": "other"}, measure.attempts_at("other"), "more"),
    "shed_by_criticality": (
        {"critical_plus": 0.1, "critical": 0.01, "sheddable_plus": 0.01, "sheddable": 0.01, "interval": "3ms"},
        measure.failures,
        "more",
    ),
    "transcode": ({"request_time": "5ms"}, measure.latency, "more"),
    "transform": ({"request_time": "5ms"}, measure.latency, "more"),
}


def choice_rows() -> list[Row]:
    """Rows of policies that are chosen by their names."""
    world = with_other(load={"credentials": {"valid": "50%"}, "body": "9KiB"}, gateway={"proxy_time": "5ms", "workers": 1},
                       back={"response_size": "64KiB"})  # fmt: skip
    replicas = gateway_world(gateway={"replicas": 4}, load={"requests_per_connection": 3})
    rule = {"limit": GENEROUS}
    return [
        *(Row(f"FilterChoice.{name}", world, {}, of_gateway(filters=[{name: settings}]), figure, direction)
          for name, (settings, figure, direction) in FILTERS.items()),
        *(Row(f"AdmissionChoice.{name}", gateway_world(), of_gateway(filters=[{"rate_limit": {"rules": [rule]}}]),
              of_gateway(filters=[{"rate_limit": {"rules": [{"limit": {name: settings}}]}}]), measure.failures, "more")
          for name, settings in LIMITS.items()),
        *(Row(f"EdgeBalancerChoice.{name}", replicas, {}, of_gateway(balancer={name: {}}), uneven, "other") for name in BALANCERS),
        Row("EdgeBalancerChoice.random_replica", replicas, of_gateway(balancer="take_turns"), of_gateway(balancer={"random_replica": {}}),
            uneven, "more"),
    ]  # fmt: skip


def uneven(result: Any) -> float:
    """Spread of the connections that the gateway's replicas took."""
    return float(result.proxies.groupby("instance")["opened"].sum().std())


ROWS = [*choice_rows(), *(row for name in EXECUTORS for row in shared(name)), *route_rows(), *edge_rows()]
