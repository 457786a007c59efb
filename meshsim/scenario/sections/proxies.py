"""What a gateway's replica, a sidecar, a node proxy and a waypoint are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from meshsim.scenario.sections.connections import DiscoverySection, MtlsSection
from meshsim.scenario.sections.services import PlacedSection, Workers
from meshsim.scenario.sections.traffic import FilterChoice, TrafficSection
from meshsim.scenario.sections.types import Duration, Section, Share, TimeDistribution

TimerResolution = Annotated[Duration, Ge(0), Le(1_000_000_000)]


class TelemetrySection(Section):
    """What observing costs a proxy, for each request, beside its `proxy_time`."""

    stats: bool = False
    """Request metrics by label."""
    access_log: bool = False
    """A line for each request."""
    trace_sampling: Share = 0.0
    """Share of the requests that leave a span."""
    stats_time: Duration | None = None
    """Time of the metrics."""
    access_log_time: Duration | None = None
    """Time of the line."""
    trace_time: Duration | None = None
    """Time of a span."""


class ProxySection(Section):
    """What a gateway's replica and a sidecar share."""

    workers: Workers | None = None
    """Envoy's worker threads of one proxy."""
    proxy_time: TimeDistribution | None = None
    """Time for which a request holds a worker of the proxy."""
    timer_resolution: TimerResolution | None = None
    """Tick of the kernel's coarse clock, by which timeouts and back-offs begin and end: 4ms in Envoy, 0s for exact timers."""
    connection_time: Duration | None = None
    """Time for which a new TCP connection, opened or accepted, holds a worker; where connections are told apart."""
    telemetry: TelemetrySection | None = None
    """What observing costs; nothing beside the proxy time where absent."""
    discovery: DiscoverySection | None = None
    """How the proxies learn of instances that come and go; at once where absent."""


class InboundSection(Section):
    """What the sidecars at a service do with what comes in."""

    filters: list[FilterChoice] = Field(default_factory=list)
    """What a request passes before it reaches the instance, in order."""


class NodeProxySection(Section):
    """The proxy of each node in ambient mode: ztunnel."""

    workers: Workers | None = None
    """Its worker threads."""
    proxy_time: TimeDistribution | None = None
    """Time for which a request holds one of them, at each of the two nodes that it passes."""
    instances_per_node: Annotated[int, Ge(1), Le(10_000)] = 10
    """Instances, of all services together, that share a node; nodes are filled zone by zone."""


class WaypointSection(PlacedSection):
    """The proxy before a service in ambient mode, which sees requests."""


class WaypointsSection(Section):
    """The waypoints in ambient mode."""

    workers: Workers | None = None
    """Worker threads of each replica."""
    proxy_time: TimeDistribution | None = None
    """Time for which a request holds one of them."""
    timer_resolution: TimerResolution | None = None
    """Tick of the clock that their timers go by."""
    connection_time: Duration | None = None
    """Time for which a new TCP connection holds one of their workers."""
    services: dict[str, WaypointSection] = Field(default_factory=dict)
    """Which services have one, and with how many replicas where."""


class MeshSection(ProxySection):
    """The mesh: a sidecar at each instance, or a proxy on each node."""

    mode: Literal["sidecar", "ambient"] = "sidecar"
    """`ambient`: a node proxy for transport, and waypoints for what needs to see requests."""
    mtls: MtlsSection | None = None
    """Mutual TLS between all proxies of the mesh; none where absent."""
    traffic: dict[str, TrafficSection] = Field(default_factory=dict)
    """What a caller's sidecar does for the calls to a service (its waypoint, in ambient mode); `*` for all."""
    inbound: dict[str, InboundSection] = Field(default_factory=dict)
    """What the sidecars at a service (its waypoint, in ambient mode) do with what comes in."""
    node_proxy: NodeProxySection | None = None
    """The proxy of each node, in ambient mode."""
    waypoints: WaypointsSection | None = None
    """The waypoints, in ambient mode."""


class DirectSection(Section):
    """What callers without a proxy do themselves: kube-proxy, or a client library."""

    discovery: DiscoverySection | None = None
    """How they learn of instances that come and go; at once where absent."""
    traffic: dict[str, TrafficSection] = Field(default_factory=dict)
    """What they do for the calls to a service; `*` for all."""
