"""The connection pool where connections are told apart: HTTP/1.1 and HTTP/2, with handshakes, limits and ages.

The load balancer has picked the host before; the request then needs a stream on a connection to that very host. Connections are
opened by tasks of their own, since a request may be served by another one that becomes free first; where opening takes no time it is
done within the request's own step, as in the pool that does not tell them apart.

Source: Envoy, source/common/conn_pool/conn_pool_base.cc; source/common/http/http1/conn_pool.cc, http2/conn_pool.cc.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.connection import Connection, Dialler, Waiter
from meshsim.engines.reference.time.at_once import begin_aside
from meshsim.engines.reference.time.clock import PARK, Cancelled, Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Connections

BROKEN = int(Flag.UC | Flag.UF)
CUT_SHORT = int(Flag.UC | Flag.UF | Flag.UT)


class HostPool:
    """One proxy's connections to one endpoint."""

    __slots__ = ("certificates", "connecting", "endpoint", "era", "is_opening", "missing", "ready", "waiting")

    def __init__(self, endpoint: EndpointView) -> None:
        self.endpoint = endpoint
        self.ready: list[Connection] = []
        """Those with room for a request, the one used last at the end."""
        self.connecting = 0
        self.era = 0
        """Raised whenever all that are open are to close: those of an era before take no further request."""
        self.certificates = 0
        """The era in which the certificates changed last: what was dialled before then is of no use once it is open."""
        self.is_opening = False
        """Whether connections are being opened in the present step: one that is open at once asks for no more."""
        self.waiting: deque[Waiter] = deque()
        self.missing = 0
        """How many wait; those that have gone stand in the queue still."""


class ConnectionPool:
    """All connections of one view; shared by all routes that lead there."""

    def __init__(self, view: View, links: Links, settings: Connections) -> None:
        self._view = view
        self._clock = view.clock
        self._settings = settings
        self._dialler = Dialler(view, links, settings)
        self._streams_each = min(settings.max_concurrent_streams, settings.max_requests or settings.max_concurrent_streams)
        """How many of those that wait a new connection can take."""
        self.hosts = [HostPool(endpoint) for endpoint in view.endpoints]
        """By endpoint."""

    def drain(self) -> None:
        """Certificates have changed: connections without a request close, the others after their requests."""
        self._dialler.forget()
        for host in self.hosts:
            self._drain(host)
            host.certificates = host.era

    def drain_host(self, endpoint: EndpointView) -> None:
        """An endpoint's connections close: those without a request now, the others after their requests; what is dialled stays."""
        self._drain(self.hosts[endpoint.index])

    def _drain(self, host: HostPool) -> None:
        host.era += 1
        self._drop_unusable(host)

    def take_ready(self, pool: HostPool) -> Connection | None:
        """A connection that a request can go on at once."""
        self._drop_unusable(pool)
        return pool.ready[-1] if pool.ready else None

    def use(self, pool: HostPool, connection: Connection) -> None:
        """A request goes on it."""
        connection.take(self._settings)
        if connection.is_draining or not connection.has_room(self._settings):
            pool.ready.remove(connection)

    def wait(self, pool: HostPool) -> Steps:
        """Wait in the host's queue: the waiter, answered; its place among the pending requests has been taken before."""
        waiter = Waiter(self._clock.active)
        pool.waiting.append(waiter)
        pool.missing += 1
        self._open_if_allowed(pool)
        if waiter.is_answered:
            return waiter
        waiter.is_parked = True
        activity = self._view.activity_of(pool.endpoint)
        activity.pool_waits += 1
        activity.connection_overflows += pool.missing > pool.connecting * self._streams_each
        try:
            yield PARK
        except Interrupted:
            if waiter.connection is not None:
                self._view.requests.done()
                self.give_back(pool, waiter.connection, 0, is_interrupted=False)
            elif not waiter.is_answered:
                waiter.is_gone = True
                pool.missing -= 1
                self._view.pending.done()
            raise
        return waiter

    def give_back(self, pool: HostPool, connection: Connection, flags: int, *, is_interrupted: bool) -> None:
        """A request on it has ended."""
        settings = self._settings
        connection.streams -= 1
        connection.idle_since_ns = self._clock.now_ns
        was_full = connection not in pool.ready
        broken = flags & (BROKEN if settings.is_http2 else CUT_SHORT) or (is_interrupted and not settings.is_http2)
        if broken:
            connection.is_draining = True
        if not connection.is_usable(settings, pool.era, self._clock.now_ns):
            connection.is_draining = True
            if not was_full:
                pool.ready.remove(connection)
            if not connection.streams:
                self._close(pool)
        elif was_full:
            pool.ready.append(connection)
        self._serve(pool)

    def _serve(self, pool: HostPool) -> None:
        """Those that wait longest get what is free."""
        view = self._view
        while pool.waiting:
            if pool.waiting[0].is_gone:
                pool.waiting.popleft()
                continue
            connection = self.take_ready(pool)
            if connection is None:
                break
            waiter = pool.waiting.popleft()
            pool.missing -= 1
            view.pending.done()
            waiter.is_answered = True
            if view.requests.admit():
                waiter.connection = connection
                self.use(pool, connection)
            if waiter.is_parked:
                waiter.task.wake()
        self._open_if_allowed(pool)

    def _open_if_allowed(self, pool: HostPool) -> None:
        """Open as many connections as those that wait need and the limit allows; the first to a host is always allowed."""
        view = self._view
        if pool.is_opening:
            return
        pool.is_opening = True
        while pool.missing > pool.connecting * self._streams_each:
            if not self._admits_another():
                if pool.endpoint.open:
                    break
                view.connections.in_use += 1
            pool.endpoint.open += 1
            pool.connecting += 1
            begin_aside(self._clock, self._open(pool, Connection(pool.endpoint, pool.era)))
        pool.is_opening = False

    def _admits_another(self) -> bool:
        """Whether the limit has room for a connection: those that have ended unnoticed at other endpoints do not count."""
        connections = self._view.connections
        if connections.in_use >= connections.maximum:
            for host in self.hosts:
                if host.ready:
                    self._drop_unusable(host)
        return connections.admit()

    def _open(self, pool: HostPool, connection: Connection) -> Steps:
        """A task: open a connection, and serve those that wait; where that fails, all of them fail."""
        try:
            is_open = yield from self._dialler.dial(connection)
        except Cancelled:
            is_open = False
        pool.connecting -= 1
        if connection.era >= pool.certificates:
            connection.era = pool.era
        if is_open and connection.is_usable(self._settings, pool.era, self._clock.now_ns):
            pool.ready.append(connection)
            self._serve(pool)
            return
        self._close(pool, was_open=is_open)
        if is_open:
            self._serve(pool)
            return
        waiting, pool.waiting, pool.missing = pool.waiting, deque(), 0
        for waiter in waiting:
            if not waiter.is_gone:
                self._view.pending.done()
                waiter.is_answered = waiter.has_failed = True
                if waiter.is_parked:
                    waiter.task.wake()

    def _drop_unusable(self, pool: HostPool) -> None:
        for connection in [one for one in pool.ready if not one.is_usable(self._settings, pool.era, self._clock.now_ns)]:
            pool.ready.remove(connection)
            connection.is_draining = True
            if not connection.streams:
                self._close(pool)

    def _close(self, pool: HostPool, *, was_open: bool = True) -> None:
        pool.endpoint.open -= 1
        self._view.connections.done()
        self._view.activity_of(pool.endpoint).closed += was_open


