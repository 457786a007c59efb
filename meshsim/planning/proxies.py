"""The gateway, the mesh, and callers without a proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshsim.distributions import Constant, Distribution
from meshsim.plan import BARE, Ambient, Cluster, Connections, Direct, Effect, Gateway, Mesh, ProxyKind
from meshsim.planning.asks import asked_services, plan_asks
from meshsim.planning.connections import plan_connections, plan_discovery, plan_tls
from meshsim.planning.edge import plan_edge
from meshsim.planning.faults import effects_on_gateway
from meshsim.planning.places import place_zones
from meshsim.planning.traffic import plan_cluster
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.load_balancing import Random
from meshsim.scenario import effective
from meshsim.scenario.circumstances import Caller
from meshsim.scenario.defaults import NO_PRODUCT, Product, resolve

if TYPE_CHECKING:
    from meshsim.plan import Tls
    from meshsim.planning.index import Index
    from meshsim.policies.filters import Filter
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.proxies import TelemetrySection

AT_LAYER_4 = Connections(
    is_http2=False,
    max_concurrent_streams=1,
    max_requests=0,
    max_age_ns=0,
    idle_timeout_ns=0,
    connect_timeout_ns=0,
    is_balanced=True,
    max_connections=NO_LIMIT,
    tls=None,
)
"""How a node proxy sends where nothing is written: a connection for each one of the application's."""


def plan_gateway(scenario: Scenario, index: Index, product: Product) -> Gateway:
    """The gateway's replicas."""
    section = scenario.gateway
    assert section is not None  # noqa: S101 — the loader refuses a deployment with a gateway but no `gateway:`
    reached = {
        target.partition("/")[0]
        for route in section.routes.values()
        for target in (
            *route.destinations,
            *([] if route.mirror is None else [route.mirror.to]),
            *([] if route.fallback is None else [route.fallback]),
            *(part.call for part in route.aggregate),
        )
    }
    made = filters(section.filters)
    reached |= {target.partition("/")[0] for target in asked_services(made).values()}
    mirrors = [effective.traffic(section.traffic, name, product).mirror for name in sorted(reached)]
    reached |= {mirror.to.partition("/")[0] for mirror in mirrors if mirror is not None}
    tls = mesh_tls(scenario, product)
    clusters: list[Cluster | None] = [
        plan_cluster(section.traffic, name, scenario, index, product, Caller("gateway"), tls)[0] if name in reached else None
        for name in index.names.services
    ]
    zones = place_zones(section, index)
    effects = effects_on_gateway(scenario, index, zones)
    is_struck = not effects.isdisjoint({Effect.CRASH, Effect.UNREACHABLE})
    return Gateway(
        zones=zones,
        proxy=replace(_encrypting(_proxy(section, "gateway", product), tls), may_slow=Effect.SLOW in effects),
        filters=made,
        asks=plan_asks(made, index),
        edge=plan_edge(section, scenario, product, zones, is_struck=is_struck),
        clusters=tuple(clusters),
        discovery=plan_discovery(section.discovery, product),
    )


def mesh_tls(scenario: Scenario, product: Product) -> Tls | None:
    """What encryption costs between the proxies of the mesh; None without a mesh or without mTLS."""
    if "mesh" not in scenario.deployment or scenario.mesh is None:
        return None
    return plan_tls(scenario.mesh.mtls, product)


def plan_mesh(scenario: Scenario, index: Index, product: Product) -> Mesh:
    """The sidecars, or node proxies and waypoints."""
    section = scenario.mesh
    entries = {} if section is None else section.traffic
    tls = mesh_tls(scenario, product)
    planned = [
        plan_cluster(entries, name, scenario, index, product, effective.caller_in_mesh(section, name), tls)
        for name in index.names.services
    ]
    mesh = Mesh(
        proxy=_encrypting(_proxy(section, "mesh", product), tls),
        clusters=tuple(cluster for cluster, _ in planned),
        stacks=tuple(stack for _, stack in planned),
        discovery=None if section is None else plan_discovery(section.discovery, product),
    )
    if section is None or section.mode == "sidecar":
        return mesh
    ambient = _ambient(scenario, index, product, tls)
    return replace(
        mesh,
        ambient=ambient,
        transport=tuple(_transport(name, scenario, index, product, tls) for name in index.names.services),
        stacks=tuple(stack if zones else BARE for stack, zones in zip(mesh.stacks, ambient.waypoints, strict=True)),
    )


