"""Reports of their load that instances send to balancers which read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import PHASE, uniform
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.endpoint import EndpointView

LEAST_NS = 10_000_000
"""Rates are taken over 10 ms at least."""


class LoadReports:
    """What the instances tell one proxy: requests in them, and utilisation and rates since the report before."""

    __slots__ = ("_before", "_clock", "_view")

    def __init__(self, clock: Clock, view: View) -> None:
        self._clock = clock
        self._view = view
        self._before = [(0, 0, 0, 0) for _ in view.endpoints]
        """Time, busy time, finished and failed requests at the report before, by endpoint."""

    def send(self, endpoint: EndpointView) -> None:
        """One report."""
        now_ns, instance = self._clock.now_ns, endpoint.instance
        endpoint.reported_in_flight = instance.in_it
        endpoint.reported_ns = now_ns
        since_ns, busy_ns, finished, failed = self._before[endpoint.index]
        elapsed_ns = now_ns - since_ns
        if elapsed_ns < LEAST_NS:
            return
        station = instance.station
        endpoint.utilisation = (station.busy_ns - busy_ns) / (elapsed_ns * station.workers)
        endpoint.request_rate = (instance.finished - finished) * NS_PER_S / elapsed_ns
        endpoint.error_rate = (instance.failed - failed) * NS_PER_S / elapsed_ns
        self._before[endpoint.index] = (now_ns, station.busy_ns, instance.finished, instance.failed)

    def watch(self, endpoint: EndpointView, interval_ns: int, phase: str) -> Generator[simpy.Event, None, None]:
        """A SimPy process: reports at intervals, at a phase of this endpoint's own, of its proxy's, or at everybody's."""
        phases = {"endpoint": (self._view.luck, 1000 + endpoint.index), "proxy": (self._view.key, 999)}
        yield self._clock.pause(
            round(uniform(phases[phase][0], PHASE, phases[phase][1]) * interval_ns) if phase in phases else interval_ns
        )
        while True:
            if endpoint.is_member and not endpoint.instance.is_unreachable and not endpoint.instance.is_down:
                self.send(endpoint)
            yield self._clock.pause(interval_ns)
