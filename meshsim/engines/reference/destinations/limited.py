"""What one proxy holds requests to a destination back by: the circuit breakers' limits, budgets, a breaker, throttling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.admission import NO_LIMIT, ResourceLimit

if TYPE_CHECKING:
    from meshsim.plan import Cluster


class Limited:
    """The state that Envoy keeps per cluster and thread of what a cluster may bear, and the caller's own guards."""

    __slots__ = ("breaker", "budget", "connections", "limiter", "pending", "requests", "retries", "throttling", "token_budget")

    def __init__(self, cluster: Cluster, born_ns: int, time_zero_ns: int) -> None:
        """All of it empty.

        Args:
            cluster: Its settings.
            born_ns: When the proxy's process began, before the run.
            time_zero_ns: The time of day at the run's start.
        """
        limits = cluster.limits
        self.connections = ResourceLimit(limits.max_connections if limits else NO_LIMIT)
        self.pending = ResourceLimit(limits.max_pending_requests if limits else NO_LIMIT)
        self.requests = ResourceLimit(limits.max_requests if limits else NO_LIMIT)
        self.retries = ResourceLimit(limits.max_retries if limits else NO_LIMIT)
        self.budget = cluster.budget
        self.begin(cluster, born_ns, time_zero_ns)

    def begin(self, cluster: Cluster, born_ns: int, time_zero_ns: int) -> None:
        """What a process learns, as one that has just begun knows it: of the requests under way the limits above go on counting."""
        self.token_budget = None if cluster.token_budget is None else cluster.token_budget.build(born_ns=born_ns)
        self.breaker = None if cluster.breaker is None else cluster.breaker.build(time_zero_ns=time_zero_ns)
        self.throttling = None if cluster.throttling is None else cluster.throttling.build(born_ns=born_ns)
        self.limiter = None if cluster.limiter is None else cluster.limiter.build()
