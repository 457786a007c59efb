"""The gateway's replicas as clients see them: ready, draining, down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.policies.edge import NOBODY
from meshsim.randomness import call_key

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
        "_most", "_outages", "_renew", "_stops", "arriving", "connections", "handshakes", "incarnation", "index",
        "is_draining", "is_listed", "is_ready", "is_unreachable", "key", "opened", "refused", "resumed", "station", "tasks", "zone",
    )  # fmt: skip

    pod = 0
    """It stays in its place."""

    def __init__(self, proxy: Proxy, most: int, key: int, renew: Callable[[int], None]) -> None:
        self.index = proxy.index
        self.zone = proxy.zone
        self.station = proxy.station
        self._most = most
        self.key = key
        """What belongs to it by chance comes from it."""
        self._renew = renew
        """Gives it a process without a memory."""
        self._stops = 0
        """How many restarts and crashes keep it down."""
        self._outages = 0
        self.is_unreachable = False
        """Whether messages from clients and to them are lost."""
        self.is_listed = True
        """Whether the balancer thinks that it is well."""
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

    @property
    def is_gone(self) -> bool:
        """Whether a probe fails."""
        return self.is_unreachable or not self.is_ready

    def begin(self) -> None:
        """A new process is there, unless a crash or another restart lasts still."""
        self._stops -= 1
        if not self._stops:
            self._renew(self.index)
            self.is_ready = True

    def crash(self) -> None:
        """A fault ends the process."""
        self.end()

    def restart(self) -> None:
        """That fault is over."""
        self.begin()

    def cut_off(self) -> None:
        """From now on nothing gets from clients to it or from it to them."""
        self._outages += 1
        self.is_unreachable = True

    def reconnect(self) -> None:
        """It can be reached again, unless another outage lasts still; what was lost stays lost."""
        self._outages -= 1
        self.is_unreachable = self._outages > 0

    def end(self) -> None:
        """The process ends, with all that is in it."""
        self._stops += 1
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
        self.all = tuple(Replica(gateway, edge.max_connections, call_key(seed, gateway.index), renew) for gateway in gateways)
        self._balancer = edge.balancer.build(replicas=len(gateways), seed=seed)

    def begin(self) -> None:
        """Start the process of restarts."""
        self._clock.process(self._restart())

    def pick(self, address: int, draw: Draw) -> Replica | None:
        """Where a new connection from an address goes; None where no replica takes any."""
        connections = [replica.connections + replica.arriving for replica in self.all]
        is_ready = [replica.is_listed and not replica.is_draining for replica in self.all]
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
            replica.begin()
            replica.is_draining = False
