"""The model, put together from a Plan: who calls through what.

This is the one place that says which proxies exist; stacks.py says which layers stand in which order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.engines.reference.clients.client import Client, Counter
from meshsim.engines.reference.clients.edge import EdgeLayer
from meshsim.engines.reference.clients.patience import patient
from meshsim.engines.reference.control.control import Control
from meshsim.engines.reference.counters import Counters
from meshsim.engines.reference.destinations.hash_keys import HashKeys
from meshsim.engines.reference.destinations.place import Place, by_zone
from meshsim.engines.reference.layers.late import LateWay
from meshsim.engines.reference.layers.stacks import Stacks
from meshsim.engines.reference.layers.timeout import ALL_FLAGS, CLIENT_GAVE_UP, around, timed_out
from meshsim.engines.reference.proxies.ambient import WaypointLayer
from meshsim.engines.reference.proxies.entry import DirectEntry, GatewayEntry
from meshsim.engines.reference.proxies.fleet import Fleet
from meshsim.engines.reference.proxies.load_readings import read_load
from meshsim.engines.reference.proxies.proxy import FreeSidecarLayer, SidecarLayer
from meshsim.engines.reference.proxies.replicas import Replicas
from meshsim.engines.reference.proxies.routes import LiveRoute
from meshsim.engines.reference.proxies.screening import Ask
from meshsim.engines.reference.proxies.ways import Destinations
from meshsim.engines.reference.services.instances import instances_of
from meshsim.engines.reference.services.message_queues import message_queues_of
from meshsim.engines.reference.time.beginnings import Beginnings
from meshsim.engines.reference.time.clock import Clock
from meshsim.engines.reference.travel.call import CALLER_CLIENT, CALLER_GATEWAY, CALLER_WAYPOINT
from meshsim.engines.reference.travel.network import Links
from meshsim.engines.reference.travel.refusals import Refusals
from meshsim.flags import Flag
from meshsim.plan import NONE, HashOn, Stack, StepKind, every_step
from meshsim.randomness import APPLICATION, CLIENT, GATEWAY, SIDECAR, WAYPOINT, call_key, root_key, stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.plan import Ask as Asked
    from meshsim.plan import Cluster, Plan
    from meshsim.recorder import Recorder

ASKS = 1 << 20
"""Place of the questions of filters among the calls of an instance."""
BEHIND_A_PROXY = int(Flag.UT)
"""What a client or an application sees of why its proxy answered as it did: only its own timeout."""
WITHOUT_A_PROXY = ALL_FLAGS & ~int(Flag.UH | Flag.SI)
"""What they see where they call by themselves: that nobody was there, or that nothing came, is a failure like others to them."""


class Model:
    """All processes of one run, ready to begin."""

    def __init__(self, plan: Plan, seed: int, replication: int, recorder: Recorder) -> None:
        self.plan = plan
        self.clock = Clock()
        self.requests = Counter()
        """How many client requests have started."""
        self._root = (seed, replication)
        services_of = tuple(operation.service for operation in plan.operations)
        tells_deadlines = any(service.wants_deadlines for service in plan.services)
        self._refusals = Refusals(self.clock, recorder, services_of, tells_deadlines)
        self._links = Links(plan.network)
        beginnings = Beginnings(plan, seed, replication)
        self._instances = instances_of(self.clock, recorder, plan, beginnings, self._root)
        self._queues = message_queues_of(self.clock, self._refusals, plan, self._instances)
        hash_keys = HashKeys(plan, seed, replication)
        self._fleet = Fleet(self.clock, plan, self._instances, beginnings, self._root)
        self._stacks = Stacks(plan, self._refusals, self._links, self._instances, hash_keys, beginnings)
        self._control = Control(self.clock, plan, self._instances, self._links, recorder)
        everyone = [instance for instances in self._instances for instance in instances]
        self._routes = tuple(LiveRoute(route, self.clock, hash_keys) for route in plan.routes)
        edge = None if plan.gateway is None else plan.gateway.edge
        self._replicas: Replicas | None = None
        if edge is not None:
            self._replicas = Replicas(self.clock, edge, self._fleet.gateways, self._key("edge"), self._fleet.renew)
            self._replicas.begin()
        self._operations: list[list[int]] = [[] for _ in plan.services]
        """Of each service, the numbers of its operations."""
        for number, operation in enumerate(plan.operations):
            self._operations[operation.service].append(number)
        self._waypoints: dict[int, Handler] = {}
        for instance in everyone:
            self._connect(instance)
        for number, source in enumerate(plan.sources):
            handler = patient(self._entry(number, source.stack), self.clock, source.patience)
            root = root_key(*self._root, source.stream)
            Client(self.clock, recorder, source, number, root, handler, self.requests).begin(plan.duration_ns)
        replicas = () if self._replicas is None else self._replicas.all
        self._control.begin(beginnings, self._key("cluster"), self._fleet.gateways, replicas)
        for gateway in self._fleet.gateways:
            read_load(self.clock, gateway, gateway.station)
        for instance in everyone:
            if instance.guard is not None:
                read_load(self.clock, self._fleet.sidecars[instance.service, instance.index], instance.station)
        for route in self._routes:
            if route.canary is not None:
                route.canary.begin()
        self._counters = Counters(
            self.clock, recorder, plan, everyone, self._fleet.proxies, self._stacks.together, replicas, self._queues
        )
        self.clock.process(self._counters.watch())

    def finish(self) -> None:
        """The run is over: tell what is left in it."""
        for queue in self._queues:
            queue.finish()

    def _key(self, name: str) -> int:
        return root_key(*self._root, stream(name))

    def _connect(self, instance: Instance) -> None:
        """Give an instance a handler for each call of its scripts."""
        plan = self.plan
        service = plan.services[instance.service]
        key = call_key(root_key(*self._root, service.stream), instance.index)
        self._connect_asks(instance, key)
        handlers: dict[int, Handler] = {}
        visible = WITHOUT_A_PROXY if plan.mesh is None else BEHIND_A_PROXY
        for number in self._operations[instance.service]:
            for step in every_step(plan.operations[number].steps):
                if step.kind is not StepKind.CALL:
                    continue
                called = plan.operations[step.operation].service
                if called not in handlers:
                    handlers[called] = self._outbound(instance, called, key)
                inner = self._stacks.per_try(handlers[called], step.stack, called)
                instance.callers[number, step.place] = around(
                    inner, step.stack, self._refusals, APPLICATION, None, timed_out(called), visible
                )

    def _connect_asks(self, instance: Instance, key: int) -> None:
        """Give the sidecar at an instance a way to whom its filters ask."""
        mesh, service = self.plan.mesh, self.plan.services[instance.service]
        sidecar = self._fleet.sidecars.get((instance.service, instance.index))
        if mesh is None or mesh.ambient is not None or sidecar is None:
            return
        place = Place(call_key(key, ASKS), instance.zone, instance.index, by_zone(service.zones), sidecar)
        destinations = self._destinations(SIDECAR, place, instance.service, mesh.clusters)
        _connect(sidecar, service.asks, destinations, instance.service)
        sidecar.views.extend(destinations.views)

    def _outbound(self, instance: Instance, called: int, key: int) -> Handler:
        """From an instance to a service: through its sidecar or its node's proxy where there is a mesh."""
        plan, service = self.plan, self.plan.services[instance.service]
        sidecar = self._fleet.sidecars.get((instance.service, instance.index))
        place = Place(key, instance.zone, instance.index, by_zone(service.zones), sidecar)
        mesh = plan.mesh
        if mesh is None or sidecar is None:
            direct = plan.direct
            return self._late(direct.clusters[called], direct.stacks[called], place, instance.service, [])
        if mesh.ambient is not None and mesh.ambient.waypoints[called]:
            handler = self._waypoint(called)
        else:
            clusters = mesh.clusters if mesh.ambient is None else mesh.transport
            handler = self._late(clusters[called], mesh.stacks[called], place, instance.service, sidecar.views)
        if not sidecar.takes_time:
            return FreeSidecarLayer(handler, sidecar)
        return SidecarLayer(handler, sidecar, self._refusals)

    def _late(self, cluster: Cluster, stack: Stack, place: Place, caller: int, views: list[View]) -> Handler:
        """The layers to a service, for the first call that needs them where nothing looks after the views, which are added to `views`."""
        if stack.mirror is not None or cluster.limiter is not None or self._control.looks_after(cluster):
            handler, made = self._handler(cluster, stack, SIDECAR, place, caller)
            views.extend(made)
            return handler
        return self._stacks.late(LateWay(cluster, stack, place, caller, views), self._make_late)

    def _make_late(self, way: LateWay) -> tuple[Handler, tuple[View, ...]]:
        return self._handler(way.cluster, way.stack, SIDECAR, way.place, way.caller)

    def _waypoint(self, called: int) -> Handler:
        """To a service through its waypoint, whose replicas have views of their own. Made once for all callers."""
        if called not in self._waypoints:
            mesh, waypoints = self.plan.mesh, self._fleet.waypoints[called]
            assert mesh is not None  # noqa: S101 — the caller has looked
            callers = by_zone(tuple(waypoint.zone for waypoint in waypoints))
            handlers = []
            for waypoint in waypoints:
                key = call_key(self._key(f"waypoint {self.plan.names.services[called]}"), waypoint.index)
                place = Place(key, waypoint.zone, waypoint.index, callers, waypoint)
                handler, views = self._handler(mesh.clusters[called], mesh.stacks[called], WAYPOINT, place, CALLER_WAYPOINT)
                destinations = self._destinations(WAYPOINT, place, CALLER_WAYPOINT, mesh.clusters)
                _connect(waypoint, self.plan.services[called].asks, destinations, CALLER_WAYPOINT)
                waypoint.views.extend([*views, *destinations.views])
                handlers.append(handler)
            self._waypoints[called] = WaypointLayer(self._refusals, self._links, called, waypoints, tuple(handlers))
        return self._waypoints[called]

    def _entry(self, number: int, client_stack: Stack) -> Handler:
        """From a client: its own timeout and retries around the gateway, or around the services."""
        plan, source = self.plan, self.plan.sources[number]
        operations = sorted({operation for route in plan.routes for operation in route.operations})
        if plan.gateway is None:
            place = Place(root_key(*self._root, source.stream), source.zone, number, by_zone((source.zone,)))
            by_service: dict[int, Handler] = {}
            for operation in operations:
                service = plan.operations[operation].service
                if service not in by_service:
                    cluster, stack = plan.direct.clusters[service], plan.direct.stacks[service]
                    by_service[service] = self._handler(cluster, stack, SIDECAR, place, CALLER_CLIENT)[0]
            handlers = {operation: by_service[plan.operations[operation].service] for operation in operations}
            entry: Handler = DirectEntry(self._routes, handlers)
        else:
            entry = self._gateway_entry()
            if plan.gateway.edge is not None and self._replicas is not None:
                entry = EdgeLayer(entry, self._refusals, self._links, plan.gateway.edge, self._replicas)
        visible = WITHOUT_A_PROXY if plan.gateway is None else BEHIND_A_PROXY
        entry = self._stacks.per_try(entry, client_stack, NONE)
        return around(entry, client_stack, self._refusals, CLIENT, None, CLIENT_GAVE_UP, visible)

    def _gateway_entry(self) -> Handler:
        """The gateway's routes, each with layers of its own around views that all its routes share. Made once."""
        if not hasattr(self, "_entry_of_gateway"):
            plan = self.plan
            handlers: dict[tuple[int, int, int], Handler] = {}
            parts: dict[tuple[int, int, int], Handler] = {}
            fallbacks: dict[tuple[int, int], Handler] = {}
            assert plan.gateway is not None  # noqa: S101 — the caller has looked
            for gateway in self._fleet.gateways:
                key = call_key(self._key("gateway"), gateway.index)
                place = Place(key, gateway.zone, gateway.index, by_zone(plan.gateway.zones), gateway)
                destinations = self._destinations(GATEWAY, place, CALLER_GATEWAY, plan.gateway.clusters)
                for number, route in enumerate(plan.routes):
                    name = stream(plan.names.routes[number])
                    for operation in route.operations if route.cluster is None else ():
                        handlers[gateway.index, number, operation] = destinations.handler(
                            operation, route.stack, name if route.has_own_clusters else 0
                        )
                    if route.cluster is not None:
                        handler, view = destinations.rule(route.cluster, route.stack, name)
                        handlers |= {(gateway.index, number, operation): handler for operation in route.operations}
                        self._routes[number].follow(view)
                    if route.fallback != NONE:
                        fallbacks[gateway.index, number] = destinations.handler(route.fallback, route.stack)
                    for position, part in enumerate(route.parts):
                        parts[gateway.index, number, position] = destinations.handler(part.operation, part.stack)
                _connect(gateway, plan.gateway.asks, destinations, CALLER_GATEWAY)
                gateway.views.extend(destinations.views)
            self._entry_of_gateway = GatewayEntry(
                self._refusals, self._links, self._routes, plan.operations, self._fleet.gateways, handlers, parts, fallbacks
            )
        return self._entry_of_gateway

    def _handler(
        self, cluster: Cluster, stack: Stack, layer: int, place: Place, caller: int, views: tuple[View, ...] | None = None
    ) -> tuple[Handler, tuple[View, ...]]:
        """The layers to a service, and the views that they share with whoever has them already."""
        if views is None:
            views = self._stacks.views_of(cluster, stack, place, caller)
            for view in views:
                self._control.follow(view, caller)
        mirror = None if stack.mirror is None else self._mirror(stack, layer, place, caller)
        return self._stacks.handler(views, stack, layer, mirror), views

    def _destinations(self, layer: int, place: Place, caller: int, clusters: Sequence[Cluster | None]) -> Destinations:
        """A proxy's ways to the services."""

        def make(cluster: Cluster, stack: Stack, views: tuple[View, ...] | None) -> tuple[Handler, tuple[View, ...]]:
            return self._handler(cluster, stack, layer, place, caller, views)

        return Destinations(make, clusters, self.plan.operations)

    def _mirror(self, mirrored: Stack, layer: int, place: Place, caller: int) -> Handler:
        """Where copies of requests go: by the same kind of proxy, with the timeout of the original, never again, and without a hash.

        Source: Envoy, source/common/router/router.cc (the options of a shadow have no hash policy).
        """
        assert mirrored.mirror is not None  # noqa: S101 — the caller has looked
        plan = self.plan
        service = plan.operations[mirrored.mirror.operation].service
        if caller == CALLER_GATEWAY and plan.gateway is not None:
            cluster = plan.gateway.clusters[service]
        else:
            cluster = plan.direct.clusters[service] if plan.mesh is None else plan.mesh.clusters[service]
        assert cluster is not None  # noqa: S101 — the planner makes one for each destination
        unhashed = replace(cluster, hash_on=HashOn.NOTHING)
        return self._handler(unhashed, Stack(mirrored.timeout_ns, None), layer, place, caller)[0]


def _connect(proxy: Proxy, asks: Iterable[Asked], destinations: Destinations, caller: int) -> None:
    """Give a proxy ways to whom its filters ask."""
    for ask in asks:
        handler = destinations.handler(ask.operation, Stack(ask.timeout_ns, None))
        proxy.screen.asks[ask.filter] = Ask(handler, ask.operation, caller, proxy.zone, proxy.index)
