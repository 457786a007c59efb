"""The processor time of an instance: workers that compute, and not those that wait for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.station import Station
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.server import Job


class Meter(Protocol):
    """What tells the processor time of an instance."""

    @property
    def used_ns(self) -> int:
        """Processor time up to now."""
        ...


class Processor:
    """Workers at work, integrated over time: those that are held, less those whose requests wait for calls."""

    __slots__ = ("_clock", "_ended_ns", "_station", "_waiting")

    def __init__(self, clock: Clock, station: Station) -> None:
        self._clock = clock
        self._station = station
        self._waiting: dict[Job, int] = {}
        """Requests that hold a worker and wait, each with how many calls it waits for."""
        self._ended_ns = 0
        """All ends of waiting minus all beginnings so far; with what waits now it makes the integral."""

    @property
    def used_ns(self) -> int:
        """Processor time up to now."""
        return self._station.busy_ns - self._ended_ns - len(self._waiting) * self._clock.now_ns

    def wait(self, job: Job) -> None:
        """A request waits for one call more."""
        if not job.holds_worker:
            return
        calls = self._waiting.get(job, 0)
        if not calls:
            self._ended_ns -= self._clock.now_ns
        self._waiting[job] = calls + 1

    def go_on(self, job: Job) -> None:
        """A call has ended."""
        if not job.holds_worker:
            return
        calls = self._waiting[job] - 1
        if calls:
            self._waiting[job] = calls
        else:
            del self._waiting[job]
            self._ended_ns += self._clock.now_ns


class WaitingLayer:
    """Outermost around the calls of a script that holds its worker meanwhile: that one is not at work."""

    __slots__ = ("_inner", "_processor")

    def __init__(self, inner: Handler, processor: Processor) -> None:
        self._inner = inner
        self._processor = processor

    def call(self, call: Call) -> Steps:
        """Call, and wait."""
        job = call.parent
        if job is None:  # nobody waits for it
            return (yield from self._inner.call(call))
        self._processor.wait(job)
        try:
            return (yield from self._inner.call(call))
        finally:
            self._processor.go_on(job)