def _ambient(scenario: Scenario, index: Index, product: Product, tls: Tls | None) -> Ambient:
    assert scenario.mesh is not None  # noqa: S101 — the caller has looked
    node, waypoints = scenario.mesh.node_proxy, scenario.mesh.waypoints
    before = {} if waypoints is None else waypoints.services
    return Ambient(
        node_proxy=_encrypting(_proxy(node, "mesh.node_proxy", product), tls),
        instances_per_node=10 if node is None else node.instances_per_node,
        waypoint=_proxy(waypoints, "mesh.waypoints", product),
        waypoints=tuple(place_zones(before[name], index) if name in before else () for name in index.names.services),
    )


def _transport(name: str, scenario: Scenario, index: Index, product: Product, tls: Tls | None) -> Cluster:
    """How a node proxy sends to a service without a waypoint: it picks at random for each connection."""
    assert scenario.mesh is not None  # noqa: S101 — the caller has looked
    entries = scenario.mesh.traffic
    traffic = effective.traffic(entries, name, product, Caller("sidecar"))
    made = plan_connections(entries, name, traffic, scenario, product, tls)
    connections = AT_LAYER_4 if made is None else replace(made, is_balanced=True)
    if made is not None and not made.is_balanced:
        connections = replace(connections, max_connections=1 if made.is_http2 else NO_LIMIT)
    return Cluster(index.services[name], Random(), connections=connections)


def plan_direct(scenario: Scenario, index: Index) -> Direct:
    """What callers without a proxy do: at random, as kube-proxy, where nothing is written."""
    product = resolve(NO_PRODUCT)
    section = scenario.direct
    entries = {} if section is None else section.traffic
    planned = [plan_cluster(entries, name, scenario, index, product, effective.NOBODY) for name in index.names.services]
    return Direct(
        clusters=tuple(cluster for cluster, _ in planned),
        stacks=tuple(stack for _, stack in planned),
        discovery=None if section is None else plan_discovery(section.discovery, product),
    )


def _proxy(section: Any, where: str, product: Product) -> ProxyKind:
    workers = None if section is None else section.workers
    time = None if section is None else section.proxy_time
    default_ns = product.default(f"{where}.proxy_time").value
    default: Distribution | None = Constant(value=default_ns).build() if default_ns else None
    telemetry = getattr(section, "telemetry", None)
    kind = ProxyKind(
        workers=product.default(f"{where}.workers").value if workers is None else workers,
        time=default if time is None else drawn(time),
        timer_resolution_ns=effective.of_proxy(section, where, "timer_resolution", product),
        connection_ns=effective.of_proxy(section, where, "connection_time", product),
    )
    return kind if telemetry is None else _observed(kind, telemetry, product)


def _encrypting(kind: ProxyKind, tls: Tls | None) -> ProxyKind:
    """A proxy that takes time for encrypting each request and its answer, whatever their sizes."""
    return kind if tls is None else replace(kind, extra_ns=kind.extra_ns + tls.per_request_ns)


def _observed(kind: ProxyKind, section: TelemetrySection, product: Product) -> ProxyKind:
    """A proxy that takes time for observing each request."""

    def value(name: str) -> int:
        written = getattr(section, name)
        default: int = product.default(f"telemetry.{name}").value
        return default if written is None else written

    extra_ns = section.stats * value("stats_time") + section.access_log * value("access_log_time")
    return replace(kind, extra_ns=float(extra_ns), trace_share=section.trace_sampling, trace_ns=float(value("trace_time")))


def drawn(time: Any) -> Distribution | None:
    """The distribution of a time, or None where it is always zero."""
    if time is None:
        return None
    made: Distribution = time.chosen.build()
    return None if isinstance(made, Constant) and made.mean_ns == 0 else made


def filters(choices: Any) -> tuple[Filter, ...]:
    """The policies of a list of filters."""
    return tuple(choice.chosen for choice in choices or ())
