"""The model, put together from a Plan: who calls through what.

This is the one place that says which proxies exist and which layers stand in which order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.clients import Client, Counter
from meshsim.engines.reference.clock import Clock
from meshsim.engines.reference.counters import Counters
from meshsim.engines.reference.endpoints import View
from meshsim.engines.reference.entry import DirectEntry, GatewayEntry
from meshsim.engines.reference.faults import strike
from meshsim.engines.reference.hop import HopLayer
from meshsim.engines.reference.instance import Instance
from meshsim.engines.reference.layers import (
    ALL_FLAGS,
    CLIENT_GAVE_UP,
    GrpcLayer,
    PickLayer,
    Refusals,
    TimeoutLayer,
    around,
    timed_out,
)
from meshsim.engines.reference.network import Links
from meshsim.engines.reference.pool import PoolLayer
from meshsim.engines.reference.proxy import FreeSidecarLayer, Proxy, SidecarLayer
from meshsim.flags import Flag
from meshsim.plan import BARE, NONE, StepKind
from meshsim.policies.admission import NO_LIMIT
from meshsim.randomness import APPLICATION, CLIENT, GATEWAY, SIDECAR, call_key, root_key, stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.engines.reference.layers import Handler
    from meshsim.plan import Cluster, Plan, Stack, Step
    from meshsim.records import Recorder

BEHIND_A_PROXY = int(Flag.UT)
"""What a client or an application sees of why its proxy answered as it did: only its own timeout."""


class Model:
    """All processes of one run, ready to begin."""

    def __init__(self, plan: Plan, seed: int, replication: int, recorder: Recorder) -> None:
        self.plan = plan
        self.clock = Clock()
        self.requests = Counter()
        """How many client requests have started."""
        self._root = (seed, replication)
        self._refusals = Refusals(self.clock, recorder, tuple(operation.service for operation in plan.operations))
        self._links = Links(plan.network)
        self._instances = tuple(
            tuple(Instance(self.clock, recorder, service, number, index, plan.operations) for index in range(len(service.zones)))
            for number, service in enumerate(plan.services)
        )
        self._gateways = self._make_gateways()
        everyone = [instance for instances in self._instances for instance in instances]
        for instance in everyone:
            self._connect(instance)
        for number, source in enumerate(plan.sources):
            handler = self._entry(number, source.stack)
            root = root_key(*self._root, source.stream)
            Client(self.clock, recorder, source, number, root, handler, self.requests).begin(plan.duration_ns)
        for fault in plan.faults:
            self.clock.process(strike(self.clock, fault, self._instances[fault.service]))
        self._counters = Counters(self.clock, recorder, plan, everyone, self._gateways)
        self.clock.process(self._counters.watch())

    def _make_gateways(self) -> tuple[Proxy, ...]:
        gateway = self.plan.gateway
        if gateway is None:
            return ()
        return tuple(
            Proxy(self.clock, gateway.proxy, index, zone, self._built(gateway.filters))
            for index, zone in enumerate(gateway.zones)
        )  # fmt: skip

    def _built(self, filters: tuple) -> tuple:  # type: ignore[type-arg]
        """Filters with state of their own."""
        names = self.plan.names
        return tuple(one.build(consumers=len(names.consumers), routes=len(names.routes) + 1) for one in filters)

    def _connect(self, instance: Instance) -> None:
        """Give an instance its sidecar, and a handler for each call of its scripts."""
        plan = self.plan
        service = plan.services[instance.service]
        key = call_key(root_key(*self._root, service.stream), instance.index)
        if plan.mesh is not None:
            sidecar = Proxy(self.clock, plan.mesh.proxy, instance.index, instance.zone, self._built(service.inbound))
            instance.sidecar = sidecar
            instance.guard = sidecar if sidecar.takes_time or sidecar.filters else None
        handlers: dict[int, Handler] = {}
        visible = ALL_FLAGS if plan.mesh is None else BEHIND_A_PROXY
        for number, operation in enumerate(plan.operations):
            if operation.service != instance.service:
                continue
            for step in _calls(operation.steps):
                called = plan.operations[step.operation].service
                if called not in handlers:
                    handlers[called] = self._outbound(instance, called, key)
                inner = self._per_try(handlers[called], step.stack, called)
                instance.callers[number, step.place] = around(
                    inner, step.stack, self._refusals, APPLICATION, None, timed_out(called), visible
                )

    def _outbound(self, instance: Instance, called: int, key: int) -> Handler:
        """From an instance to a service: through its sidecar where there is a mesh."""
        mesh = self.plan.mesh
        if mesh is None or instance.sidecar is None:
            return self._stack(self.plan.direct[called], BARE, NONE, key, instance.zone)[0]
        handler, view = self._stack(mesh.clusters[called], mesh.stacks[called], SIDECAR, key, instance.zone)
        instance.sidecar.views.append(view)
        if not instance.sidecar.takes_time:
            return FreeSidecarLayer(handler, instance.sidecar)
        return SidecarLayer(handler, instance.sidecar, self._refusals)

    def _entry(self, number: int, client_stack: Stack) -> Handler:
        """From a client: its own timeout and retries around the gateway, or around the services."""
        plan = self.plan
        source_key = root_key(*self._root, plan.sources[number].stream)
        operations = sorted({operation for route in plan.routes for operation in route.operations})
        if plan.gateway is None:
            by_service: dict[int, Handler] = {}
            for operation in operations:
                service = plan.operations[operation].service
                if service not in by_service:
                    by_service[service] = self._stack(plan.direct[service], BARE, NONE, source_key, plan.sources[number].zone)[0]
            handlers = {operation: by_service[plan.operations[operation].service] for operation in operations}
            entry: Handler = DirectEntry(plan.routes, handlers)
        else:
            entry = self._gateway_entry()
        visible = ALL_FLAGS if plan.gateway is None else BEHIND_A_PROXY
        entry = self._per_try(entry, client_stack, NONE)
        return around(entry, client_stack, self._refusals, CLIENT, None, CLIENT_GAVE_UP, visible)

    def _gateway_entry(self) -> Handler:
        """The gateway's routes, each with layers of its own around views that all its routes share. Made once."""
        if not hasattr(self, "_entry_of_gateway"):
            plan, handlers = self.plan, {}
            assert plan.gateway is not None  # noqa: S101 — the caller has looked
            for gateway in self._gateways:
                key = call_key(root_key(*self._root, stream("gateway")), gateway.index)
                views: dict[int, View] = {}
                for number, route in enumerate(plan.routes):
                    for operation in route.operations:
                        service = plan.operations[operation].service
                        cluster = plan.gateway.clusters[service]
                        assert cluster is not None  # noqa: S101 — the planner makes one for each destination
                        handler, views[service] = self._stack(
                            cluster, route.stack, GATEWAY, key, gateway.zone, views.get(service)
                        )
                        handlers[gateway.index, number, operation] = handler
                gateway.views.extend(views.values())
            self._entry_of_gateway = GatewayEntry(self._refusals, self._links, plan.routes, self._gateways, handlers)
        return self._entry_of_gateway

    def _stack(
        self, cluster: Cluster, stack: Stack, layer: int, key: int, zone: int, view: View | None = None
    ) -> tuple[Handler, View]:
        """All layers from the route's timeout to the link, innermost first, and the view that they share.

        1. the hop: link, instance, link;
        2. the per-try timeout: it begins when the try has a connection;
        3. the pool: the host is chosen before, and waiting for its connection is not part of the try's time;
        4. the pick: anew for each try;
        5. retries, with the retry breaker of this view;
        6. the timeout over all tries and waits;
        7. for gRPC, the translation of local answers, after every decision about them.
        """
        service = self.plan.services[cluster.service]
        if view is None:
            view = View(cluster, self._instances[cluster.service], service.weights, key, partial(self._links.constant_ns, zone))
        handler: Handler = HopLayer(self.clock, self._links, cluster.service, self._refusals)
        handler = self._per_try(handler, stack, cluster.service)
        if cluster.budget is not None or (cluster.limits is not None and _limits_anything(cluster)):
            handler = PoolLayer(handler, view, cluster.service, self._refusals)
        policy = stack.retries.policy if stack.retries is not None else None
        avoids_hosts = policy is not None and policy.num_retries > 0 and policy.avoids_previous_hosts
        handler = PickLayer(handler, view, policy.max_reselections if policy is not None and avoids_hosts else 0)
        handler = around(handler, stack, self._refusals, layer, view, timed_out(cluster.service), ALL_FLAGS)
        return (GrpcLayer(handler) if service.is_grpc else handler), view

    def _per_try(self, inner: Handler, stack: Stack, service: int) -> Handler:
        """The per-try timeout, where there is one."""
        if stack.retries is None or not stack.retries.per_try_timeout_ns:
            return inner
        return TimeoutLayer(inner, self.clock, stack.retries.per_try_timeout_ns, timed_out(service))


def _limits_anything(cluster: Cluster) -> bool:
    limits = cluster.limits
    return limits is not None and any(
        limit < NO_LIMIT for limit in (limits.max_connections, limits.max_pending_requests, limits.max_requests)
    )


def _calls(steps: Iterable[Step]) -> Iterator[Step]:
    """The calls among steps, those in parallel too."""
    for step in steps:
        if step.kind is StepKind.CALL:
            yield step
        elif step.kind is StepKind.PARALLEL:
            yield from step.calls
