"""The control plane: registries, discovery, health checks, lifecycles, faults and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.control.autoscaling import Scaler
from meshsim.engines.reference.control.deployment import Deployment
from meshsim.engines.reference.control.discovery import AtOnce, Lookups, Push
from meshsim.engines.reference.control.faults import fail, flush, slow, take_away
from meshsim.engines.reference.control.lifecycle import Life
from meshsim.engines.reference.control.registry import Registry
from meshsim.engines.reference.destinations.health_check import HealthChecker
from meshsim.engines.reference.destinations.load_reports import LoadReports
from meshsim.engines.reference.time.station import SlowableStation
from meshsim.engines.reference.travel.call import CALLER_GATEWAY
from meshsim.plan import NONE, Effect

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import simpy

    from meshsim.engines.reference.control.faults import Process
    from meshsim.engines.reference.control.registry import Stoppable
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.network import Links
    from meshsim.plan import Cluster, Discovery, Fault, Plan
    from meshsim.recorder import Recorder


class Control:
    """All that happens beside requests."""

    def __init__(
        self, clock: Clock, plan: Plan, instances: tuple[tuple[Instance, ...], ...], links: Links, recorder: Recorder
    ) -> None:
        self._clock = clock
        self._plan = plan
        self._instances = instances
        self._links = links
        self._registries: dict[int, Registry] = {}
        """By service, and under NONE that of the gateway; only of those whose instances come and go."""
        self._lives: list[Life] = []
        self._scalers: list[Scaler] = []
        self._teachers: dict[str, Push | Lookups | AtOnce] = {}
        """Who keeps the callers of one kind up to date."""
        for number, service in enumerate(plan.services):
            if service.lifecycle is not None:
                lifecycle = service.lifecycle
                registry = Registry(
                    clock,
                    instances[number],
                    lifecycle.replicas,
                    lifecycle.readiness_ns,
                    lifecycle.readiness_period_ns,
                    lifecycle.readiness_successes,
                )
                self._registries[number] = registry
                if lifecycle.rollouts is None:
                    life = Life(clock, lifecycle, instances[number], registry)
                else:
                    life = Deployment(clock, recorder, lifecycle, lifecycle.rollouts, instances[number], registry)
                self._lives.append(life)
                if lifecycle.autoscaling is not None:
                    self._scalers.append(Scaler(clock, recorder, lifecycle.autoscaling, instances[number], life, registry))

    def looks_after(self, cluster: Cluster) -> bool:
        """Whether anything but its own calls happens to a view of this cluster: it then has to be there from the start."""
        connections = cluster.connections
        return (
            cluster.service in self._registries
            or cluster.health_check is not None
            or cluster.outliers is not None
            or cluster.accrual is not None
            or cluster.balancer.reads_reports
            or (connections is not None and connections.tls is not None and bool(connections.tls.rotations_ns))
        )

    def follow(self, view: View, caller: int) -> None:
        """Look after a new view: membership, health, load reports, certificates."""
        for part in view.parts:
            if part.service in self._registries:
                self._teacher(caller).follow(part, self._registries[part.service])
        check = view.cluster.health_check
        if check is not None:
            for endpoint in view.endpoints:
                if view.belongs(endpoint.index):
                    HealthChecker(self._clock, view, endpoint, self._links, check).begin()
        balancer = view.cluster.balancer
        if balancer.reads_reports:
            view.reports = LoadReports(self._clock, view)
            if balancer.report_interval:
                for endpoint in view.endpoints:
                    self._clock.process(view.reports.watch(endpoint, balancer.report_interval, balancer.report_phase))
        connections = view.cluster.connections
        if connections is not None and connections.tls is not None and connections.tls.rotations_ns:
            self._clock.process(self._rotate(view, connections.tls.rotations_ns))

    def begin(
        self, beginnings: Beginnings, cluster_key: int, gateways: Sequence[Proxy] = (), replicas: Sequence[Stoppable] = ()
    ) -> None:
        """Start what the plan has in store, when all who call are connected.

        Args:
            beginnings: Where in their periods timers stand.
            cluster_key: Of what by chance is the same for all services.
            gateways: The gateway's replicas, where a fault slows them down.
            replicas: The same as clients see them, where a fault takes them away.
        """
        for life in self._lives:
            life.begin()
        for scaler in self._scalers:
            scaler.begin(beginnings, cluster_key)
        for fault in self._plan.faults:
            self._clock.process(self._strike(fault, gateways, replicas))

    def _strike(self, fault: Fault, gateways: Sequence[Proxy], replicas: Sequence[Stoppable]) -> Process:
        """The process of one fault."""
        instances = () if fault.service == NONE else self._instances[fault.service]
        if fault.effect is Effect.SLOW:
            stations = [gateway.station for gateway in gateways if isinstance(gateway.station, SlowableStation)]
            return slow(self._clock, fault, instances or stations)
        if fault.effect is Effect.ERRORS:
            return fail(self._clock, fault, instances)
        if fault.effect is Effect.FLUSH:
            return flush(self._clock, fault, instances)
        return take_away(self._clock, fault, instances or replicas, self._registry(fault.service, replicas))

    def _registry(self, service: int, replicas: Sequence[Stoppable]) -> Registry | None:
        """Where a readiness probe tells of what has gone: of a service, or of the gateway for the balancer before it."""
        if service not in self._registries and service == NONE:
            gateway = self._plan.gateway
            assert gateway is not None  # noqa: S101 — a fault strikes it
            assert gateway.edge is not None  # noqa: S101 — and takes replicas away
            edge = gateway.edge
            self._registries[NONE] = Registry(
                self._clock, replicas, len(replicas), edge.readiness_ns, edge.readiness_period_ns, edge.readiness_successes
            )
        return self._registries.get(service)

    def _teacher(self, caller: int) -> Push | Lookups | AtOnce:
        discovery, kind = self._discovery(caller)
        if kind not in self._teachers:
            if discovery is None:
                self._teachers[kind] = AtOnce()
            elif discovery.dns_refresh_ns:
                self._teachers[kind] = Lookups(self._clock, discovery)
            else:
                self._teachers[kind] = Push(self._clock, discovery)
        return self._teachers[kind]

    def _discovery(self, caller: int) -> tuple[Discovery | None, str]:
        """How callers of a kind learn of changes."""
        plan = self._plan
        if caller == CALLER_GATEWAY and plan.gateway is not None:
            return plan.gateway.discovery, "gateway"
        if plan.mesh is not None:
            return plan.mesh.discovery, "mesh"
        return plan.direct.discovery, "direct"

    def _rotate(self, view: View, at_ns: tuple[int, ...]) -> Generator[simpy.Event, None, None]:
        """A SimPy process: certificates change at these times."""
        for moment_ns in at_ns:
            yield self._clock.pause(moment_ns - self._clock.now_ns)
            if view.pool is not None:
                view.pool.drain()
