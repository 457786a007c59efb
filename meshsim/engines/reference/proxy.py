"""Proxies: a gateway's replica and a sidecar are the same thing, a station and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.clock import Interrupted
from meshsim.engines.reference.outcome import Outcome
from meshsim.engines.reference.station import Station
from meshsim.plan import NONE
from meshsim.randomness import PROXY_TIME, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.call import Call
    from meshsim.engines.reference.clock import Clock, Steps
    from meshsim.engines.reference.endpoints import View
    from meshsim.engines.reference.layers import Handler, Refusals
    from meshsim.plan import ProxyKind
    from meshsim.policies.filters import Filter

AT_GATEWAY = 0
OUTBOUND = 1
INBOUND = 2


class Proxy:
    """One gateway replica or one sidecar: workers, a time for each request, filters, and views of destinations."""

    __slots__ = ("_time", "filters", "index", "station", "takes_time", "views", "zone")

    def __init__(self, clock: Clock, kind: ProxyKind, index: int, zone: int, filters: tuple[Filter, ...]) -> None:
        self.station = Station(clock, kind.workers)
        self._time = kind.time
        self.index = index
        self.zone = zone
        self.filters = filters
        self.takes_time = kind.time is not None
        self.views: list[View] = []
        """Its views of destinations, for the counters."""

    def work(self, call: Call, side: int) -> Steps:
        """Hold one of its workers for the time that one request takes; only where it `takes_time`."""
        assert self._time is not None  # noqa: S101 — see takes_time
        return self.station.hold(round(self._time.quantile(uniform(call.key, PROXY_TIME, side))))

    def judge(self, call: Call, now_ns: int) -> Outcome | None:
        """The first filter's answer that is not "go on", or None."""
        for one in self.filters:
            verdict = one.judge(now_ns, call.request.consumer, call.request.route)
            if verdict.status:
                return Outcome(verdict.status, NONE, verdict.flags, NONE, verdict.flags)
        return None


class SidecarLayer:
    """A call leaves through the caller's own sidecar, which takes time for it."""

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
