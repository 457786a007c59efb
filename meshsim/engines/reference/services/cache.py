"""A cache that the scripts of an instance read through."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.services.flight import Counts, Flight
from meshsim.engines.reference.services.own_wait import tell
from meshsim.engines.reference.time.clock import Expired, Timers
from meshsim.plan import NONE
from meshsim.portable import ln
from meshsim.randomness import CACHE_HIT, CACHE_KEY, EARLY, TIME_TO_LIVE, uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.services.kept_values import KeptValues, Value
    from meshsim.engines.reference.services.processor import Processor
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job
    from meshsim.plan import Cache as Plan
    from meshsim.plan import Step
    from meshsim.recorder import Recorder


ANY_KEY = 0
"""What all look up where neither the cache nor the load has keys."""


class Reader(Protocol):
    """Who reads through a cache: the worker whose script has the step."""

    def work_through(self, steps: tuple[Step, ...], job: Job) -> Steps:
        """Do these steps; the first failure, or None."""
        ...

    def do_aside(self, job: Job, work: Callable[[Job], Steps]) -> None:
        """Do something for nobody beside everything else, in the name of a request."""
        ...

    def give_up_worker(self, job: Job) -> None:
        """Before a wait, where the service is asynchronous."""
        ...

    def patience(self, job: Job) -> tuple[int, Outcome]:
        """Until when a request waits, NONE for ever, and what it gets then."""
        ...


class Cache:
    """What one instance sees of a cache: its own, or one that all instances share; loads are its own in either case.

    Who misses a key that is being loaded loads it too, or waits for that load (`single_flight`). Go's singleflight gives its error to all
    who wait, and a context that is cancelled is one: they fail with whoever loads, however long they could have waited themselves. Caffeine's
    `Cache.get` computes in the map: an exception is only that of whoever computes, and the next one computes then.

    Early expiration (XFetch): a value that took d to load is loaded again at t where t - d beta ln u reaches its end, u uniform in (0, 1).

    Source: golang.org/x/sync, singleflight/singleflight.go (doNoChan, doCall); Caffeine, Cache.java (get) and ConcurrentHashMap's
    computeIfAbsent; Caffeine, wiki "Refresh" (refreshAfterWrite); Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache
    Stampede Prevention", VLDB 8(8), 2015.
    """

    __slots__ = ("_clock", "_flights", "_plan", "_pod", "_recorder", "_undone", "counts", "name", "processor", "values")

    def __init__(self, clock: Clock, recorder: Recorder, plan: Plan, values: KeptValues, undone: Outcome) -> None:
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._undone = undone
        """What those get who wait for a load that was given up."""
        self._flights: dict[int, Flight] = {}
        """By key."""
        self._pod = 0
        """Whose values these are, where they are not shared."""
        self.name = plan.name
        self.values = values
        self.counts = Counts()
        self.processor: Processor | None = None
        """The meter of the instance's processor time, where a request that waits here holds a worker that does not work."""

    def reading(self) -> list[int]:
        """What has been counted so far, in the order of the columns of `meshsim.records.CACHES`."""
        counts = self.counts
        return [
            counts.hits, counts.stale_hits, counts.misses, counts.coalesced, counts.loads, counts.failed_loads, counts.evictions,
            counts.waited_ns,
        ]  # fmt: skip

    def lose(self) -> None:
        """The instance has stopped, and its memory with it."""
        if not self._plan.is_shared:
            self.values.clear()

    def read(self, reader: Reader, step: Step, job: Job) -> Steps:
        """Find what a request wants, or load it by the steps; the first failure of these, or None."""
        plan, counts = self._plan, self.counts
        if step.lookup and (yield from reader.work_through(step.lookup, job)) is not None:
            counts.misses += 1
            return (yield from self._load(reader, step, job))
        if plan.hit_ratio != NONE:
            if uniform(job.key, CACHE_HIT, step.place) < plan.hit_ratio:
                counts.hits += 1
                return None
            counts.misses += 1
            return (yield from self._load(reader, step, job))
        return (yield from self._read_key(reader, step, job, _key(step, job)))

    def _read_key(self, reader: Reader, step: Step, job: Job, key: int) -> Steps:
        """Find the value of a key, load it, or wait for it."""
        plan, counts, has_waited = self._plan, self.counts, False
        while True:
            flight = self._flights.get(key)
            if self._finds(reader, step, job, key, has_waited=has_waited):
                return None
            if flight is None or not plan.is_single_flight:
                counts.misses += not has_waited
                return (yield from self._load(reader, step, job, key, self._begin_flight(key) if plan.is_single_flight else None))
            counts.coalesced += not has_waited
            has_waited = True
            is_told, failed = yield from self._wait(flight, reader, job)
            if failed is None or plan.shares_failures or not is_told:
                return failed

    def _finds(self, reader: Reader, step: Step, job: Job, key: int, *, has_waited: bool) -> bool:
        """Whether there is a value that may be given; one that is stale is loaded again meanwhile."""
        if self._pod != job.instance.pod:  # another one stands in its place, with nothing in memory
            self._pod = job.instance.pod
            self.lose()
        plan, counts, now_ns = self._plan, self.counts, self._clock.now_ns
        value, is_loading = self.values.find(key), key in self._flights
        if value is None or now_ns >= value.expires_ns + plan.stale_ns:
            return False
        if now_ns >= value.expires_ns:
            counts.stale_hits += not has_waited
            if not is_loading:
                flight = self._begin_flight(key)
                reader.do_aside(job, lambda aside: self._load(reader, step, aside, key, flight))
            return True
        if plan.early and not is_loading and self._is_early(value, step, job):
            return False
        counts.hits += not has_waited
        if plan.extends_on_access:
            value.expires_ns = now_ns + value.lives_ns
        return True

    def _is_early(self, value: Value, step: Step, job: Job) -> bool:
        """Whether a look-up loads a value that is still good."""
        ahead_ns = -value.load_ns * self._plan.early * ln(uniform(job.key, EARLY, step.place))
        return self._clock.now_ns + ahead_ns >= value.expires_ns

    def _begin_flight(self, key: int) -> Flight:
        flight = self._flights[key] = Flight()
        return flight

    def _load(self, reader: Reader, step: Step, job: Job, key: int = NONE, flight: Flight | None = None) -> Steps:
        """Do the steps, and keep what they load; their first failure, or None.

        Args:
            reader: Who does them.
            step: Whose steps.
            job: For which request.
            key: Of what; NONE where it is not kept.
            flight: Where others may wait for it.
        """
        counts, clock = self.counts, self._clock
        counts.loads += 1
        counts.loading += 1
        began_ns, failed = clock.now_ns, self._undone
        try:
            failed = yield from reader.work_through(step.steps, job)
        finally:
            counts.loading -= 1
            if failed is not None:
                counts.failed_loads += 1
            elif key != NONE:
                self._keep(key, clock.now_ns - began_ns, uniform(job.key, TIME_TO_LIVE, step.place))
            if flight is not None:
                del self._flights[key]
                flight.end(failed)
        return failed

    def _keep(self, key: int, load_ns: int, drawn: float) -> None:
        before = self.values.evicted
        value = self.values.put(key)
        self.counts.evictions += self.values.evicted - before
        if value is not None:
            value.load_ns = load_ns
            value.live(self._plan, self._clock.now_ns, drawn)

    def _wait(self, flight: Flight, reader: Reader, job: Job) -> Steps:
        """Wait for another's load: whether its end has come, and its failure or None; or what a request gets that waits no longer."""
        reader.give_up_worker(job)
        since_ns = self._clock.now_ns
        until_ns, too_late = reader.patience(job)
        timer = None if until_ns == NONE else Timers(self._clock, max(0, until_ns - since_ns)).start(too_late)
        if self.processor is not None:
            self.processor.wait(job)
        try:
            return True, (yield from flight.wait(self._clock.active))
        except Expired as expired:
            return False, expired.outcome
        finally:
            if timer is not None:
                timer.task = None
            if self.processor is not None:
                self.processor.go_on(job)
            self.counts.waited_ns += self._clock.now_ns - since_ns
            tell(self._recorder, job, since_ns, self._clock.now_ns)


def _key(step: Step, job: Job) -> int:
    """What a request looks up: a key of the cache's own, the load's, or the one that there is."""
    if step.key_shares:
        return bisect_right(step.key_shares, uniform(job.content, CACHE_KEY, step.key_place))
    return job.request.content_key if job.request.content_key != NONE else ANY_KEY
