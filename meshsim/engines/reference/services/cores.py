"""The cores of an instance, which its computations share."""

from __future__ import annotations

from functools import partial
from heapq import heappop, heappush
from math import ceil, inf
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Interrupted
from meshsim.engines.reference.time.station import Station
from meshsim.plan import NONE
from meshsim.policies.cpu import Bandwidth

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps, Task
    from meshsim.plan import Cpu, Service

NEVER = 1 << 62
NEAR_ENOUGH_NS = 0.5
"""Instants are whole nanoseconds: what lacks less than half of one is done."""


class Computation:
    """Something that runs, or waits for its share of a core."""

    __slots__ = ("is_over", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.is_over = False


class Cores:
    """Processor sharing: each computation gets an equal share of the cores, and one core at most.

    It is the limit that a fair scheduler approaches as its time slices become short. All of them progress alike, so that one number
    tells how far: each is done when that has grown by its work. Where there is a quota, all stand still once it is used up.

    Source: Kleinrock, Queueing Systems II, 1976, section 4.4; Linux, Documentation/scheduler/sched-design-CFS.rst ("ideal, precise
    multi-tasking CPU"); for the quota `meshsim.policies.cpu.Bandwidth`.
    """

    __slots__ = (
        "_armed_ns",
        "_at_ns",
        "_bandwidth",
        "_clock",
        "_computing",
        "_cores",
        "_number",
        "_served_ns",
        "_used_ns",
        "computing",
    )

    def __init__(self, clock: Clock, cpu: Cpu, began_ns: int) -> None:
        self._clock = clock
        self._cores = inf if cpu.cores == NONE else cpu.cores
        self._bandwidth = None if cpu.quota_ns == NONE else Bandwidth(cpu.quota_ns, cpu.period_ns, cpu.burst_ns, began_ns)
        self._computing: list[tuple[float, int, Computation]] = []
        """A heap by how far they have to come."""
        self.computing = 0
        """How many there are."""
        self._number = 0
        self._served_ns = 0.0
        """How far each has come that has been there since this was 0."""
        self._used_ns = 0.0
        self._at_ns = 0
        """Until when all this holds."""
        self._armed_ns = NEVER
        """When it will look next."""

    @property
    def at_work(self) -> float:
        """Cores in demand."""
        return min(self.computing, self._cores)

    @property
    def used_ns(self) -> int:
        """Processor time up to now."""
        stands_still = self._bandwidth is not None and self._bandwidth.stands_still
        return round(self._used_ns + (0 if stands_still else self.at_work * (self._clock.now_ns - self._at_ns)))

    @property
    def throttled(self) -> tuple[int, int, int]:
        """How long processors have stood still for want of quota, periods that have ended, and those of them with such a time."""
        quota = self._bandwidth
        if quota is None:
            return 0, 0, 0
        throttled_ns, periods, throttled = quota.counted(self._clock.now_ns, self.at_work)
        return round(throttled_ns), periods, throttled

    def compute(self, work_ns: int) -> Steps:
        """Go on when so much work is done."""
        self._advance()
        computation = Computation(self._clock.active)
        self._number += 1
        heappush(self._computing, (self._served_ns + work_ns, self._number, computation))
        self.computing += 1
        self._look_ahead()
        try:
            yield PARK
        except Interrupted:
            if not computation.is_over:
                self._advance()
                computation.is_over = True
                self.computing -= 1
                self._look_ahead()
            raise

    def _advance(self) -> None:
        """Account for the time since the last change."""
        now_ns = self._clock.now_ns
        at_work = self.at_work
        ran_ns = now_ns - self._at_ns if self._bandwidth is None else self._bandwidth.advance(now_ns, at_work)
        self._at_ns = now_ns
        if at_work:
            self._used_ns += at_work * ran_ns
            self._served_ns += ran_ns * (at_work / self.computing)

    def _look_ahead(self) -> None:
        """See to it that it looks again as soon as anything can happen."""
        heap = self._computing
        while heap and heap[0][2].is_over:
            heappop(heap)
        if not heap:
            self._served_ns = 0.0
            return
        quota, at_work = self._bandwidth, self.at_work
        if quota is not None and quota.stands_still:
            due_ns = quota.refill_ns
        else:
            lacks_ns = (heap[0][0] - self._served_ns) * (self.computing / at_work)
            due_ns = self._at_ns + max(0, ceil(lacks_ns - NEAR_ENOUGH_NS))
            if quota is not None:
                due_ns = min(due_ns, quota.exhausted_ns(at_work), quota.refill_ns)
        if due_ns < self._armed_ns:
            self._armed_ns = due_ns
            self._clock.call_at(due_ns, partial(self._look, due_ns))

    def _look(self, due_ns: int) -> None:
        """Wake those that are done; nothing where it has looked earlier instead."""
        if due_ns != self._armed_ns:
            return
        self._armed_ns = NEVER
        self._advance()
        heap, nearly_ns = self._computing, self._served_ns + NEAR_ENOUGH_NS
        while heap and (heap[0][2].is_over or heap[0][0] <= nearly_ns):
            computation = heappop(heap)[2]
            if not computation.is_over:
                computation.is_over = True
                self.computing -= 1
                computation.task.wake()
        self._look_ahead()


class OpenStation(Station):
    """Nobody waits to begin: what is scarce are the cores, and those are what is busy."""

    __slots__ = ("_cores",)

    def __init__(self, clock: Clock, capacity: float, cores: Cores) -> None:
        super().__init__(clock, capacity)
        self._cores = cores

    @property
    def busy_ns(self) -> int:
        """Processor time up to now."""
        return self._cores.used_ns

    @property
    def load(self) -> float:
        """Computations for each core that they can use for long; what waits for a call is neither at work nor ready to be."""
        return self._cores.computing / self.workers

    def reading(self) -> tuple[int, int, int, int, int]:
        """As of any station, with processor time in place of held workers."""
        return 0, self.busy, 0, self.busy_ns, self.passed

    def take_free(self) -> bool:
        """Begin."""
        self.busy += 1
        self.passed += 1
        return True

    def release(self) -> None:
        """End."""
        self.busy -= 1


def station_of(clock: Clock, service: Service, cores: Cores | None) -> Station:
    """The workers of an instance, or a station without any, where nothing but its cores is scarce."""
    if cores is None or service.workers:
        return Station(clock, service.workers)
    return OpenStation(clock, service.servers, cores)