class ConnectionLayer:
    """Send when a stream is at hand; 503 UO where a circuit breaker's limit is reached, 503 UF where no connection can be made."""

    __slots__ = ("_failed", "_inner", "_overflow", "_pool", "_refusals", "_view")

    def __init__(
        self, inner: Handler, view: View, links: Links, refusals: Refusals, settings: Connections, service: int = NONE
    ) -> None:
        """Around the layers to a service: the view's, or one of its backends."""
        at = view.service if service == NONE else service
        self._inner = inner
        self._view = view
        self._refusals = refusals
        self._pool = view.pool if isinstance(view.pool, ConnectionPool) else ConnectionPool(view, links, settings)
        view.pool = self._pool
        self._overflow = failure(503, Flag.UO, at)
        self._failed = failure(503, Flag.UF, at)

    def call(self, call: Call) -> Steps:
        """Wait for a connection, send on it, give it back."""
        view, pool = self._view, self._pool
        host = pool.hosts[call.endpoint.index]
        connection = pool.take_ready(host) if not host.waiting else None
        if connection is not None:
            if not view.requests.admit():
                return self._refusals.refuse(call, self._overflow)
            pool.use(host, connection)
        else:
            if not view.pending.admit():
                return self._refusals.refuse(call, self._overflow)
            waiter = yield from self._wait(call, host)
            connection = waiter.connection
            if connection is None:
                return self._refusals.refuse(call, self._failed if waiter.has_failed else self._overflow)
        flags, is_interrupted = 0, True
        try:
            outcome = yield from self._inner.call(call)
            flags, is_interrupted = outcome.flags, False
            return outcome
        finally:
            view.requests.done()
            pool.give_back(host, connection, flags, is_interrupted=is_interrupted)

    def _wait(self, call: Call, host: HostPool) -> Steps:
        clock = self._view.clock
        began_ns = clock.now_ns
        try:
            waiter: Waiter = yield from self._pool.wait(host)
        except Interrupted:
            call.connection_ns += clock.now_ns - began_ns
            self._refusals.lose(call, call.caller)
            raise
        waited_ns = clock.now_ns - began_ns
        call.connection_ns += waited_ns
        if waiter.connection is not None and waiter.connection.opened_ns == clock.now_ns:
            call.tls_ns = waiter.connection.tls_ns(waited_ns)
        return waiter
