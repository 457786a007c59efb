"""The proxies, and what callers without one do themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.plan.kinds import NONE

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.plan.layers import Stack
    from meshsim.plan.traffic import Cluster, Discovery
    from meshsim.policies.edge import EdgeBalancer
    from meshsim.policies.filters import Filter


@dataclass(frozen=True, slots=True)
class ProxyKind:
    """The gateway's replicas, or the sidecars."""

    workers: int
    time: Distribution | None
    extra_ns: float = 0.0
    """Time for telemetry, per request."""
    trace_share: float = 0.0
    trace_ns: float = 0.0
    """Time for the span of a request that is traced."""
    may_slow: bool = False
    """Whether a fault slows it down."""
    timer_resolution_ns: int = 0
    """Between two ticks of the clock that its timers go by; 0 for exact ones."""
    connection_ns: int = 0
    """Time for which a new TCP connection holds a worker."""


@dataclass(frozen=True, slots=True)
class Ambient:
    """Ambient mode: a node proxy for transport, and waypoints for requests."""

    node_proxy: ProxyKind
    instances_per_node: int
    """Instances of all services share nodes, zone by zone, in the order of their numbers."""
    waypoint: ProxyKind
    waypoints: tuple[tuple[int, ...], ...]
    """By service: the zones of its waypoint's replicas; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom a filter asks."""

    filter: int
    """Number of the filter in its chain."""
    operation: int
    timeout_ns: int
    """0 for none."""


@dataclass(frozen=True, slots=True)
class EdgeTls:
    """TLS between clients and the gateway."""

    round_trips: int
    handshake_ns: int
    """Time that a full handshake holds a worker of the replica."""
    resumed_ns: int
    """The same of a resumed one."""
    resumes: bool
    shares_keys: bool
    """Whether a session is known to all replicas, and after a restart."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What stands between clients and the gateway: their connections, and who spreads them."""

    balancer: EdgeBalancer
    tls: EdgeTls | None
    connection_ns: int
    """Time for which a new TCP connection holds a worker of the replica."""
    max_connections: int
    """Of each replica; NONE for no limit."""
    idle_timeout_ns: int
    """0 for none."""
    restarts: tuple[tuple[int, int], ...]
    """When (ns) all replicas are restarted, and how many at once."""
    order: tuple[int, ...]
    """In which they are."""
    startup_ns: int
    drain_ns: int
    readiness_ns: int = NONE
    """Time in which the balancer notices that a replica has crashed or cannot be reached; NONE where nobody looks."""
    readiness_period_ns: int = 0
    """Between two probes."""
    readiness_successes: int = 1
    """Successes in a row that bring it back."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's replicas."""

    zones: tuple[int, ...]
    proxy: ProxyKind
    filters: tuple[Filter, ...]
    clusters: tuple[Cluster | None, ...]
    """By service; None where no route leads."""
    discovery: Discovery | None = None
    """None where it always knows all instances."""
    asks: tuple[Ask, ...] = ()
    """Whom its filters ask."""
    edge: Edge | None = None
    """None where connections of clients cost nothing and each request may go to any replica."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The sidecars: one at each instance."""

    proxy: ProxyKind
    clusters: tuple[Cluster, ...]
    """By service."""
    stacks: tuple[Stack, ...]
    """By service."""
    discovery: Discovery | None = None
    ambient: Ambient | None = None
    """None of sidecars."""
    transport: tuple[Cluster, ...] = ()
    """By service, in ambient mode: how a node proxy sends where there is no waypoint."""


@dataclass(frozen=True, slots=True)
class Direct:
    """What callers without a proxy do themselves."""

    clusters: tuple[Cluster, ...]
    """By service."""
    stacks: tuple[Stack, ...]
    """By service."""
    discovery: Discovery | None = None
