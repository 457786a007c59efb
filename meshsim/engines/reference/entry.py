"""How a client's request gets in: through the gateway, or straight to a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.call import CALLER_CLIENT, CALLER_GATEWAY, Call
from meshsim.engines.reference.clients import by_share
from meshsim.engines.reference.clock import Interrupted
from meshsim.engines.reference.network import ANSWER_WAY, CLIENT_WAY, REQUEST_WAY
from meshsim.engines.reference.outcome import CALLER_LEFT, failure
from meshsim.engines.reference.proxy import AT_GATEWAY
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import DESTINATION, GATEWAY_PICK, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.clock import Steps
    from meshsim.engines.reference.layers import Handler, Refusals
    from meshsim.engines.reference.network import Links
    from meshsim.engines.reference.proxy import Passed, Proxy
    from meshsim.plan import Route

NO_ROUTE = failure(404, Flag.NR)


class DirectEntry:
    """A client without a gateway: the route says which service, and the client goes there itself."""

    __slots__ = ("_handlers", "_routes")

    def __init__(self, routes: tuple[Route, ...], handlers: dict[int, Handler]) -> None:
        self._routes = routes
        self._handlers = handlers
        """By operation."""

    def call(self, call: Call) -> Steps:
        """What the service answers."""
        if call.request.route == NONE:
            return NO_ROUTE
        route = self._routes[call.request.route]
        call.operation = _destination(route, call.key)
        return (yield from self._handlers[call.operation].call(call))


class GatewayEntry:
    """A client's request goes to a replica of the gateway: filters, route, the route's layers.

    The replica is drawn for each request, as a layer-4 load balancer in front spreads connections.
    """

    __slots__ = ("_clock", "_gateways", "_handlers", "_links", "_refusals", "_routes")

    def __init__(
        self,
        refusals: Refusals,
        links: Links,
        routes: tuple[Route, ...],
        gateways: tuple[Proxy, ...],
        handlers: dict[tuple[int, int, int], Handler],
    ) -> None:
        self._clock = refusals.clock
        self._refusals = refusals
        self._links = links
        self._routes = routes
        self._gateways = gateways
        self._handlers = handlers
        """By replica, route and operation."""

    def call(self, call: Call) -> Steps:
        """What the gateway answers."""
        count = len(self._gateways)
        gateway = self._gateways[int(uniform(call.key, GATEWAY_PICK) * count) if count > 1 else 0]
        latency_ns = self._links.latency_ns(call.key, CLIENT_WAY + REQUEST_WAY, call.zone, gateway.zone)
        if call.back_off_ns:
            self._refusals.lose(call, CALLER_CLIENT)
        if latency_ns:
            yield latency_ns
        number = call.request.route
        operation = NONE if number == NONE else _destination(self._routes[number], call.key)
        if gateway.takes_time:
            yield from self._pass(gateway, call, operation)
        if gateway.is_plain:
            outcome = gateway.judge(call, AT_GATEWAY) if gateway.filters else None
            if outcome is None and operation != NONE:  # a call of the gateway's own: its tries are not the client's
                forwarded = Call(call.request, call.key, operation, CALLER_GATEWAY, gateway.zone)
                forwarded.proxy, forwarded.proxy_ns, forwarded.deadline_ns = gateway.index, call.proxy_ns, call.deadline_ns
                outcome = yield from self._handlers[gateway.index, number, operation].call(forwarded)
            else:
                self._refusals.lose(call, CALLER_GATEWAY)
                outcome = outcome or NO_ROUTE
        else:
            outcome = yield from self._screen(gateway, call, operation)
        latency_ns = self._links.latency_ns(call.key, CLIENT_WAY + ANSWER_WAY, gateway.zone, call.zone)
        if latency_ns:
            yield latency_ns
        return outcome

    def _screen(self, gateway: Proxy, call: Call, operation: int) -> Steps:
        """Through filters that take their time, or that want to hear how it ended."""
        passed: Passed = []
        began_ns, outcome = self._clock.now_ns, CALLER_LEFT
        is_waiting = True
        try:
            outcome = yield from gateway.screen(call, AT_GATEWAY, passed)
            call.proxy_ns += self._clock.now_ns - began_ns
            is_waiting = False
            if outcome is None and operation != NONE:
                forwarded = _forwarded(gateway, call, operation)
                outcome = yield from self._handlers[gateway.index, call.request.route, operation].call(forwarded)
            else:
                self._refusals.lose(call, CALLER_GATEWAY)
                outcome = outcome or NO_ROUTE
        except Interrupted:
            outcome = CALLER_LEFT
            if is_waiting:
                call.proxy_ns += self._clock.now_ns - began_ns
                self._refusals.lose(call, CALLER_GATEWAY)
            raise
        finally:
            gateway.tell(passed, outcome)
        return outcome

    def _pass(self, gateway: Proxy, call: Call, operation: int) -> Steps:
        """Through a replica that takes time."""
        began_ns = self._clock.now_ns
        try:
            yield from gateway.work(call, AT_GATEWAY, operation)
        except Interrupted:
            call.proxy_ns = self._clock.now_ns - began_ns
            self._refusals.lose(call, CALLER_GATEWAY)
            raise
        call.proxy_ns = self._clock.now_ns - began_ns


def _forwarded(gateway: Proxy, call: Call, operation: int) -> Call:
    """A call of the gateway's own: its tries are not the client's."""
    forwarded = Call(call.request, call.key, operation, CALLER_GATEWAY, gateway.zone)
    forwarded.proxy = gateway.index
    forwarded.proxy_ns = call.proxy_ns
    forwarded.deadline_ns = call.deadline_ns
    return forwarded


def _destination(route: Route, key: int) -> int:
    """The operation that this request of a route goes to; nothing is drawn where there is no choice."""
    operations = route.operations
    return operations[0] if len(operations) == 1 else by_share(operations, route.shares, uniform(key, DESTINATION))
