"""Layer 4: the endpoint is chosen when a connection is opened, and every request on it goes there."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.connection import Connection, Dialler, Waiter
from meshsim.engines.reference.destinations.connections import BROKEN, CUT_SHORT
from meshsim.engines.reference.time.clock import PARK, Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Connections


class Transport:
    """The connections of one caller to a service's address, wherever each of them has led."""

    def __init__(self, view: View, links: Links, settings: Connections) -> None:
        self._view = view
        self._clock = view.clock
        self._settings = settings
        self._dialler = Dialler(view, links, settings)
        self._ready: list[Connection] = []
        """Those with room for a request, the one used last at the end."""
        self._count = 0
        """Connections in all, those that are being made included."""
        self._waiting: deque[Waiter] = deque()
        self._era = 0

    def drain(self) -> None:
        """Certificates have changed: connections without a request close, the others after their requests."""
        self._era += 1
        self._dialler.forget()
        self._drop_unusable()

    def drain_host(self, endpoint: EndpointView) -> None:
        """An endpoint's health has failed: what has been dialled stays, as the connections of a TCP proxy do, whose clients they serve.

        Source: Envoy, cluster.proto (close_connections_on_host_health_failure, false by default).
        """

    def take(self, call: Call) -> Steps:
        """A connection for a request: a free one, a new one, or the one that it waited for.

        None where nobody is there to dial, False where dialling failed.
        """
        self._drop_unusable()
        if self._ready and not self._waiting:
            return self._use(self._ready[-1])
        view = self._view
        view.activity.pool_waits += 1
        view.pending.in_use += 1
        try:
            return (yield from self._wait(call))
        finally:
            view.pending.done()

    def _wait(self, call: Call) -> Steps:
        """Dial where that is allowed; else wait for a connection or for leave to dial, first come first served."""
        if not self._waiting and self._count < self._settings.max_connections:
            self._count += 1
            return (yield from self._dial(call))
        waiter = Waiter(self._clock.active)
        self._waiting.append(waiter)
        self._view.activity.connection_overflows += 1
        try:
            yield PARK
        except Interrupted:
            if waiter.connection is not None:
                self.give_back(waiter.connection, 0, is_interrupted=False)
            elif waiter.is_answered:
                self._count -= 1
                self._serve()
            else:
                waiter.is_gone = True
            raise
        return (yield from self._dial(call)) if waiter.connection is None else waiter.connection

    def _use(self, connection: Connection) -> Connection:
        """A request goes on a connection that is ready."""
        connection.take(self._settings)
        if connection.is_draining or not connection.has_room(self._settings):
            self._ready.remove(connection)
        return connection

    def _dial(self, call: Call) -> Steps:
        """Make a connection, which has been counted before."""
        endpoint: EndpointView | None = self._view.pick(call)
        if endpoint is None:
            self._count -= 1
            self._serve()
            return None
        endpoint.open += 1
        self._view.connections.in_use += 1
        connection = Connection(endpoint, self._era)
        is_open = False
        try:
            is_open = yield from self._dialler.dial(connection)
        finally:
            if not is_open:
                self._close(connection, was_open=False)
                self._serve()
        if not is_open:
            call.endpoint = endpoint
            return False
        self._ready.append(connection)
        self._use(connection)
        self._serve()
        return connection

    def give_back(self, connection: Connection, flags: int, *, is_interrupted: bool) -> None:
        """A request on it has ended."""
        settings = self._settings
        connection.streams -= 1
        connection.idle_since_ns = self._clock.now_ns
        is_ready = connection in self._ready
        if flags & (BROKEN if settings.is_http2 else CUT_SHORT) or (is_interrupted and not settings.is_http2):
            connection.is_draining = True
        if not connection.is_usable(settings, self._era, self._clock.now_ns):
            connection.is_draining = True
            if is_ready:
                self._ready.remove(connection)
            if not connection.streams:
                self._close(connection)
        elif not is_ready:
            self._ready.append(connection)
        self._serve()

    def _drop_unusable(self) -> None:
        for connection in [one for one in self._ready if not one.is_usable(self._settings, self._era, self._clock.now_ns)]:
            self._ready.remove(connection)
            connection.is_draining = True
            if not connection.streams:
                self._close(connection)

    def _close(self, connection: Connection, *, was_open: bool = True) -> None:
        self._count -= 1
        connection.endpoint.open -= 1
        self._view.connections.done()
        self._view.activity_of(connection.endpoint).closed += was_open

    def _serve(self) -> None:
        """Those that wait longest get what is free, or may dial."""
        while self._waiting:
            if self._waiting[0].is_gone:
                self._waiting.popleft()
                continue
            self._drop_unusable()
            if not self._ready and self._count >= self._settings.max_connections:
                return
            waiter = self._waiting.popleft()
            waiter.is_answered = True
            if self._ready:
                waiter.connection = self._use(self._ready[-1])
            else:
                self._count += 1
            waiter.task.wake()


class TransportLayer:
    """Send on a connection that has its endpoint already; in the place of the pick and the pool.

    So does kube-proxy, which picks when a connection is opened, and a node proxy without a waypoint: a client that keeps its connection
    keeps its instance, and one HTTP/2 connection carries all of its requests to one of them.

    Source: Kubernetes, "Virtual IPs and Service Proxies"; Kubernetes blog, "gRPC load balancing on Kubernetes without tears", 2018.
    """

    __slots__ = ("_failed", "_inner", "_no_host", "_refusals", "_transport", "_view")

    def __init__(self, inner: Handler, view: View, links: Links, refusals: Refusals, settings: Connections) -> None:
        self._inner = inner
        self._view = view
        self._refusals = refusals
        self._transport = view.pool if isinstance(view.pool, Transport) else Transport(view, links, settings)
        view.pool = self._transport
        self._failed = failure(503, Flag.UF, view.service)
        self._no_host = failure(503, Flag.UH, view.service)

    def call(self, call: Call) -> Steps:
        """What the endpoint of the connection answers."""
        clock = self._view.clock
        began_ns = clock.now_ns
        try:
            connection = yield from self._transport.take(call)
        except Interrupted:
            call.connection_ns = clock.now_ns - began_ns
            self._refusals.lose(call, call.caller)
            raise
        call.connection_ns = clock.now_ns - began_ns
        if not connection:
            if connection is None:
                self._view.activity.no_host += 1
            return self._refusals.refuse(call, self._no_host if connection is None else self._failed)
        if call.connection_ns and connection.opened_ns == clock.now_ns:
            call.tls_ns = connection.tls_ns(call.connection_ns)
        call.endpoint = connection.endpoint
        flags, is_interrupted = 0, True
        self._view.requests.in_use += 1
        try:
            outcome = yield from self._inner.call(call)
            flags, is_interrupted = outcome.flags, False
            return outcome
        finally:
            self._view.requests.done()
            self._transport.give_back(connection, flags, is_interrupted=is_interrupted)
