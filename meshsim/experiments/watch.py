"""What a run may take while it goes on: memory, and events that lead nowhere.

A run that would end in an abort, or never, is ended in time, with what was simulated until then.
"""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from meshsim.planning import volume

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from meshsim.engines.reference import Progress
    from meshsim.plan import Plan

MOST_OF_MEMORY = 0.85
"""Share of what the machine lets a process have. The rest is for the summary, and for others."""
LOOKS_PER_READING = 8
STALLED_EVENTS = 1_000_000
"""In a millionth of the run, beside those of requests that begin in it: hundreds of times as many as even a run that takes a day has."""
EVENTS_PER_REQUEST, EVENTS_PER_CALL = 50, 10
"""All users may begin in one instant, and each may make many calls."""
LATER_EVENTS = 3_000_000
"""After the load has ended, and besides 20 times as many as there were until then."""
LATEST_NS = 2**62
"""146 years: the tables hold nanoseconds in 64 bits."""
OFF = "or write run.limits: false to go on regardless"
STATM, CGROUP = Path("/proc/self/statm"), Path("/sys/fs/cgroup/memory.max")


class Watch:
    """Says when a run has to end, and why.

    Args:
        plan: What is run.
        memory: Bytes that can be had.
    """

    def __init__(self, plan: Plan, memory: float) -> None:
        self._most = memory
        self._window_ns = plan.duration_ns // 1_000_000
        requests = sum(map(volume.requests_of, plan.sources))
        called = sum(volume.calls(plan, past_filters=True)) / requests if requests else 0.0
        self._per_request = EVENTS_PER_REQUEST + EVENTS_PER_CALL * called
        self._duration_ns = plan.duration_ns
        self._looks = 0
        self._since_ns = self._since_events = self._since_requests = 0
        self._at_the_end = 0

    def why_end(self, now: Progress) -> str:
        """Why the run has to end here; empty where it may go on."""
        if now.now_ns > LATEST_NS:
            return f"{_simulated(now)}, more than a century: requests take for ever (`compute`, `slow`) or wait for those that do"
        if now.now_ns - self._since_ns > self._window_ns:
            self._since_ns, self._since_events, self._since_requests = now.now_ns, now.events, now.requests
        elif now.events - self._since_events > STALLED_EVENTS + self._per_request * (now.requests - self._since_requests):
            return (
                f"{now.events - self._since_events:,} events in {now.now_ns - self._since_ns:,} ns of simulated time: something"
                f" goes on without end and without a wait (retries with a back-off of 0s, intervals of nanoseconds); {OFF}"
            )
        if now.now_ns <= self._duration_ns:
            self._at_the_end = now.events
        elif now.events - self._at_the_end > LATER_EVENTS + 20 * self._at_the_end:
            return (
                f"{now.events - self._at_the_end:,} events since the load ended at {self._duration_ns / 1e9:,.10g} s, and still no end:"
                f" {now.live:,} tasks are under way; look for work that takes for ever (`compute`, `slow`), num_retries that multiply and waits"
                f" without a timeout; {OFF}"
            )
        self._looks += 1
        if self._looks % LOOKS_PER_READING == 0 and (used := used_bytes()) > self._most * MOST_OF_MEMORY:
            return (
                f"memory runs out: {used / 2**30:,.1f} of {self._most / 2**30:,.1f} GiB are used, and {_simulated(now)} with"
                f" {now.requests:,} requests; {now.live:,} tasks are under way: ask for a lower rate or fewer users, or bound what"
                f" waits (queue.limit, max_pending_requests, timeouts); {OFF}"
            )
        return ""


def _simulated(now: Progress) -> str:
    return f"{now.now_ns / 1e9:,.10g} s are simulated"


def available_bytes() -> float:
    """Memory that this process may have: the least of what the machine, its container and `ulimit -v` let it."""
    limits = [_address_space()]
    with suppress(OSError, ValueError):
        limits.append(float(CGROUP.read_text(encoding="ascii")))
    with suppress(OSError, ValueError, AttributeError):
        limits.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    return min(limits)


def used_bytes() -> float:
    """Memory that this process has now, counted as its limit is; 0 where the system does not say."""
    with suppress(OSError, ValueError, AttributeError):
        size, resident = map(int, STATM.read_bytes().split()[:2])
        return float(os.sysconf("SC_PAGE_SIZE") * (resident if math.isinf(_address_space()) else size))
    return 0.0


def _address_space() -> float:
    """The limit of `ulimit -v`; infinite where there is none."""
    if sys.platform == "win32":
        return math.inf
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return math.inf if soft == resource.RLIM_INFINITY else float(soft)
