"""Ambient mode: a node's proxy carries what its pods send, and a waypoint stands before a service for what needs to see requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import CALLER_LEFT
from meshsim.engines.reference.travel.network import ANSWER_WAY, REQUEST_WAY, WAYPOINT_WAY
from meshsim.engines.reference.travel.sidecar import AT_WAYPOINT
from meshsim.randomness import WAYPOINT_PICK, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.proxies.proxy import Proxy
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.sidecar import Passed


class WaypointLayer:
    """A call goes to a replica of the called service's waypoint, which sends it on through a stack of its own.

    The replica is drawn for each request. The way there and the waypoint's own time count as time in the proxy that sent it.

    Source: istio.io, "Ambient and the Istio data plane", version 1.29: ztunnel balances connections to the waypoint, and the
    waypoint does all that needs to see requests.
    """

    __slots__ = ("_clock", "_handlers", "_links", "_refusals", "_service", "_waypoints")

    def __init__(
        self, refusals: Refusals, links: Links, service: int, waypoints: tuple[Proxy, ...], handlers: tuple[Handler, ...]
    ) -> None:
        self._clock = refusals.clock
        self._refusals = refusals
        self._links = links
        self._service = service
        self._waypoints = waypoints
        self._handlers = handlers
        """By replica."""

    def call(self, call: Call) -> Steps:
        """What the waypoint answers."""
        count = len(self._waypoints)
        number = int(uniform(call.key, WAYPOINT_PICK) * count) if count > 1 else 0
        waypoint, from_zone = self._waypoints[number], call.zone
        passed: Passed = []
        outcome: Outcome | None = CALLER_LEFT
        try:
            outcome = yield from self._reach(waypoint, call, passed)
            if outcome is None:
                call.zone, call.proxy = waypoint.zone, waypoint.index
                outcome = yield from self._handlers[number].call(call)
            else:
                outcome = outcome._replace(origin=self._service)
                self._refusals.refuse(call, outcome)
        except Interrupted:
            outcome = CALLER_LEFT
            raise
        finally:
            call.zone = from_zone
            if passed:
                waypoint.screen.tell(passed, outcome or CALLER_LEFT, call.request)
        latency_ns = self._links.latency_ns(call.key, WAYPOINT_WAY + ANSWER_WAY, waypoint.zone, from_zone)
        if latency_ns:
            yield latency_ns
        return outcome

    def _reach(self, waypoint: Proxy, call: Call, passed: Passed) -> Steps:
        """The way there, its work and its filters: an answer of theirs, or None."""
        began_ns, before_ns = self._clock.now_ns, call.proxy_ns
        try:
            latency_ns = self._links.latency_ns(call.key, WAYPOINT_WAY + REQUEST_WAY, call.zone, waypoint.zone)
            if latency_ns:
                yield latency_ns
            if waypoint.takes_time:
                yield from waypoint.work(call, AT_WAYPOINT)
            screened_ns = self._clock.now_ns
            outcome = yield from waypoint.screen.screen(call, AT_WAYPOINT, passed)
        except Interrupted:
            call.proxy_ns = before_ns + self._clock.now_ns - began_ns
            self._refusals.lose(call, call.caller)
            raise
        call.proxy_ns = before_ns + self._clock.now_ns - began_ns
        call.filter_ns = self._clock.now_ns - screened_ns
        return outcome
