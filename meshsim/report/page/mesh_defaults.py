"""Which defaults of a product a scenario uses for what a mesh does beside retries and timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.sections.connections import DiscoverySection, MtlsSection
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.proxies import TelemetrySection
    from meshsim.scenario.sections.traffic import TrafficSection


ENFORCING = (
    "enforcing_success_rate",
    "enforcing_consecutive_gateway_failure",
    "enforcing_failure_percentage",
    "enforcing_local_origin_success_rate",
)


def of_cluster(blocks: list[TrafficSection], *, has_tls: bool) -> Iterator[str]:
    """Of a proxy's calls to one destination: connections, health and zones, each only where it is switched on."""
    if opens_connections(blocks, has_tls=has_tls):
        connections = _first(blocks, "connections")
        if _first(blocks, "connect_timeout") is None:
            yield "traffic.connect_timeout"
        if getattr(connections, "idle_timeout", None) is None:
            yield "traffic.connections.idle_timeout"
        if getattr(connections, "protocol", None) == "http2" and connections.max_concurrent_streams is None:
            yield "traffic.connections.max_concurrent_streams"
    yield from _of_health(blocks)
    yield from _of_queue(blocks)
    balancer = _first(blocks, "load_balancer")
    if balancer is not None and balancer.chosen.name in ("ring_hash", "maglev") and _first(blocks, "hash_on") is None:
        yield "traffic.hash_on"
    if _first(blocks, "locality") is not None and _first(blocks, "overprovisioning_factor") is None:
        yield "traffic.overprovisioning_factor"


def opens_connections(blocks: list[TrafficSection], *, has_tls: bool) -> bool:
    """Whether a proxy's connections to one destination are told apart, so that opening one takes something."""
    return has_tls or any(_first(blocks, name) is not None for name in ("connections", "connect_timeout"))


def _of_health(blocks: list[TrafficSection]) -> Iterator[str]:
    """What finds hosts ill, and what comes of that."""
    outliers = _first(blocks, "outlier_detection")
    if outliers is not None:
        open_ones = {"interval", *ENFORCING} - outliers.model_fields_set
        yield from (f"traffic.outlier_detection.{name}" for name in sorted(open_ones))
        if _first(blocks, "locality") is None:
            yield "traffic.locality"
    is_checked = _first(blocks, "health_checks") is not None
    of_health = ("healthy_panic_threshold", "update_merge_window") if outliers is not None or is_checked else ()
    of_checks = ("ignore_health_on_host_removal",) if is_checked else ()
    yield from (f"traffic.{name}" for name in (*of_health, *of_checks) if _first(blocks, name) is None)


def _of_queue(blocks: list[TrafficSection]) -> Iterator[str]:
    """Of the queue before a balancer, where something can leave it without an endpoint."""
    queue = _first(blocks, "balancer_queue")
    if queue is not None or _first(blocks, "failure_accrual") is not None:
        names = ("failfast_timeout", "capacity")
        yield from (f"traffic.balancer_queue.{name}" for name in names if getattr(queue, name, None) is None)


def of_mesh(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Of the mesh itself: the field, and where it is used."""
    section = scenario.mesh
    if section is None:
        return
    yield from ((field, "mTLS of the mesh") for field in _mtls(section.mtls))
    yield from ((field, "discovery of the mesh") for field in of_discovery(section.discovery))
    yield from ((field, "sidecars") for field in of_telemetry(section.telemetry))
    if section.mode == "ambient":
        for name, place in (("node_proxy", "node proxies"), ("waypoints", "waypoints")):
            if name == "node_proxy" or section.waypoints is not None:
                inner = getattr(section, name)
                of_envoy = ("timer_resolution", "connection_time") if name == "waypoints" else ()
                fields = ("workers", "proxy_time", *of_envoy)
                yield from ((f"mesh.{name}.{field}", place) for field in fields if getattr(inner, field, None) is None)


def of_discovery(section: DiscoverySection | None) -> Iterator[str]:
    """Of a discovery by pushes."""
    if section is not None and section.dns_refresh is None:
        yield from (f"discovery.{name}" for name in ("debounce_after", "debounce_max") if getattr(section, name) is None)


def of_telemetry(section: TelemetrySection | None) -> Iterator[str]:
    """Of what is observed."""
    if section is None:
        return
    for name, is_on in (("stats", section.stats), ("access_log", section.access_log), ("trace", section.trace_sampling)):
        if is_on and getattr(section, f"{name}_time") is None:
            yield f"telemetry.{name}_time"


def _mtls(section: MtlsSection | None) -> Iterator[str]:
    if section is not None:
        names = ("handshake_time", "resumed_handshake_time", "time_per_request", "time_per_kib")
        yield from (f"mesh.mtls.{name}" for name in names if getattr(section, name) is None)


def _first(blocks: list[TrafficSection], field: str) -> Any:
    return next((found for block in blocks if (found := getattr(block, field)) is not None), None)
