"""Where a call goes: an instance as one proxy sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, HealthStatus
from meshsim.policies.load_balancing import Endpoint

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Sequence

    from meshsim.engines.reference.time.clock import Task
    from meshsim.engines.reference.travel.server import Server
    from meshsim.plan import Service
    from meshsim.policies.load_balancing.address import Address


class Waiter:
    """A request in a host's pending queue."""

    __slots__ = ("is_admitted", "is_answered", "is_gone", "is_parked", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.is_answered = False
        self.is_admitted = False
        self.is_gone = False
        self.is_parked = False


class EndpointView(Endpoint):
    """An instance as one proxy sees it, with that proxy's connections to it."""

    __slots__ = (
        "backend", "draining", "health", "idle", "instance", "is_available", "is_ejected", "is_healthy", "is_member", "is_passing", "latency_ns",
        "leaving_pod", "open", "pod", "priority", "waiting", "zone",
    )  # fmt: skip

    def __init__(self, instance: Server, weight: float, latency_ns: int, priority: int = 0, health: int = 0) -> None:
        super().__init__(weight, instance.index)
        self.instance = instance
        self.pod = 0
        """Which of those that stand at the instance's place one after the other this proxy knows."""
        self.zone = instance.zone
        self.priority = priority
        """Envoy's; 0 is used first."""
        self.latency_ns = latency_ns
        """One way between the two; NONE where each message draws its own."""
        self.backend = 0
        """Which of the services it is of, in a view over several."""
        self.is_member = True
        """Whether this proxy has been told of it and not that it has left."""
        self.leaving_pod = NONE
        """Which of those at its place is no longer listed and stays because it passes its checks; NONE where it is listed."""
        self.is_passing = True
        """Whether it passes this proxy's active health checks."""
        self.is_ejected = False
        """Whether outlier detection has taken it out."""
        self.health = health
        """What discovery says of it for good: one of `HealthStatus`."""
        self.is_healthy = not health
        """Whether the load balancer may pick it when all is well: whether it was well when the workers last heard of its health."""
        self.is_available = True
        """Whether failure accrual lets requests through."""
        self.idle = 0
        """Connections without a request."""
        self.open = 0
        """Connections in all."""
        self.draining = 0
        """Of those in use, how many close when their request has ended."""
        self.waiting: deque[Waiter] | None = None
        """Requests that wait for a connection to this very endpoint; None before the first."""

    @property
    def address(self) -> Address:
        """The address of the pod that this proxy knows."""
        return self.instance.addresses.of(self.pod)

    @property
    def hostname(self) -> Address:
        """The instance's name, whatever pod stands there."""
        return self.instance.addresses.hostname

    @property
    def is_well(self) -> bool:  # type: ignore[override]
        """Whether it is neither ejected nor fails its health checks, and discovery says nothing against it, at this very instant.

        Envoy's threads share a host's flags and read them where they ask about one host (a session's, one in slow start); the lists
        of healthy hosts, which the load balancer picks from, reach each worker through the merge window.

        Source: Envoy, source/common/upstream/upstream_impl.h (coarseHealth).
        """
        return self.is_passing and not self.is_ejected and not self.health

    @property
    def is_degraded(self) -> bool:
        """Whether it is to be used only where there are not enough healthy ones."""
        return self.health == HealthStatus.DEGRADED and self.is_passing and not self.is_ejected


def endpoints_of(
    service: Service, instances: Sequence[Server], zone: int, latency_ns: Callable[[int, int], int]
) -> list[EndpointView]:
    """All endpoints of a service, as a proxy in a zone sees them.

    Args:
        service: Their weights, priorities and what discovery says of them.
        instances: Which they are.
        zone: Of the proxy.
        latency_ns: One way between two zones.
    """
    priorities, health = service.priorities, service.health
    if not priorities and not health:
        ways = {one: latency_ns(zone, one) for one in {instance.zone for instance in instances}}
        return [
            EndpointView(instance, weight, ways[instance.zone])
            for instance, weight in zip(instances, service.weights, strict=True)
        ]
    nothing = (0,) * len(instances)
    told = zip(instances, service.weights, priorities or nothing, health or nothing, strict=True)
    return [
        EndpointView(instance, weight, latency_ns(zone, instance.zone), priority, is_told)
        for instance, weight, priority, is_told in told
    ]
