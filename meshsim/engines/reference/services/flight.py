"""A load for which others wait, and what is counted of loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Interrupted

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps, Task
    from meshsim.engines.reference.time.outcome import Outcome


class Counts:
    """What a cache has done so far at one instance. Each look-up is a hit, a stale hit, a miss, or waits for another's load."""

    __slots__ = ("coalesced", "evictions", "failed_loads", "hits", "loading", "loads", "misses", "stale_hits", "waited_ns")

    def __init__(self) -> None:
        self.loading = 0
        """Loads under way."""
        self.hits = self.stale_hits = self.misses = self.coalesced = 0
        self.loads = self.failed_loads = self.evictions = 0
        self.waited_ns = 0
        """What those waited for another's load whose wait is over."""


class Flight:
    """A load for which others wait."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Task, None] = {}

    def wait(self, task: Task) -> Steps:
        """Wait in the active task for the end of the load: how it went."""
        self._waiting[task] = None
        try:
            failed: Outcome | None = yield PARK
        except Interrupted:
            self._waiting.pop(task, None)
            raise
        return failed

    def end(self, failed: Outcome | None) -> None:
        """All who wait go on with this, in the order in which they came."""
        for task in self._waiting:
            task.wake(failed)
        self._waiting.clear()
