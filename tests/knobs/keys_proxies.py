"""Keys of the gateway, its routes, the mesh in both modes, and callers without a proxy."""

from __future__ import annotations

import keys_measures as measure
from keys_worlds import (
    RETRIES,
    Section,
    bare_world,
    gateway_world,
    mesh_world,
    traffic_to_back,
)
from rows import Row

SLOW_PROXY = {"proxy_time": "2ms", "workers": 10}
BUSY_PROXY = {"proxy_time": "9ms", "workers": 1}
BUCKET = {"rate_limit": {"token_bucket": {"max_tokens": 10, "fill_interval": "1s"}}}
LEAVING = {"replicas": 2, "scale": [{"at": "500ms", "replicas": 1}], "termination_grace_period": "0s"}
ONCE = {"connections": {"max_requests_per_connection": 1}}
FAR = {"same_zone": "1ms", "cross_zone": "20ms"}


def of_gateway(**settings: object) -> Section:
    """A change of the gateway."""
    return {"gateway": settings}


def of_route(**settings: object) -> Section:
    """A change of its route."""
    return {"gateway": {"routes": {"main": settings}}}


def of_mesh(**settings: object) -> Section:
    """A change of the mesh."""
    return {"mesh": settings}


def gateway_rows() -> list[Row]:
    """Rows of the gateway itself."""
    plain, busy = gateway_world(), gateway_world(gateway=BUSY_PROXY, load={"arrivals": "poisson"})
    far = gateway_world(network=FAR, load={"zone": "x"}, back={"zone": "x"})
    even = gateway_world(network=FAR, load={"zone": "x"}, back={"zone": "x"}, gateway={"zones": {"x": 1, "y": 1}})
    return [
        Row("GatewaySection.replicas", busy, {}, of_gateway(replicas=4), measure.latency, "less"),
        Row("GatewaySection.zone", far, of_gateway(zone="x"), of_gateway(zone="y"), measure.latency, "more"),
        Row("GatewaySection.zones", even, {}, of_gateway(zones={"x": 1, "y": 9}), measure.latency, "more"),
        Row("GatewaySection.workers", busy, {}, of_gateway(workers=2), measure.latency, "less"),
        Row("GatewaySection.proxy_time", plain, {}, of_gateway(proxy_time="2ms"), measure.latency, "more"),
        Row(
            "GatewaySection.timer_resolution", gateway_world(traffic={"timeout": "6ms"}, load={"arrivals": "poisson"}), {},
            of_gateway(timer_resolution="5ms"), measure.longest, "more",
        ),
        Row("GatewaySection.connection_time", gateway_world(traffic=ONCE), {}, of_gateway(connection_time="2ms"), measure.latency, "more"),
        Row(
            "GatewaySection.telemetry", plain, {}, of_gateway(telemetry={"stats": True, "stats_time": "1ms"}), measure.latency, "more",
        ),
        Row(
            "GatewaySection.discovery", gateway_world(back=LEAVING), {}, of_gateway(discovery={"propagation": "200ms"}),
            measure.counted("stale_picks"), "more",
        ),
        Row("GatewaySection.filters", plain, {}, of_gateway(filters=[BUCKET]), measure.flagged("RL"), "more"),
        Row(
            "GatewaySection.routes", gateway_world(load={"requests": {"/other": 1}}), {},
            of_gateway(routes={"other": {"path": "/other", "to": "back"}}), measure.failures, "less",
        ),
        Row("GatewaySection.traffic", plain, {}, of_gateway(traffic={"back": {"timeout": "5ms"}}), measure.flagged("UT"), "more"),
        Row(
            "GatewaySection.traffic *", plain, {}, of_gateway(traffic={"*": {"timeout": "5ms"}}), measure.flagged("UT"), "more",
        ),
    ]  # fmt: skip


def route_rows() -> list[Row]:
    """Rows of a route."""
    plain, broken = gateway_world(), gateway_world(back={"errors": "100%"})
    paths = gateway_world(load={"requests": {"/main/7": 1}})
    two = {
        "back": {"workers": 100, "script": [{"compute": "10ms"}]},
        "other": {"workers": 100, "script": [{"compute": "30ms"}]},
    }
    return [
        Row("RouteSection.path", paths, {}, of_route(path="/elsewhere"), measure.failures, "more"),
        Row("RouteSection.to", gateway_world(services=two), {}, of_route(to="other"), measure.latency, "more"),
        Row(
            "RouteSection.to weights", gateway_world(services=two), of_route(to={"back": 9, "other": 1}), of_route(to={"back": 1, "other": 9}),
            measure.latency, "more",
        ),
        Row("RouteSection.timeout", plain, {}, of_route(timeout="5ms"), measure.flagged("UT"), "more"),
        Row("RouteSection.idle_timeout", plain, {}, of_route(idle_timeout="5ms"), measure.flagged("SI"), "more"),
        Row("RouteSection.retries", broken, {}, of_route(retries=RETRIES), measure.tries, "more"),
        Row("RouteSection.hedge_policy", plain, {}, of_route(hedge_policy={"delay": "5ms"}), measure.counted("hedges"), "more"),
        Row(
            "RouteSection.mirror", gateway_world(services=two), {}, of_route(mirror={"to": "other"}), measure.attempts_at("other"), "more",
        ),
    ]  # fmt: skip


