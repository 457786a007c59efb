"""Knobs of proxies, modes and encryption."""

from __future__ import annotations

from knob import Knob

S = "services.b"
MT = "mesh.mtls"


def filters(text: str) -> str:
    """The gateway's filters as one value."""
    return f"[{{{text}}}]"


def fault(text: str) -> str:
    return filters(f"fault: {{{text}}}")


PROXIES = [
    Knob("GatewaySection.replicas", "busy gateway", "gateway.replicas", ("1", "4"), "mean", "less"),
    Knob("GatewaySection.zone", "zones", "gateway.zone", ("x", "y"), "mean"),
    Knob(
        "GatewaySection.zones",
        "zones",
        "gateway",
        ("{zones: {x: 1}, routes: {main: {path: /main, to: a}}}", "{zones: {y: 1}, routes: {main: {path: /main, to: a}}}"),
        "mean",
    ),
    Knob("GatewaySection.workers", "busy gateway", "gateway.workers", ("1", "4"), "mean", "less"),
    Knob("GatewaySection.proxy_time", "chain", "gateway.proxy_time", ("0s", "2ms"), "mean"),
    Knob(
        "GatewaySection.routes RouteSection.path",
        "chain",
        "gateway.routes.main.path",
        ("/main", "/other"),
        "failures",
        "more",
        ("load.users.requests={/main: 1}",),
    ),
    Knob(
        "ExactPath.exact",
        "chain",
        "gateway.routes.main.path",
        ("{exact: /main/x}", "{exact: /main}"),
        "failures",
        "more",
        ("load.users.requests={/main/x: 1}",),
    ),
    Knob("RouteSection.to", "chain", "gateway.routes.main.to", ("a", "c"), "attempts at c"),
    Knob(
        "GatewaySection.telemetry TelemetrySection.stats TelemetrySection.stats_time",
        "chain",
        "gateway.telemetry.stats_time",
        ("10us", "2ms"),
        "mean",
        "more",
        ("gateway.telemetry.stats=true",),
    ),
    Knob(
        "TelemetrySection.stats",
        "chain",
        "gateway.telemetry.stats",
        ("false", "true"),
        "mean",
        "more",
        ("gateway.telemetry.stats_time=1ms",),
    ),
    Knob(
        "TelemetrySection.access_log",
        "chain",
        "gateway.telemetry.access_log",
        ("false", "true"),
        "mean",
        "more",
        ("gateway.telemetry.access_log_time=1ms",),
    ),
    Knob(
        "TelemetrySection.access_log_time",
        "chain",
        "gateway.telemetry.access_log_time",
        ("10us", "2ms"),
        "mean",
        "more",
        ("gateway.telemetry.access_log=true",),
    ),
    Knob(
        "TelemetrySection.trace_sampling",
        "chain",
        "gateway.telemetry.trace_sampling",
        ("1%", "100%"),
        "mean",
        "more",
        ("gateway.telemetry.trace_time=1ms",),
    ),
    Knob(
        "TelemetrySection.trace_time",
        "chain",
        "gateway.telemetry.trace_time",
        ("10us", "2ms"),
        "mean",
        "more",
        ("gateway.telemetry.trace_sampling=100%",),
    ),
    Knob("MeshSection.telemetry", "chain", "mesh.telemetry", ("{stats: false}", "{stats: true, stats_time: 1ms}"), "mean"),
    Knob("MeshSection.proxy_time", "chain", "mesh.proxy_time", ("0s", "1ms"), "mean"),
    Knob(
        "MeshSection.workers",
        "chain",
        "mesh.workers",
        ("1", "8"),
        "mean",
        "less",
        ("mesh.proxy_time=4ms", "load.users.rate=200/s"),
    ),
    Knob(
        "MeshSection.mode",
        "ambient",
        "mesh",
        ("{mode: sidecar, proxy_time: 400us}", "{mode: ambient, node_proxy: {proxy_time: 60us}}"),
        "mean",
        "less",
    ),
    Knob(
        "MeshSection.inbound InboundSection.filters",
        "chain",
        "mesh.inbound.b.filters",
        ("[]", "[{fault: {abort: {http_status: 503, percentage: 50%}}}]"),
        "failures",
    ),
    Knob("MeshSection.node_proxy NodeProxySection.proxy_time", "ambient", "mesh.node_proxy.proxy_time", ("10us", "1ms"), "mean"),
    Knob(
        "NodeProxySection.workers",
        "ambient",
        "mesh.node_proxy.workers",
        ("1", "8"),
        "mean",
        "less",
        ("mesh.node_proxy.proxy_time=1500us",),
    ),
    Knob(
        "NodeProxySection.instances_per_node",
        "ambient",
        "mesh.node_proxy.instances_per_node",
        ("1", "20"),
        "mean",
        "more",
        ("mesh.node_proxy.proxy_time=900us", "mesh.node_proxy.workers=1"),
    ),
    Knob("MeshSection.waypoints WaypointsSection.proxy_time", "ambient", "mesh.waypoints.proxy_time", ("10us", "2ms"), "mean"),
    Knob(
        "WaypointsSection.workers",
        "ambient",
        "mesh.waypoints.workers",
        ("1", "8"),
        "mean",
        "less",
        ("mesh.waypoints.proxy_time=5ms",),
    ),
    Knob(
        "WaypointsSection.services WaypointSection.replicas",
        "ambient",
        "mesh.waypoints.services.b.replicas",
        ("1", "4"),
        "mean",
        "less",
        ("mesh.waypoints.proxy_time=5ms", "mesh.waypoints.workers=1"),
    ),
    Knob(
        "WaypointSection.zone",
        "zones",
        "mesh",
        *(
            (
                (
                    "{mode: ambient, waypoints: {services: {b: {zone: x}}}}",
                    "{mode: ambient, waypoints: {services: {b: {zone: y}}}}",
                ),
                "anything",
                "other",
            )
        ),
    ),
    Knob(
        "WaypointSection.zones",
        "zones",
        "mesh",
        *(
            (
                (
                    "{mode: ambient, waypoints: {services: {b: {zones: {x: 1}}}}}",
                    "{mode: ambient, waypoints: {services: {b: {zones: {y: 2}}}}}",
                ),
                "anything",
                "other",
            )
        ),
    ),
]

ENCRYPTION = [
    Knob("MeshSection.mtls MtlsSection.handshake_time", "tls", f"{MT}.handshake_time", ("10us", "5ms"), "tls time"),
    Knob(
        "MtlsSection.resumed_handshake_time",
        "tls",
        f"{MT}.resumed_handshake_time",
        ("10us", "2ms"),
        "tls time",
        "more",
        ("mesh.traffic.b.connections.max_requests_per_connection=1",),
    ),
    Knob(
        "MtlsSection.session_resumption",
        "tls",
        f"{MT}.session_resumption",
        ("false", "true"),
        "resumed",
        "more",
        ("mesh.traffic.b.connections.max_requests_per_connection=1",),
    ),
    Knob("MtlsSection.round_trips", "tls", f"{MT}.round_trips", ("1", "3"), "tls time"),
    Knob("MtlsSection.time_per_kib", "tls", f"{MT}.time_per_kib", ("1us", "50us"), "mean", "more", (f"{S}.response_size=64KiB",)),
    Knob("MtlsSection.certificate_rotation", "tls", f"{MT}.certificate_rotation", ("[]", "[1s, 2s]"), "handshakes"),
]

KNOBS = [*PROXIES, *ENCRYPTION]
