"""How a client's request gets in: through the gateway, or straight to a service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.proxies.parts import gather
from meshsim.engines.reference.proxies.routes import Observed
from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import CALLER_LEFT, failure, is_servers_fault
from meshsim.engines.reference.travel.call import CALLER_CLIENT, CALLER_GATEWAY, Call, CallApart
from meshsim.engines.reference.travel.network import ANSWER_WAY, CLIENT_WAY, REQUEST_WAY
from meshsim.engines.reference.travel.sidecar import AT_GATEWAY
from meshsim.engines.reference.travel.sizes import answer_kib
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import FALLBACK, GATEWAY_PICK, PART, call_key, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.proxies.routes import LiveRoute
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.sidecar import Passed
    from meshsim.plan import Operation

NO_ROUTE = failure(404, Flag.NR)
TOO_LARGE = failure(413, Flag.too_large)


class DirectEntry:
    """A client without a gateway: the route says which service, and the client goes there itself."""

    __slots__ = ("_handlers", "_routes")

    def __init__(self, routes: tuple[LiveRoute, ...], handlers: dict[int, Handler]) -> None:
        self._routes = routes
        self._handlers = handlers
        """By operation."""

    def call(self, call: Call) -> Steps:
        """What the service answers."""
        if call.request.route == NONE:
            return NO_ROUTE
        route = self._routes[call.request.route]
        call.operation = route.destination(call.request, call.key)
        return (yield from self._handlers[call.operation].call(call))


class GatewayEntry:
    """A client's request goes to a replica of the gateway: filters, route, the route's layers.

    The replica is drawn for each request, as a layer-4 load balancer in front spreads connections, or the one that the client's
    connection leads to.
    """

    __slots__ = ("_clock", "_fallbacks", "_gateways", "_handlers", "_links", "_operations", "_parts", "_refusals", "_routes")

    def __init__(
        self,
        refusals: Refusals,
        links: Links,
        routes: tuple[LiveRoute, ...],
        operations: tuple[Operation, ...],
        gateways: tuple[Proxy, ...],
        handlers: dict[tuple[int, int, int], Handler],
        parts: dict[tuple[int, int, int], Handler],
        fallbacks: dict[tuple[int, int], Handler],
    ) -> None:
        self._clock = refusals.clock
        self._refusals = refusals
        self._links = links
        self._routes = routes
        self._operations = operations
        self._gateways = gateways
        self._handlers = handlers
        """By replica, route and operation."""
        self._parts = parts
        """By replica, route and place among its parts."""
        self._fallbacks = fallbacks
        """By replica and route."""

    def call(self, call: Call) -> Steps:
        """What the gateway answers."""
        count = len(self._gateways)
        number = call.proxy if call.proxy != NONE else int(uniform(call.key, GATEWAY_PICK) * count) if count > 1 else 0
        gateway = self._gateways[number]
        latency_ns = self._links.latency_ns(call.key, CLIENT_WAY + REQUEST_WAY, call.zone, gateway.zone)
        if call.back_off_ns:
            self._refusals.lose(call, CALLER_CLIENT)
        if latency_ns:
            yield latency_ns
        number = call.request.route
        operation = NONE if number == NONE else self._routes[number].destination(call.request, call.key)
        call.fallback_key = NONE
        if gateway.takes_time:
            began_ns = self._clock.now_ns
            try:
                yield from gateway.work(call, AT_GATEWAY, operation)
            except Interrupted:
                call.proxy_ns = self._clock.now_ns - began_ns
                self._refusals.lose(call, CALLER_GATEWAY)
                raise
            call.proxy_ns = self._clock.now_ns - began_ns
        screen = gateway.screen
        if screen.is_plain:
            outcome = screen.judge(call, AT_GATEWAY) if screen.filters else None
            if outcome is None and operation != NONE:  # a call of the gateway's own: its tries are not the client's
                forwarded = Call(call.request, call.key, operation, CALLER_GATEWAY, gateway.zone)
                forwarded.proxy, forwarded.proxy_ns, forwarded.deadline_ns = gateway.index, call.proxy_ns, call.deadline_ns
                if self._routes[number].is_simple:
                    outcome = yield from self._handlers[gateway.index, number, operation].call(forwarded)
                else:
                    outcome = yield from self._send(gateway, number, forwarded)
                    call.fallback_key = forwarded.fallback_key
                operation = forwarded.operation
            else:
                self._refusals.lose(call, CALLER_GATEWAY)
                outcome = outcome or NO_ROUTE
        else:
            outcome = yield from self._screen(gateway, call, operation)
        if call.request.asker.kib_ns:
            call.answer_kib = screen.answer_kib(self._answer_kib(call, outcome, operation))
        latency_ns = self._links.latency_ns(call.key, CLIENT_WAY + ANSWER_WAY, gateway.zone, call.zone)
        if latency_ns:
            yield latency_ns
        return outcome

    def _screen(self, gateway: Proxy, call: Call, operation: int) -> Steps:
        """Through filters that take their time, or that want to hear how it ended."""
        passed: Passed = []
        screen = gateway.screen
        began_ns, outcome = self._clock.now_ns, CALLER_LEFT
        is_waiting = True
        answer: Outcome = CALLER_LEFT
        try:
            outcome = yield from screen.screen(call, AT_GATEWAY, passed, partial(self._fetch, gateway))
            call.filter_ns = self._clock.now_ns - began_ns
            call.proxy_ns += call.filter_ns
            is_waiting = False
            if outcome is None and operation != NONE:
                forwarded = _forwarded(gateway, call, operation)
                outcome = yield from self._send(gateway, call.request.route, forwarded)
                call.fallback_key, operation = forwarded.fallback_key, forwarded.operation
                call.proxy_ns = call.filter_ns = 0
            else:
                self._refusals.lose(call, CALLER_GATEWAY)
                outcome = outcome or NO_ROUTE
            answer = screen.replaced(call.request, outcome, passed) if screen.replaces else outcome
            if screen.works_on_answers:
                yield from self._finish(gateway, call, answer, operation)
        except Interrupted:
            outcome = CALLER_LEFT
            if is_waiting:
                call.filter_ns = self._clock.now_ns - began_ns
                call.proxy_ns += call.filter_ns
                self._refusals.lose(call, CALLER_GATEWAY)
            raise
        finally:
            screen.tell(passed, outcome, call.request)
        return answer

    def _answer_kib(self, call: Call, outcome: Outcome, operation: int) -> float:
        """Size of the answer to a request with the parts that its route adds; failures have a line of text at most.

        An optional part that failed counts too. A fallback's answer stands for all.
        """
        if operation == NONE or outcome.is_failure:
            return 0.0
        plan = self._routes[call.request.route].plan
        if call.fallback_key != NONE:
            return answer_kib(self._operations[plan.fallback], call.fallback_key)
        kib = answer_kib(self._operations[operation], call.key)
        for place, part in enumerate(plan.parts):
            kib += answer_kib(self._operations[part.operation], call_key(call.key + PART, place))
        return kib

    def _finish(self, gateway: Proxy, call: Call, outcome: Outcome, operation: int) -> Steps:
        """What filters do with the answer: time in the proxy that no attempt's row tells of."""
        began_ns = self._clock.now_ns
        try:
            yield from gateway.screen.work_on_answer(call, outcome, self._answer_kib(call, outcome, operation))
        finally:
            call.proxy_ns = call.filter_ns = self._clock.now_ns - began_ns
            self._refusals.lose(call, CALLER_GATEWAY)

    def _fetch(self, gateway: Proxy, copy: Call) -> Steps:
        """What a copy of a request in the background gets; its client has its answer."""
        number = copy.request.route
        if number == NONE:
            return NO_ROUTE
        operation = self._routes[number].destination(copy.request, copy.key)
        return (yield from self._send(gateway, number, _forwarded(gateway, copy, operation)))

    def _send(self, gateway: Proxy, number: int, call: Call) -> Steps:
        """What a route's destination answers: with its parts, or the fallback's answer after a failure."""
        route = self._routes[number]
        handler, plan = self._handlers[gateway.index, number, call.operation], route.plan
        if plan.max_kib and call.request.kib > plan.max_kib:
            self._refusals.lose(call, CALLER_GATEWAY)
            return TOO_LARGE
        if route.canary is not None:
            handler = Observed(handler, route.canary, self._clock)
        if route.sessions is not None:
            call.session = route.sessions.find(call.request)
        outcome: Outcome = yield from (self._gather(gateway, number, call, handler) if plan.parts else handler.call(call))
        if route.sessions is not None:
            route.sessions.keep(call)
        if plan.fallback not in (NONE, call.operation) and is_servers_fault(outcome):
            key = call_key(call.key + FALLBACK, 0)
            again = CallApart(call.request, key, plan.fallback, CALLER_GATEWAY, gateway.zone, NONE)
            again.proxy, again.deadline_ns = gateway.index, call.deadline_ns
            outcome = yield from self._fallbacks[gateway.index, number].call(again)
            call.fallback_key = again.key
        return outcome

    def _gather(self, gateway: Proxy, number: int, call: Call, handler: Handler) -> Steps:
        """What a route's destination and its parts answer."""
        calls = [(handler, call, False)]
        for place, part in enumerate(self._routes[number].plan.parts):
            key = call_key(call.key + PART, place)
            made = CallApart(call.request, key, part.operation, CALLER_GATEWAY, gateway.zone, place)
            made.proxy, made.deadline_ns = gateway.index, call.deadline_ns
            calls.append((self._parts[gateway.index, number, place], made, part.is_optional))
        return gather(self._clock, calls)


def _forwarded(gateway: Proxy, call: Call, operation: int) -> Call:
    """A call of the gateway's own: its tries are not the client's."""
    forwarded = Call(call.request, call.key, operation, CALLER_GATEWAY, gateway.zone)
    forwarded.proxy = gateway.index
    forwarded.proxy_ns, forwarded.filter_ns = call.proxy_ns, call.filter_ns
    forwarded.deadline_ns = call.deadline_ns
    return forwarded
