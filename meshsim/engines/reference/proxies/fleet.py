"""All proxies that a plan asks for: gateways, sidecars, node proxies, waypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.engines.reference.proxies.proxy import Proxy
from meshsim.engines.reference.time.ticks import Ticks
from meshsim.plan import NONE
from meshsim.policies.filters import Surroundings
from meshsim.randomness import TICK, call_key, root_key, stream, uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
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

    def __init__(
        self, clock: Clock, plan: Plan, instances: tuple[tuple[Instance, ...], ...], beginnings: Beginnings, root: tuple[int, int]
    ) -> None:
        self._clock = clock
        self._beginnings = beginnings
        self._root = root
        self._plan = plan
        self._sizes = tuple(operation.request_kib + operation.response_kib for operation in plan.operations)
        self._of_loads = _of_loads(plan)
        self._shared: dict[tuple[int, int, int], dict[str, Any]] = {}
        self.proxies: list[Placed] = []
        self.gateways = self._make_gateways()
        self.sidecars: dict[tuple[int, int], Proxy] = {}
        """The sidecar of each instance, or its node's proxy, by service and index."""
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
                instance.sidecar = self.sidecars[number, instance.index] = sidecar
                instance.guard = sidecar if sidecar.takes_time or sidecar.screen.filters else None

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
            instance.sidecar = self.sidecars[instance.service, instance.index] = node
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
        born_ns = self._born_ns(kind, service, index)
        around = self._surroundings(kind, service, index, filters, born_ns)
        built = tuple(one.build(around=its) for one, its in zip(filters, around, strict=True))
        made = Proxy(self._clock, proxy, index, zone, built, self._sizes, kib_ns, self._ticks(kind, service, index, proxy))
        made.born_ns = born_ns
        self.proxies.append(Placed(kind, service, made))
        return made

    def _ticks(self, kind: int, service: int, index: int, proxy: ProxyKind) -> Ticks | None:
        """The coarse clock of a proxy's node; when it ticks is drawn."""
        tick_ns = proxy.timer_resolution_ns
        if not tick_ns:
            return None
        of = stream(f"timers {kind}") if service == NONE else self._plan.services[service].stream
        key = call_key(call_key(root_key(*self._root, of), kind), index)
        return Ticks(self._clock, tick_ns, int(uniform(key, TICK) * tick_ns))

    def renew(self, index: int) -> None:
        """The process of a gateway's replica is a new one: its filters remember nothing, nor do its views."""
        assert self._plan.gateway is not None  # noqa: S101 — the caller has looked
        filters = self._plan.gateway.filters
        around = self._surroundings(GATEWAY_KIND, NONE, index, filters, self._clock.now_ns)
        built = tuple(one.build(around=its) for one, its in zip(filters, around, strict=True))
        self.gateways[index].screen.renew(built)
        for view in self.gateways[index].views:
            if view.pool is not None:
                view.pool.drain()
            if view.health is not None:
                view.health.renew()
            view.begin(view.cluster, self._clock.now_ns, self._beginnings.time_zero_ns)

    def _born_ns(self, kind: int, service: int, index: int) -> int:
        """When a proxy began: its own time for each, by whose it is and not by its place in the plan."""
        whose = "" if service == NONE else self._plan.names.services[service]
        return self._beginnings.of(call_key(root_key(*self._root, stream(f"proxy {kind} {whose}")), index))

    def _surroundings(
        self, kind: int, service: int, index: int, filters: tuple[Filter, ...], born_ns: int
    ) -> Iterator[Surroundings]:
        """What each filter of a proxy may size its state by."""
        plan = self._plan
        if kind == GATEWAY_KIND and plan.gateway is not None:
            replicas = len(plan.gateway.zones)
        elif kind == WAYPOINT_KIND and plan.mesh is not None and plan.mesh.ambient is not None:
            replicas = len(plan.mesh.ambient.waypoints[service])
        else:
            replicas = len(plan.services[service].zones)
        for number in range(len(filters)):
            shared = self._shared.setdefault((kind, service, number), {})
            yield self._of_loads._replace(
                replica=index,
                replicas=replicas,
                shared=shared,
                born_ns=born_ns,
                time_zero_ns=self._beginnings.time_zero_ns,
                begins=self._beginnings.begins,
            )


def _of_loads(plan: Plan) -> Surroundings:
    """What all proxies know of the loads."""
    askers = [source.asker for source in plan.sources]
    return Surroundings(
        consumers=plan.names.consumers,
        routes=plan.names.routes,
        addresses=max(asker.first_address + asker.addresses for asker in askers),
        keys=max((1 + max(source.keys) for source in plan.sources if source.keys), default=0),
        credentials=max(asker.first_credential + 2 * asker.credentials for asker in askers),
    )


def _kib_ns(cluster: Cluster) -> float:
    """What encryption costs for each KiB on the way to a destination."""
    connections = cluster.connections
    return 0.0 if connections is None or connections.tls is None else connections.tls.per_kib_ns
