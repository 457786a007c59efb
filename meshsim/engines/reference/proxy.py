"""Proxies: a gateway's replica, a sidecar, a node proxy and a waypoint are the same thing, a station and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.clock import Interrupted
from meshsim.engines.reference.outcome import Outcome
from meshsim.engines.reference.station import Station
from meshsim.plan import NONE
from meshsim.randomness import FILTER, PROXY_TIME, TRACE, Draw, call_key, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.call import Call
    from meshsim.engines.reference.clock import Clock, Steps
    from meshsim.engines.reference.layers import Handler, Refusals
    from meshsim.engines.reference.view import View
    from meshsim.plan import ProxyKind
    from meshsim.policies.filters import Filter

AT_GATEWAY = 0
OUTBOUND = 1
INBOUND = 2
AT_WAYPOINT = 3
SIDES = tuple(call_key(FILTER, side) for side in range(4))
"""Filters of one request at different proxies draw different numbers."""

Passed = list[tuple["Filter", int]]
"""Filters that want to hear how it ended, and when each let the request pass."""


class Proxy:
    """One replica of a gateway, a sidecar, a node proxy or a waypoint: workers, a time for each request, filters, and views."""

    __slots__ = (
        "_draw", "_draws", "_extra_ns", "_judges", "_kib_ns", "_sizes", "_time", "_trace_ns", "_trace_share", "acted", "clock", "filters", "index",
        "is_plain", "judged", "station", "takes_time", "views", "zone",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        kind: ProxyKind,
        index: int,
        zone: int,
        filters: tuple[Filter, ...] = (),
        sizes: tuple[float, ...] = (),
        kib_ns: float = 0.0,
    ) -> None:
        """A proxy.

        Args:
            clock: Time.
            kind: Its workers, and what a request costs it.
            index: Its number among its like.
            zone: Where it is.
            filters: Built for it.
            sizes: KiB of request and answer together, by operation.
            kib_ns: What encryption costs it for each KiB.
        """
        self.clock = clock
        self.station = Station(clock, kind.workers)
        self._time = kind.time
        self._extra_ns = kind.extra_ns
        self._trace_share, self._trace_ns = kind.trace_share, kind.trace_ns
        self._sizes = sizes
        self._kib_ns = kib_ns if any(sizes) else 0.0
        self.index = index
        self.zone = zone
        self.filters = filters
        self.judged = [0] * len(filters)
        """How many requests each filter has looked at."""
        self.acted = [0] * len(filters)
        """How many of them it answered or held up."""
        self.is_plain = not any(one.observes or one.delays for one in filters)
        """Whether its filters answer at once and want to hear nothing afterwards."""
        self.takes_time = kind.time is not None or bool(kind.extra_ns or kind.trace_share * kind.trace_ns or self._kib_ns)
        self.views: list[View] = []
        """Its views of destinations, for the counters."""
        self._draw = Draw()
        self._judges = [(number, one.judge) for number, one in enumerate(filters)]
        self._draws = any(one.draws for one in filters)

    def work(self, call: Call, side: int, operation: int = NONE) -> Steps:
        """Hold one of its workers for the time that one request takes; only where it `takes_time`.

        Args:
            call: The request.
            side: Which of the proxies on its way this is: `OUTBOUND` and so on.
            operation: What it asks for, where the call itself does not say yet.
        """
        time_ns = 0.0 if self._time is None else self._time.quantile(uniform(call.key, PROXY_TIME, side))
        if self._trace_ns and uniform(call.request.key, TRACE) < self._trace_share:
            time_ns += self._trace_ns
        if self._kib_ns:
            asked = call.operation if operation == NONE else operation
            time_ns += self._kib_ns * self._sizes[asked] if asked != NONE else 0.0
        return self.station.hold(round(time_ns + self._extra_ns))

    def judge(self, call: Call, side: int) -> Outcome | None:
        """The first filter's answer that is not "go on", or None; only of a proxy that `is_plain`."""
        now_ns, request, judged = self.clock.now_ns, call.request, self.judged
        draw = self._draw.at(call.key, SIDES[side]) if self._draws else self._draw
        for number, judge in self._judges:
            judged[number] += 1
            verdict = judge(now_ns, request.consumer, request.route, draw)
            if verdict.status:
                self.acted[number] += 1
                return Outcome(verdict.status, NONE, verdict.flags, NONE, verdict.flags)
        return None

    def screen(self, call: Call, side: int, passed: Passed) -> Steps:
        """As `judge`, with the delays that filters ask for.

        Args:
            call: The request.
            side: Which of the proxies on its way this is.
            passed: Takes the filters that are to be told by `tell` how it ended.
        """
        request = call.request
        for number, one in enumerate(self.filters):
            now_ns = self.clock.now_ns
            self.judged[number] += 1
            verdict = one.judge(now_ns, request.consumer, request.route, self._draw.at(call.key + number, SIDES[side]))
            if verdict.status or verdict.delay_ns:
                self.acted[number] += 1
            if one.observes and not verdict.status:
                passed.append((one, now_ns))
            if verdict.delay_ns:
                yield verdict.delay_ns
            if verdict.status:
                return Outcome(verdict.status, NONE, verdict.flags, NONE, verdict.flags)
        return None

    def tell(self, passed: Passed, outcome: Outcome) -> None:
        """Let the filters know what became of a request that they let pass."""
        now_ns = self.clock.now_ns
        for one, since_ns in passed:
            one.done(now_ns, now_ns - since_ns, outcome.status, outcome.grpc_status, outcome.flags)


class SidecarLayer:
    """A call leaves through the caller's own sidecar, or its node's proxy, which takes time for it."""

    __slots__ = ("_inner", "_refusals", "_sidecar")

    def __init__(self, inner: Handler, sidecar: Proxy, refusals: Refusals) -> None:
        self._inner = inner
        self._sidecar = sidecar
        self._refusals = refusals

    def call(self, call: Call) -> Steps:
        """What the sidecar's stack returns, after the sidecar's work."""
        clock = self._refusals.clock
        began_ns = clock.now_ns
        try:
            yield from self._sidecar.work(call, OUTBOUND)
        except Interrupted:
            call.proxy_ns = clock.now_ns - began_ns
            self._refusals.lose(call, call.caller)
            raise
        call.proxy_ns = clock.now_ns - began_ns
        call.proxy = self._sidecar.index
        return (yield from self._inner.call(call))


class FreeSidecarLayer:
    """A call leaves through the caller's own sidecar, which takes no time."""

    __slots__ = ("_index", "_inner")

    def __init__(self, inner: Handler, sidecar: Proxy) -> None:
        self._inner = inner
        self._index = sidecar.index

    def call(self, call: Call) -> Steps:
        """What the sidecar's stack returns."""
        call.proxy = self._index
        return self._inner.call(call)
