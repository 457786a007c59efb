"""The gateway's replicas as clients see them: ready, draining, down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.policies.edge import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import simpy

    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.time.clock import Clock, Task
    from meshsim.plan import Edge
    from meshsim.policies.load_balancing.balancer import Draw

    Process = Generator[simpy.Event, None, None]


class Cut(Interrupted):
    """The replica has ended with the request in it."""


class Replica:
    """One replica of the gateway, from outside."""

    __slots__ = (
        "_most", "arriving", "connections", "handshakes", "incarnation", "index", "is_draining", "is_ready", "opened", "refused", "resumed",
        "station", "tasks", "zone",
    )  # fmt: skip

    def __init__(self, proxy: Proxy, most: int) -> None:
        self.index = proxy.index
        self.zone = proxy.zone
        self.station = proxy.station
        self._most = most
        self.is_ready = True
        """Whether it has a process that takes connections."""
        self.is_draining = False
        self.incarnation = 0
        """Number of its process: raised when one ends."""
        self.tasks: dict[Task, None] = {}
        """Requests in it."""
        self.connections = 0
        """Open ones."""
        self.arriving = 0
        """Those on their way to it: a balancer counts them from the moment when it has sent them there."""
        self.opened = self.refused = self.handshakes = self.resumed = 0

    def accept(self) -> bool:
        """Whether it takes one more connection; that is open then."""
        if not self.is_ready or (self._most != NONE and self.connections >= self._most):
            self.refused += 1
            return False
        self.connections += 1
        self.opened += 1
        return True

    def close(self, incarnation: int) -> None:
        """A connection of this process has ended; those of an earlier one ended with it."""
        if incarnation == self.incarnation:
            self.connections -= 1

    def end(self) -> None:
        """The process ends, with all that is in it."""
        self.is_ready = False
        self.incarnation += 1
        self.connections = 0
        for task in list(self.tasks):
            task.interrupt(Cut(failure(503, Flag.UC)))


class Replicas:
    """All of them, the balancer before them, and their restarts."""

    def __init__(self, clock: Clock, edge: Edge, gateways: tuple[Proxy, ...], seed: int, renew: Callable[[int], None]) -> None:
        self._clock = clock
        self._edge = edge
        self.all = tuple(Replica(gateway, edge.max_connections) for gateway in gateways)
        self._balancer = edge.balancer.build(replicas=len(gateways), seed=seed)
        self._renew = renew
        """Gives a replica filters without a memory."""

    def begin(self) -> None:
        """Start the process of restarts."""
        self._clock.process(self._restart())

    def pick(self, address: int, draw: Draw) -> Replica | None:
        """Where a new connection from an address goes; None where no replica takes any."""
        connections = [replica.connections + replica.arriving for replica in self.all]
        is_ready = [replica.is_ready and not replica.is_draining for replica in self.all]
        index = self._balancer.pick(connections, is_ready, address, self._clock.now_ns, draw)
        return None if index == NOBODY else self.all[index]

    def _restart(self) -> Process:
        """One rolling restart after the other: one whose time comes during another waits for its end."""
        for at_ns, batch in self._edge.restarts:
            yield self._clock.pause(max(0, at_ns - self._clock.now_ns))
            for first in range(0, len(self.all), batch):
                yield from self._replace([self.all[index] for index in self._edge.order[first : first + batch]])

    def _replace(self, some: list[Replica]) -> Process:
        """Replicas drain, end, and are there anew."""
        for replica in some:
            replica.is_draining = True
        yield self._clock.pause(self._edge.drain_ns)
        for replica in some:
            replica.end()
        yield self._clock.pause(self._edge.startup_ns)
        for replica in some:
            self._renew(replica.index)
            replica.is_draining, replica.is_ready = False, True
