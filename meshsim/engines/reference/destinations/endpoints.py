"""An instance as one proxy sees it, and what that proxy's view of a destination has done so far."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from meshsim.plan import NONE
from meshsim.policies.load_balancing import Endpoint
from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.pool import Waiter
    from meshsim.engines.reference.services.instance import Instance


class EndpointView(Endpoint):
    """An instance as one proxy sees it, with that proxy's connections to it."""

    __slots__ = (
        "draining", "idle", "instance", "is_available", "is_ejected", "is_healthy", "is_member", "is_passing", "latency_ns", "leaving_pod",
        "open", "pool", "priority", "waiting", "zone",
    )  # fmt: skip

    def __init__(self, instance: Instance, weight: float, latency_ns: int, priority: int = 0) -> None:
        super().__init__(weight, instance.index)
        self.instance = instance
        self.zone = instance.zone
        self.priority = priority
        """Envoy's; 0 is used first."""
        self.latency_ns = latency_ns
        """One way between the two; NONE where each message draws its own."""
        self.is_member = True
        """Whether this proxy has been told of it and not that it has left."""
        self.leaving_pod = NONE
        """Which of those at its place is no longer listed and stays because it passes its checks; NONE where it is listed."""
        self.is_passing = True
        """Whether it passes this proxy's active health checks."""
        self.is_ejected = False
        """Whether outlier detection has taken it out."""
        self.is_healthy = True
        """Whether the load balancer may pick it when all is well: whether it was well when the workers last heard of its health."""
        self.is_available = True
        """Whether failure accrual lets requests through."""
        self.idle = 0
        """Connections without a request."""
        self.open = 0
        """Connections in all."""
        self.draining = 0
        """Of those in use, how many close when their request has ended."""
        self.waiting: deque[Waiter] = deque()
        """Requests that wait for a connection to this very endpoint."""
        self.pool: Any = None
        """The pool's own state of this endpoint, where connections are told apart."""

    @property
    def is_well(self) -> bool:  # type: ignore[override]
        """Whether it is neither ejected nor fails its health checks, at this very instant.

        Envoy's threads share a host's flags and read them where they ask about one host (a session's, one in slow start); the lists
        of healthy hosts, which the load balancer picks from, reach each worker through the merge window.

        Source: Envoy, source/common/upstream/upstream_impl.h (coarseHealth).
        """
        return self.is_passing and not self.is_ejected


class Activity:
    """What one proxy's view of a destination has done since the start: counts, each of which only grows (`ACTIVITY` of meshsim.records)."""

    __slots__ = tuple(ACTIVITY)

    def __init__(self) -> None:
        self.opened = self.closed = self.handshakes = self.resumed = self.connect_failures = self.connect_timeouts = 0
        self.pool_waits = self.stale_picks = self.panic_picks = self.no_host = self.sessions_moved = 0
        self.retries = self.retries_refused = self.hedges = self.hedges_won = self.mirrored = 0
        self.breaker_rejected = self.throttled = self.limited = self.ejections = self.health_changes = 0

    def values(self) -> list[int]:
        """The counts in the order of the columns."""
        return [getattr(self, name) for name in ACTIVITY]