def mesh_rows() -> list[Row]:
    """Rows of the sidecars, the node proxies and the waypoints."""
    plain, busy = mesh_world(), mesh_world(mesh=BUSY_PROXY, load={"arrivals": "poisson"})
    ambient = mesh_world(mesh={"mode": "ambient", "traffic": {}})
    nodes = mesh_world(
        mesh={"mode": "ambient", "traffic": {}, "node_proxy": {"proxy_time": "4ms", "workers": 1}}, load={"arrivals": "poisson"}
    )
    waypoint = {"proxy_time": "9ms", "workers": 1, "services": {"back": {}}}
    waypoints = mesh_world(mesh={"mode": "ambient", "traffic": {}, "waypoints": waypoint}, load={"arrivals": "poisson"})
    zones = {"front": {"zone": "x"}, "back": {"zone": "x"}, "load": {"zone": "x"}, "network": FAR}
    far = mesh_world(mesh={"mode": "ambient", "traffic": {}, "waypoints": {"services": {"back": {"zone": "x"}}}}, **zones)
    both = mesh_world(
        mesh={"mode": "ambient", "traffic": {}, "waypoints": {"services": {"back": {"zones": {"x": 1, "y": 1}}}}}, **zones
    )

    nowhere = mesh_world(mesh={"mode": "ambient", "traffic": {}, "waypoints": {"proxy_time": "9ms"}})

    def way(**settings: object) -> Section:
        return of_mesh(waypoints=settings)

    def way_traffic_to_back(**settings: object) -> Section:
        return way(services={"back": settings})

    return [
        Row("MeshSection.workers", busy, {}, of_mesh(workers=2), measure.latency, "less"),
        Row("MeshSection.proxy_time", plain, {}, of_mesh(proxy_time="1ms"), measure.latency, "more"),
        Row(
            "MeshSection.timer_resolution", mesh_world({"timeout": "6ms"}), {}, of_mesh(timer_resolution="5ms"), measure.longest, "more",
        ),
        Row("MeshSection.connection_time", mesh_world(ONCE), {}, of_mesh(connection_time="2ms"), measure.latency, "more"),
        Row("MeshSection.telemetry", plain, {}, of_mesh(telemetry={"stats": True, "stats_time": "1ms"}), measure.latency, "more"),
        Row(
            "MeshSection.discovery", mesh_world(back=LEAVING), {}, of_mesh(discovery={"propagation": "200ms"}),
            measure.counted("stale_picks"), "more",
        ),
        Row(
            "MeshSection.mode", mesh_world(mesh={**SLOW_PROXY, "traffic": {}}), {}, of_mesh(mode="ambient"), measure.latency, "less",
        ),
        Row("MeshSection.mtls", plain, {}, of_mesh(mtls={"handshake_time": "3ms"}), measure.longest, "more"),
        Row("MeshSection.traffic", plain, {}, of_mesh(traffic={"back": {"timeout": "5ms"}}), measure.flagged("UT"), "more"),
        Row("MeshSection.inbound", plain, {}, of_mesh(inbound={"back": {"filters": [BUCKET]}}), measure.flagged("RL"), "more"),
        Row(
            "InboundSection.filters", mesh_world(mesh={"inbound": {"back": {"filters": []}}}), {},
            of_mesh(inbound={"back": {"filters": [BUCKET]}}), measure.flagged("RL"), "more",
        ),
        Row("MeshSection.node_proxy", ambient, {}, of_mesh(node_proxy={"proxy_time": "1ms"}), measure.latency, "more"),
        Row("NodeProxySection.workers", nodes, {}, of_mesh(node_proxy={"workers": 4}), measure.latency, "less"),
        Row("NodeProxySection.proxy_time", nodes, {}, of_mesh(node_proxy={"proxy_time": "1ms"}), measure.latency, "less"),
        Row("NodeProxySection.instances_per_node", nodes, {}, of_mesh(node_proxy={"instances_per_node": 1}), measure.latency, "less"),
        Row("MeshSection.waypoints", ambient, {}, way(services={"back": {}}), measure.latency, "more"),
        Row("WaypointsSection.workers", waypoints, {}, way(workers=4), measure.latency, "less"),
        Row("WaypointsSection.proxy_time", waypoints, {}, way(proxy_time="2ms"), measure.latency, "less"),
        Row(
            "WaypointsSection.timer_resolution", waypoints, traffic_to_back(timeout="6ms"),
            {"mesh": {**traffic_to_back(timeout="6ms")["mesh"], **way(timer_resolution="5ms")["mesh"]}}, measure.longest, "more",
        ),
        Row(
            "WaypointsSection.connection_time", waypoints, traffic_to_back(**ONCE),
            {"mesh": {**traffic_to_back(**ONCE)["mesh"], **way(connection_time="2ms")["mesh"]}}, measure.latency, "more",
        ),
        Row("WaypointsSection.services", nowhere, {}, way_traffic_to_back(), measure.latency, "more"),
        Row("WaypointSection.replicas", waypoints, {}, way_traffic_to_back(replicas=4), measure.latency, "less"),
        Row("WaypointSection.zone", far, {}, way_traffic_to_back(zone="y"), measure.latency, "more"),
        Row("WaypointSection.zones", both, {}, way_traffic_to_back(zones={"x": 1, "y": 9}), measure.latency, "more"),
    ]  # fmt: skip


