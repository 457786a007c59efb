"""Counters over time: what stations and proxies look like at regular instants."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from meshsim.engines.reference.proxies.fleet import GATEWAY_KIND
from meshsim.policies.filters import Decision
from meshsim.recorder import Standing
from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    import simpy

    from meshsim.engines.reference.destinations.together import Together
    from meshsim.engines.reference.proxies.fleet import Placed
    from meshsim.engines.reference.proxies.replicas import Replica
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.services.message_queue import MessageQueue
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Plan
    from meshsim.recorder import Recorder

NO_ACTION = (Decision.ADMITTED, Decision.MISS)
"""Of these a request goes on as if the filter were not there."""

STUCK = (
    "wait for what never comes. Requests that hold workers or connections of a pool while they wait for more of the same wait for each"
    " other for ever: write a `timeout` or `acquire_timeout`. If the scenario has no such circle, it is a bug of the engine or of a policy"
)
"""What is said of requests that nothing can end any more."""
NO_EDGE = [0, 0, 0, 0, 0]
COUNTED_OF_A_STATION = {"queued_ns", "busy_ns", "arrived", "finished"}
COUNTED_OF_A_POOL = {"in_use_ns", "waiting_ns", "acquired", "timed_out"}
COUNTED_OF_A_CACHE = {
    "hits", "stale_hits", "misses", "coalesced", "loads", "failed_loads", "evictions", "waited_ns",
}  # fmt: skip
COUNTED_OF_A_PROXY = {"queued_ns", "busy_ns", "passed", "opened", "handshakes", "resumed", "refused"}
OF_INSTANCE = attrgetter("arrived", "is_down", "station.passed")
"""Whatever happens to an idle instance changes one of these: a request arrives, it goes or comes, somebody else takes a worker."""
OF_POOL = attrgetter("passed", "timed_out")
OF_PROXY = attrgetter("proxy.station.passed")


class Counters:
    """Writes a row for each instance, connection pool, cache and proxy at every interval, and at the ends of the warm-up and of the load."""

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        plan: Plan,
        instances: Sequence[Instance],
        proxies: Sequence[Placed],
        together: Mapping[tuple[int, int, int], Together],
        replicas: Sequence[Replica] = (),
        queues: Sequence[MessageQueue] = (),
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._instances = list(instances)
        self._stood: list[tuple[int, ...]] = [(0, 0, 0, 0)] * len(self._instances)
        """What each of them had counted at the row before."""
        self._idle_instances: list[Any] = [None] * len(self._instances)
        """Of those that were idle then, what will differ once they are not; None of the others."""
        owned = [(instance, pool) for instance in instances for pool in instance.connection_pools]
        self._pools = [pool for _, pool in owned]
        self._had: list[tuple[int, ...]] = [(0, 0, 0, 0)] * len(self._pools)
        self._idle_pools: list[Any] = [None] * len(self._pools)
        caching = [(instance, cache) for instance in instances for cache in instance.caches]
        self._caches = [(cache, [0] * len(COUNTED_OF_A_CACHE)) for _, cache in caching]
        self._cpus = [(instance, [0, 0, 0, 0]) for instance in instances if instance.cores is not None]
        self._queues = [(queue, dict.fromkeys((*queue.counts, "there_ns"), 0)) for queue in queues]
        self._proxies = list(proxies)
        self._were: list[tuple[int, ...]] = [(0, 0, 0)] * len(self._proxies)
        self._idle_proxies: list[Any] = [None] * len(self._proxies)
        self._edges = [(replica, [0, 0, 0, 0]) for replica in replicas]
        """By replica of the gateway; empty where clients' connections are not looked at."""
        self._filters = [placed for placed in proxies if placed.proxy.screen.filters]
        ways = sorted(together)
        self._destinations = [together[way] for way in ways]
        places = [(instance.service, instance.index) for instance in instances]
        self._of_instances = Standing(recorder, "counters", places, COUNTED_OF_A_STATION)
        belong = [(instance.service, instance.index, pool.name) for instance, pool in owned]
        self._of_pools = Standing(recorder, "connection_pools", belong, COUNTED_OF_A_POOL)
        kept_by = [(instance.service, instance.index, cache.name) for instance, cache in caching]
        self._of_caches = Standing(recorder, "caches", kept_by, COUNTED_OF_A_CACHE)
        placed_at = [(kind, service, proxy.index) for kind, service, proxy in proxies]
        self._of_proxies = Standing(recorder, "proxies", placed_at, COUNTED_OF_A_PROXY)
        self._of_destinations = Standing(recorder, "destinations", ways, ACTIVITY)

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
                raise RuntimeError(f"{clock.live} requests {STUCK}")

    def write(self) -> None:
        """The rows of this instant."""
        now_ns: int = self._clock.now_ns
        self._of_instances.write(now_ns, self._changed_instances())
        retries: Counter[Any] = Counter()
        rows = {number: together.row(retries) for number, together in enumerate(self._destinations)}
        self._of_destinations.write(now_ns, {number: row for number, row in rows.items() if row is not None})
        self._of_proxies.write(now_ns, self._changed_proxies(retries))
        self._of_pools.write(now_ns, self._changed_pools())
        self._of_caches.write(now_ns, self._changed_caches())
        if self._cpus:
            self._write_cpu(now_ns)
        for queue, before in self._queues:
            self._write_queue(now_ns, queue, before)
        self._write_filters(now_ns)

    def _changed_instances(self) -> dict[int, list[int]]:
        changed, stood = {}, self._stood
        for number in _different(OF_INSTANCE, self._instances, self._idle_instances):
            instance = self._instances[number]
            reading, before = instance.station.reading(), stood[number]
            queued, busy, *spans, _ = reading
            stood[number] = now = (*spans, instance.arrived, instance.finished)
            changed[number] = [queued, busy, *_since(before, now), int(not instance.is_down)]
            self._idle_instances[number] = None if queued or busy or instance.in_it else OF_INSTANCE(instance)
        return changed

    def _changed_pools(self) -> dict[int, list[int]]:
        changed, had = {}, self._had
        for number in _different(OF_POOL, self._pools, self._idle_pools):
            pool = self._pools[number]
            waiting, in_use, waiting_ns, in_use_ns, acquired = pool.reading()
            now = (in_use_ns, waiting_ns, acquired, pool.timed_out)
            changed[number] = [in_use, waiting, *_since(had[number], now)]
            had[number] = now
            self._idle_pools[number] = None if waiting or in_use else OF_POOL(pool)
        return changed

    def _changed_caches(self) -> dict[int, list[int]]:
        changed = {}
        for number, (cache, before) in enumerate(self._caches):
            now = cache.reading()
            changed[number] = [len(cache.values), cache.counts.loading, *_since(before, now)]
            before[:] = now
        return changed

    def _changed_proxies(self, retries: Counter[Any]) -> dict[int, list[int]]:
        changed, stood = {}, self._were
        retrying = [number for number, (_, _, proxy) in enumerate(self._proxies) if proxy in retries] if retries else []
        for number in sorted({*_different(OF_PROXY, self._proxies, self._idle_proxies), *retrying}):
            kind, _, proxy = placed = self._proxies[number]
            queued, busy, *counts = proxy.station.reading()
            active_retries, is_edge = retries.get(proxy, 0), kind == GATEWAY_KIND and bool(self._edges)
            edge = self._edge(proxy.index) if is_edge else NO_EDGE
            changed[number] = [queued, busy, *_since(stood[number], counts), active_retries, *edge]
            stood[number] = tuple(counts)
            self._idle_proxies[number] = None if queued or busy or active_retries or is_edge else OF_PROXY(placed)
        return changed

    def _write_cpu(self, now_ns: int) -> None:
        for instance, before in self._cpus:
            cores = instance.cores
            assert cores is not None  # noqa: S101 — only those that have them are looked at
            totals = [cores.used_ns, *cores.throttled]
            counts = [new - old for new, old in zip(totals, before, strict=True)]
            before[:] = totals
            self._recorder.cpu.append([now_ns, instance.service, instance.index, cores.computing, *counts])

    def _write_queue(self, now_ns: int, queue: MessageQueue, before: dict[str, int]) -> None:
        totals = {**queue.counts, "there_ns": queue.there_ns}
        since = [total - before[name] for name, total in totals.items()]
        before.update(totals)
        longest = max(line.length + (line.locked is not None) for line in queue.lines) if queue.plan.partitions else queue.waiting
        self._recorder.message_queues.append(
            [now_ns, queue.number, queue.waiting, queue.unacknowledged, queue.delayed, longest, queue.oldest_ns, *since]
        )

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


def _different(read: Callable[[Any], Any], things: list[Any], before: list[Any]) -> list[int]:
    """Numbers of the things that read otherwise than before."""
    return [number for number, (now, then) in enumerate(zip(map(read, things), before, strict=True)) if now != then]


def _since(before: Sequence[int], now: Sequence[int]) -> list[int]:
    return [new - old for new, old in zip(now, before, strict=True)]
