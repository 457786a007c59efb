"""Counters over time: what stations and proxies look like at regular instants."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from meshsim.engines.reference.proxies.fleet import GATEWAY_KIND
from meshsim.policies.circuit_breaking import HALF_OPEN, OPEN
from meshsim.policies.filters import Decision
from meshsim.records import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    import simpy

    from meshsim.engines.reference.destinations.together import Together
    from meshsim.engines.reference.proxies.fleet import Placed
    from meshsim.engines.reference.proxies.replicas import Replica
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Plan
    from meshsim.recorder import Recorder

NO_ACTION = (Decision.ADMITTED, Decision.MISS)
"""Of these a request goes on as if the filter were not there."""

NO_EDGE = [0, 0, 0, 0, 0]
NO_CALLS = [0] * (len(DESTINATIONS) - 7)
"""What a row of `DESTINATIONS` says after the healthy ones, where there are no calls yet."""


class Counters:
    """Writes a row for each instance and proxy at every interval, and at the ends of the warm-up and of the load."""

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        plan: Plan,
        instances: Sequence[Instance],
        proxies: Sequence[Placed],
        together: Mapping[tuple[int, int, int], Together],
        replicas: Sequence[Replica] = (),
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._instances = [(instance, [0, 0, 0, 0]) for instance in instances]
        self._cpus = [(instance, [0, 0, 0, 0]) for instance in instances if instance.cores is not None]
        self._proxies = [(placed, [0, 0, 0]) for placed in proxies]
        self._edges = [(replica, [0, 0, 0, 0]) for replica in replicas]
        """By replica of the gateway; empty where clients' connections are not looked at."""
        self._filters = [placed for placed in proxies if placed.proxy.screen.filters]
        self._destinations = sorted(together.items(), key=itemgetter(0))

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
            if clock.now_ns >= plan.duration_ns and len(clock.heap) <= clock.pauses:  # nothing is left that could end them
                raise RuntimeError(f"{clock.live} requests wait for what never comes: a bug of the engine or of a policy")

    def write(self) -> None:
        """The rows of this instant."""
        now_ns: int = self._clock.now_ns
        for instance, before in self._instances:
            station = instance.station
            queued_ns, busy_ns, arrived, finished = before
            before[:] = totals = [station.queued_ns, station.busy_ns, instance.arrived, instance.finished]
            self._recorder.counters.append(
                [
                    now_ns, instance.service, instance.index, station.queued, station.busy, totals[0] - queued_ns,
                    totals[1] - busy_ns, totals[2] - arrived, totals[3] - finished, int(not instance.is_down),
                ]
            )  # fmt: skip
        for (kind, service, proxy), before in self._proxies:
            station = proxy.station
            queued_ns, busy_ns, passed = before
            before[:] = totals = [station.queued_ns, station.busy_ns, station.passed]
            active_retries = sum([view.retries.in_use for view in proxy.views]) if proxy.views else 0
            edge = self._edge(proxy.index) if kind == GATEWAY_KIND and self._edges else NO_EDGE
            self._recorder.proxies.append(
                [
                    now_ns, kind, service, proxy.index, station.queued, station.busy, totals[0] - queued_ns, totals[1] - busy_ns,
                    totals[2] - passed, active_retries, *edge,
                ]
            )  # fmt: skip
        if self._cpus:
            self._write_cpu(now_ns)
        self._write_filters(now_ns)
        self._write_destinations(now_ns)

    def _write_cpu(self, now_ns: int) -> None:
        for instance, before in self._cpus:
            cores = instance.cores
            assert cores is not None  # noqa: S101 — only those that have them are looked at
            totals = [cores.used_ns, *cores.throttled]
            counts = [new - old for new, old in zip(totals, before, strict=True)]
            before[:] = totals
            self._recorder.cpu.append([now_ns, instance.service, instance.index, cores.computing, *counts])

    def _edge(self, index: int) -> list[int]:
        """Of a replica of the gateway: open connections of clients, and what became of new ones since the row before."""
        replica, before = self._edges[index]
        totals = [replica.opened, replica.handshakes, replica.resumed, replica.refused]
        counts = [new - old for new, old in zip(totals, before, strict=True)]
        before[:] = totals
        return [replica.connections, *counts]

    def _write_filters(self, now_ns: int) -> None:
        for kind, service, proxy in self._filters:
            decided, count = proxy.screen.decided, len(proxy.screen.filters)
            judged, acted = [0] * count, [0] * count
            for (number, decision, rule, route, consumer), requests in sorted(decided.items()):
                judged[number] += requests
                acted[number] += 0 if decision in NO_ACTION else requests
                self._recorder.decisions.append(
                    [now_ns, kind, service, proxy.index, number, int(decision), rule, route, consumer, requests]
                )
            decided.clear()
            for number in range(count):
                self._recorder.filters.append([now_ns, kind, service, proxy.index, number, judged[number], acted[number]])

    def _write_destinations(self, now_ns: int) -> None:
        for (caller, service, subset), together in self._destinations:
            views = together.views
            if not together.parts:  # nobody has called: who is there is all that there is to say
                members = together.late_members
                self._recorder.destinations.append([now_ns, caller, service, subset, together.late, members, members, *NO_CALLS])
                continue
            present = [part.present for part in together.parts]
            states = [view.breaker.state for view in views if view.breaker is not None]
            self._recorder.destinations.append(
                [
                    now_ns, caller, service, subset, together.late + len(together.parts),
                    together.late_members + sum(members for members, _ in present),
                    together.late_members + sum(healthy for _, healthy in present),
                    sum(view.connections.in_use for view in views),
                    sum(endpoint.in_flight for part in together.parts for endpoint in part.endpoints if endpoint.is_member),
                    sum(view.pending.in_use + (view.queue.length if view.queue is not None else 0) for view in views),
                    sum(view.retries.in_use for view in views),
                    states.count(OPEN), states.count(HALF_OPEN),
                    sum(view.limiter.limit for view in views if view.limiter is not None),
                    *together.counts(),
                ]
            )  # fmt: skip
