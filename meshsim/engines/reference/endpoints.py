"""One proxy's view of a destination: its endpoints, and all the state that Envoy keeps per cluster."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.policies.admission import NO_LIMIT, ResourceLimit
from meshsim.policies.load_balancing import Endpoint
from meshsim.randomness import LOAD_BALANCER, START_OFFSET, Draw, call_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.instance import Instance
    from meshsim.engines.reference.pool import Waiter
    from meshsim.plan import Cluster, Limits


class EndpointView(Endpoint):
    """An instance as one proxy sees it, with that proxy's connections to it."""

    __slots__ = ("idle", "instance", "latency_ns", "open", "waiting")

    def __init__(self, instance: Instance, weight: float, latency_ns: int) -> None:
        super().__init__(weight)
        self.instance = instance
        self.latency_ns = latency_ns
        """One way between the two; NONE where each message draws its own."""
        self.idle = 0
        """Connections without a request."""
        self.open = 0
        """Connections in all."""
        self.waiting: deque[Waiter] = deque()
        """Requests that wait for a connection to this very endpoint."""


class View:
    """What one proxy knows of one destination. Ten gateway replicas have ten of them."""

    __slots__ = ("balancer", "budget", "connections", "draw", "endpoints", "pending", "requests", "retries")

    def __init__(
        self,
        cluster: Cluster,
        instances: tuple[Instance, ...],
        weights: tuple[float, ...],
        key: int,
        latency_ns: Callable[[int], int],
    ) -> None:
        self.endpoints = [
            EndpointView(instance, weight, latency_ns(instance.zone)) for instance, weight in zip(instances, weights, strict=True)
        ]
        self.draw = Draw()
        self.balancer = cluster.balancer.build(
            endpoints=self.endpoints, draw=self.draw.at(call_key(key, cluster.service), START_OFFSET)
        )
        limits: Limits | None = cluster.limits
        self.connections = ResourceLimit(limits.max_connections if limits else NO_LIMIT)
        self.pending = ResourceLimit(limits.max_pending_requests if limits else NO_LIMIT)
        self.requests = ResourceLimit(limits.max_requests if limits else NO_LIMIT)
        self.retries = ResourceLimit(limits.max_retries if limits else NO_LIMIT)
        self.budget = cluster.budget

    def pick(self, key: int) -> EndpointView:
        """The load balancer's choice for an attempt with this key."""
        return self.endpoints[self.balancer.pick(self.endpoints, self.draw.at(key, LOAD_BALANCER))]

    def pick_again(self) -> EndpointView:
        """Another choice for the same attempt."""
        return self.endpoints[self.balancer.pick(self.endpoints, self.draw)]

    def admits_retry(self) -> bool:
        """Whether the retry breaker (a fixed limit, or the budget in its place) has room; the slot is taken.

        The try that has just failed counts as active still.
        """
        if self.budget is not None:
            self.retries.maximum = self.budget.limit(self.requests.in_use + 1, self.pending.in_use)
        return self.retries.admit()
