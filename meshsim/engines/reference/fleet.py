"""All proxies that a plan asks for: gateways, sidecars, node proxies, waypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.engines.reference.proxy import Proxy
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.instance import Instance
    from meshsim.plan import Ambient, Cluster, Plan, ProxyKind
    from meshsim.policies.filters import Filter

GATEWAY_KIND = 0
SIDECAR_KIND = 1
NODE_KIND = 2
WAYPOINT_KIND = 3


class Placed(NamedTuple):
    """A proxy and what it is there for, as the records say it."""

    kind: int
    service: int
    """Whose sidecar or waypoint it is; NONE of gateways and node proxies."""
    proxy: Proxy


class Fleet:
    """The proxies, each with filters of its own."""

    def __init__(self, clock: Clock, plan: Plan, instances: tuple[tuple[Instance, ...], ...]) -> None:
        self._clock = clock
        self._plan = plan
        self._sizes = tuple(operation.request_kib + operation.response_kib for operation in plan.operations)
        self.proxies: list[Placed] = []
        self.gateways = self._make_gateways()
        self.waypoints: dict[int, tuple[Proxy, ...]] = {}
        """By service."""
        if plan.mesh is not None:
            if plan.mesh.ambient is None:
                self._make_sidecars(plan.mesh.proxy, instances)
            else:
                self._make_node_proxies(plan.mesh.ambient, instances)
                self._make_waypoints(plan.mesh.ambient)

    def _make_gateways(self) -> tuple[Proxy, ...]:
        gateway = self._plan.gateway
        if gateway is None:
            return ()
        kib_ns = max((_kib_ns(cluster) for cluster in gateway.clusters if cluster is not None), default=0.0)
        return tuple(
            self._make(GATEWAY_KIND, NONE, gateway.proxy, index, zone, gateway.filters, kib_ns)
            for index, zone in enumerate(gateway.zones)
        )

    def _make_sidecars(self, kind: ProxyKind, instances: tuple[tuple[Instance, ...], ...]) -> None:
        assert self._plan.mesh is not None  # noqa: S101 — the caller has looked
        kib_ns = max((_kib_ns(cluster) for cluster in self._plan.mesh.clusters), default=0.0)
        for number, service in enumerate(self._plan.services):
            for instance in instances[number]:
                sidecar = self._make(SIDECAR_KIND, number, kind, instance.index, instance.zone, service.inbound, kib_ns)
                instance.sidecar = sidecar
                instance.guard = sidecar if sidecar.takes_time or sidecar.filters else None

    def _make_node_proxies(self, ambient: Ambient, instances: tuple[tuple[Instance, ...], ...]) -> None:
        """Nodes are filled zone by zone with the instances of all services, replica by replica."""
        assert self._plan.mesh is not None  # noqa: S101 — the caller has looked
        kib_ns = max((_kib_ns(cluster) for cluster in self._plan.mesh.transport), default=0.0)
        everyone = sorted((one for each in instances for one in each), key=lambda one: (one.zone, one.index, one.service))
        node: Proxy | None = None
        used = 0
        for instance in everyone:
            if node is None or node.zone != instance.zone or used == ambient.instances_per_node:
                number = sum(placed.kind == NODE_KIND for placed in self.proxies)
                node = self._make(NODE_KIND, NONE, ambient.node_proxy, number, instance.zone, (), kib_ns)
                used = 0
            used += 1
            instance.sidecar = node
            instance.guard = node if node.takes_time else None

    def _make_waypoints(self, ambient: Ambient) -> None:
        for service, zones in enumerate(ambient.waypoints):
            filters = self._plan.services[service].inbound
            made = [
                self._make(WAYPOINT_KIND, service, ambient.waypoint, index, zone, filters, 0.0)
                for index, zone in enumerate(zones)
            ]
            if made:
                self.waypoints[service] = tuple(made)

    def _make(
        self, kind: int, service: int, proxy: ProxyKind, index: int, zone: int, filters: tuple[Filter, ...], kib_ns: float
    ) -> Proxy:
        names = self._plan.names
        built = tuple(one.build(consumers=len(names.consumers), routes=len(names.routes) + 1) for one in filters)
        made = Proxy(self._clock, proxy, index, zone, built, self._sizes, kib_ns)
        self.proxies.append(Placed(kind, service, made))
        return made


def _kib_ns(cluster: Cluster) -> float:
    """What encryption costs for each KiB on the way to a destination."""
    connections = cluster.connections
    return 0.0 if connections is None or connections.tls is None else connections.tls.per_kib_ns