def mtls_rows() -> list[Row]:
    """Rows of mutual TLS: connections are made anew for each request where that shows it better."""
    tls = {"handshake_time": "3ms", "resumed_handshake_time": "1ms", "time_per_kib": "0s"}
    anew = mesh_world({"connections": {"max_requests_per_connection": 1}}, mesh={"mtls": tls})
    kept = mesh_world({"connections": {}}, mesh={"mtls": tls}, back={"request_size": "4KiB"})

    def mtls(**settings: object) -> Section:
        return of_mesh(mtls=settings)

    return [
        Row("MtlsSection.handshake_time", anew, {}, mtls(handshake_time="9ms"), measure.longest, "more"),
        Row("MtlsSection.resumed_handshake_time", anew, {}, mtls(resumed_handshake_time="3ms"), measure.latency, "more"),
        Row("MtlsSection.session_resumption", anew, {}, mtls(session_resumption=False), measure.latency, "more"),
        Row("MtlsSection.round_trips", anew, {}, mtls(round_trips=2), measure.mean_of("tls_ns"), "more"),
        Row("MtlsSection.time_per_request", kept, {}, mtls(time_per_request="1ms"), measure.latency, "more"),
        Row("MtlsSection.time_per_kib", kept, {}, mtls(time_per_kib="100us"), measure.latency, "more"),
        Row("MtlsSection.certificate_rotation", kept, {}, mtls(certificate_rotation=["500ms"]), measure.counted("handshakes"), "more"),
    ]  # fmt: skip


def telemetry_rows() -> list[Row]:
    """Rows of what observing costs."""
    all_on = {
        "stats": True, "stats_time": "1ms", "access_log": True, "access_log_time": "1ms", "trace_sampling": "50%", "trace_time": "1ms",
    }  # fmt: skip
    observed = mesh_world(mesh={"telemetry": all_on})

    def telemetry(**settings: object) -> Section:
        return of_mesh(telemetry=settings)

    return [
        Row("TelemetrySection.stats", observed, {}, telemetry(stats=False), measure.latency, "less"),
        Row("TelemetrySection.access_log", observed, {}, telemetry(access_log=False), measure.latency, "less"),
        Row("TelemetrySection.trace_sampling", observed, {}, telemetry(trace_sampling="100%"), measure.latency, "more"),
        Row("TelemetrySection.stats_time", observed, {}, telemetry(stats_time="2ms"), measure.latency, "more"),
        Row("TelemetrySection.access_log_time", observed, {}, telemetry(access_log_time="2ms"), measure.latency, "more"),
        Row("TelemetrySection.trace_time", observed, {}, telemetry(trace_time="2ms"), measure.latency, "more"),
    ]


def discovery_rows() -> list[Row]:
    """Rows of how callers learn of instances that leave."""
    debounced = mesh_world(back=LEAVING, mesh={"discovery": {"debounce_after": "50ms", "debounce_max": "10s"}})
    steps = [{"at": f"{at}ms", "replicas": replicas} for at, replicas in ((300, 5), (380, 4), (460, 3), (540, 2), (620, 1))]
    busy = {"replicas": 6, "scale": steps, "termination_grace_period": "0s"}
    never_quiet = mesh_world(back=busy, mesh={"discovery": {"debounce_after": "100ms", "debounce_max": "10s"}})
    stale = measure.counted("stale_picks")

    def discovery(**settings: object) -> Section:
        return of_mesh(discovery=settings)

    return [
        Row("DiscoverySection.debounce_after", debounced, {}, discovery(debounce_after="300ms"), stale, "more"),
        Row("DiscoverySection.debounce_max", never_quiet, {}, discovery(debounce_max="100ms"), stale, "less"),
        Row("DiscoverySection.propagation", debounced, {}, discovery(propagation="200ms"), stale, "more"),
        Row("DiscoverySection.dns_refresh", mesh_world(back=LEAVING), {}, discovery(dns_refresh="900ms"), stale, "more"),
    ]


def direct_rows() -> list[Row]:
    """Rows of callers without a proxy."""
    return [
        Row(
            "DirectSection.discovery", bare_world(back=LEAVING), {}, {"direct": {"discovery": {"dns_refresh": "900ms"}}},
            measure.counted("stale_picks"), "more",
        ),
        Row("DirectSection.traffic", bare_world(), {}, {"direct": {"traffic": {"back": {"timeout": "5ms"}}}}, measure.flagged("UT"), "more"),
    ]  # fmt: skip


ROWS = [*gateway_rows(), *route_rows(), *mesh_rows(), *mtls_rows(), *telemetry_rows(), *discovery_rows(), *direct_rows()]
