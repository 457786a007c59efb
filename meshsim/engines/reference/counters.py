"""Counters over time: what stations and proxies look like at regular instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import simpy

    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.instance import Instance
    from meshsim.engines.reference.proxy import Proxy
    from meshsim.plan import Plan
    from meshsim.records import Recorder

GATEWAY_KIND = 0
SIDECAR_KIND = 1


class Counters:
    """Writes a row for each instance and proxy at every interval, and at the ends of the warm-up and of the load."""

    def __init__(
        self, clock: Clock, recorder: Recorder, plan: Plan, instances: Sequence[Instance], gateways: Sequence[Proxy]
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._instances = [(instance, [0, 0, 0, 0]) for instance in instances]
        proxies = [(GATEWAY_KIND, NONE, gateway) for gateway in gateways]
        proxies += [(SIDECAR_KIND, instance.service, instance.sidecar) for instance in instances if instance.sidecar is not None]
        self._proxies = [(*proxy, [0, 0, 0]) for proxy in proxies]

    def watch(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: goes on until the load has ended and no request is left."""
        clock, plan = self._clock, self._plan
        marks = sorted({plan.warm_up_ns, plan.duration_ns} - {0})
        while True:
            now_ns = clock.now_ns
            next_ns = (now_ns // plan.interval_ns + 1) * plan.interval_ns
            if marks and marks[0] <= next_ns:
                next_ns = marks.pop(0)
            yield clock.timeout(next_ns - now_ns)
            self.write()
            if clock.now_ns >= plan.duration_ns and not clock.live:
                clock.is_over = True
                return
            if clock.now_ns >= plan.duration_ns and not clock.heap:  # nothing is left that could end them
                raise RuntimeError(f"{clock.live} requests wait for what never comes: a bug of the engine or of a policy")

    def write(self) -> None:
        """The rows of this instant."""
        now_ns: int = self._clock.now_ns
        for instance, before in self._instances:
            station = instance.station
            totals = [station.queued_ns, station.busy_ns, instance.arrived, instance.finished]
            queued_ns, busy_ns, arrived, finished = (new - old for new, old in zip(totals, before, strict=True))
            before[:] = totals
            self._recorder.counters.append(
                [
                    now_ns, instance.service, instance.index, station.queued, station.busy, queued_ns, busy_ns, arrived, finished,
                    int(not instance.is_down),
                ]
            )  # fmt: skip
        for kind, service, proxy, before in self._proxies:
            station = proxy.station
            totals = [station.queued_ns, station.busy_ns, station.passed]
            queued_ns, busy_ns, passed = (new - old for new, old in zip(totals, before, strict=True))
            before[:] = totals
            active_retries = sum(view.retries.in_use for view in proxy.views)
            self._recorder.proxies.append(
                [
                    now_ns,
                    kind,
                    service,
                    proxy.index,
                    station.queued,
                    station.busy,
                    queued_ns,
                    busy_ns,
                    passed,
                    active_retries,
                ]
            )
