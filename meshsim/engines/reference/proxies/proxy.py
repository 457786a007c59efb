"""Proxies: a gateway's replica, a sidecar, a node proxy and a waypoint are the same thing, a station and its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.distributions import Constant
from meshsim.engines.reference.proxies.screening import Screen
from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.station import SlowableStation, Station
from meshsim.engines.reference.travel.sidecar import OUTBOUND
from meshsim.plan import NONE
from meshsim.randomness import PROXY_TIME, TRACE, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.sidecar import Incoming
    from meshsim.plan import ProxyKind
    from meshsim.policies.filters import FilterState


class Proxy:
    """One replica of a gateway, a sidecar, a node proxy or a waypoint: workers, a time for each request, filters, and views."""

    __slots__ = (
        "_extra_ns", "_kib_ns", "_least_ns", "_sizes", "_time", "_trace_ns", "_trace_share", "born_ns", "clock", "connection_ns", "index",
        "screen", "station", "takes_time", "ticks", "views", "zone",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        kind: ProxyKind,
        index: int,
        zone: int,
        filters: tuple[FilterState, ...] = (),
        sizes: tuple[float, ...] = (),
        kib_ns: float = 0.0,
        ticks: Ticks | None = None,
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
            ticks: The clock that its timers go by; None for exact ones.
        """
        self.clock = clock
        self.station = (SlowableStation if kind.may_slow else Station)(clock, kind.workers)
        is_constant = isinstance(kind.time, Constant)  # nothing is drawn where nothing varies
        self._time = None if is_constant else kind.time
        self._least_ns = float(kind.time.mean_ns) if kind.time is not None and is_constant else 0.0
        self._extra_ns = kind.extra_ns
        self._trace_share, self._trace_ns = kind.trace_share, kind.trace_ns
        self._sizes = sizes
        self._kib_ns = kib_ns if any(sizes) else 0.0
        self.born_ns = 0
        """When its process began, below 0 for one that was there before the run."""
        self.index = index
        self.zone = zone
        self.screen = Screen(clock, self.station, filters)
        """What a request passes first."""
        self.takes_time = kind.time is not None or bool(kind.extra_ns or kind.trace_share * kind.trace_ns or self._kib_ns)
        self.ticks = ticks
        self.connection_ns = kind.connection_ns
        """Time for which a new TCP connection holds one of its workers."""
        self.views: list[View] = []
        """Its views of destinations, for the counters."""

    def work(self, call: Incoming, side: int, operation: int = NONE) -> Steps:
        """Hold one of its workers for the time that one request takes; only where it `takes_time`.

        Args:
            call: The request.
            side: Which of the proxies on its way this is: `OUTBOUND` and so on.
            operation: What it asks for, where the call itself does not say yet.
        """
        time_ns = self._least_ns if self._time is None else self._time.quantile(uniform(call.key, PROXY_TIME, side))
        if self._trace_ns and uniform(call.request.key, TRACE) < self._trace_share:
            time_ns += self._trace_ns
        if self._kib_ns:
            asked = call.operation if operation == NONE else operation
            time_ns += self._kib_ns * self._sizes[asked] if asked != NONE else 0.0
        return self.station.hold(round(time_ns + self._extra_ns))


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
