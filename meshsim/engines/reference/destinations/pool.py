"""The connection pool: HTTP/1.1, one request on a connection at a time, a queue for each host.

The load balancer has picked the host before; the request then waits for a connection to that very host, and an idle one to
another host does not help. Connections stay open with their host, and count against `max_connections` there. Each host may
have one connection whatever the limit. Setting up a connection takes no time yet.

Source: Envoy, source/common/conn_pool/conn_pool_base.cc (newStreamImpl, onUpstreamReady, tryCreateNewConnection with its
`upstream_cx_overflow`); source/common/upstream/resource_manager_impl.h.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.engines.reference.travel.endpoint import Waiter
from meshsim.flags import Flag

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals


class PoolLayer:
    """Send when a connection is at hand; answer 503 UO where a circuit breaker's limit is reached."""

    __slots__ = ("_inner", "_overflow", "_refusals", "_view")

    def __init__(self, inner: Handler, view: View, service: int, refusals: Refusals) -> None:
        self._inner = inner
        self._view = view
        self._refusals = refusals
        self._overflow = failure(503, Flag.UO, service)

    def call(self, call: Call) -> Steps:
        """Wait for a connection, send on it, give it back."""
        view, endpoint = self._view, call.endpoint
        if endpoint.idle:
            if not view.requests.admit():
                return self._refusals.refuse(call, self._overflow)
            endpoint.idle -= 1
        else:
            if not view.pending.admit():
                return self._refusals.refuse(call, self._overflow)
            clock = self._refusals.clock
            began_ns = clock.now_ns
            try:
                is_admitted = yield from self._wait(endpoint)
            except Interrupted:
                call.connection_ns += clock.now_ns - began_ns
                self._refusals.lose(call, call.caller)
                raise
            call.connection_ns += clock.now_ns - began_ns
            if not is_admitted:
                return self._refusals.refuse(call, self._overflow)
        keeps_connection = False
        try:
            outcome = yield from self._inner.call(call)
            keeps_connection = not outcome.flags & (Flag.UT | Flag.UC | Flag.UF)
            return outcome
        finally:
            view.requests.done()
            if keeps_connection and not endpoint.draining:
                self._free(endpoint)
            else:  # HTTP/1.1 can end a request early only by closing its connection
                self._close(endpoint)

    def _wait(self, endpoint: EndpointView) -> Steps:
        """Wait in the host's queue; whether a connection and a place among the requests were given."""
        waiter = Waiter(self._refusals.clock.active)
        if endpoint.waiting is None:
            endpoint.waiting = deque()
        endpoint.waiting.append(waiter)
        self._serve(endpoint)
        if waiter.is_answered:
            return waiter.is_admitted
        waiter.is_parked = True
        activity = self._view.activity_of(endpoint)
        activity.pool_waits += 1
        activity.connection_overflows += 1
        try:
            yield PARK
        except Interrupted:
            if waiter.is_admitted:
                self._view.requests.done()
                self._free(endpoint)
            elif not waiter.is_answered:
                waiter.is_gone = True
                self._view.pending.done()
            raise
        return waiter.is_admitted

    def _free(self, endpoint: EndpointView) -> None:
        """A connection has become idle: the first that waits for this host takes it."""
        endpoint.idle += 1
        if endpoint.waiting:
            self._serve(endpoint)

    def _close(self, endpoint: EndpointView) -> None:
        if endpoint.draining:
            endpoint.draining -= 1
        endpoint.open -= 1
        self._view.connections.done()
        if endpoint.waiting:
            self._serve(endpoint)

    def _serve(self, endpoint: EndpointView) -> None:
        """Those that wait longest get what is idle, or a new connection where the limit has room: another host may have made it."""
        view, waiting = self._view, endpoint.waiting
        while waiting:
            waiter = waiting[0]
            if waiter.is_gone:
                waiting.popleft()
                continue
            if not endpoint.idle and not self._opens(endpoint):
                return
            waiting.popleft()
            view.pending.done()
            waiter.is_answered = True
            if view.requests.admit():
                waiter.is_admitted = True
                endpoint.idle -= 1
            if waiter.is_parked:
                waiter.task.wake()

    def _opens(self, endpoint: EndpointView) -> bool:
        """Open a connection, unless the limit is reached and the host has one."""
        connections = self._view.connections
        if not connections.admit():
            if endpoint.open:
                return False
            connections.in_use += 1  # a host without any connection gets one, beyond the limit
        endpoint.open += 1
        endpoint.idle += 1
        return True
