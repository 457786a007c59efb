"""What can happen to an instance beside requests: it slows down, fails, crashes, stops, cannot be reached."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.time.clock import Crashed
from meshsim.engines.reference.time.outcome import CALLER_GONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Task
    from meshsim.plan import Failing


class Living(Protocol):
    """What dies with an instance: a request in it, or a call that it has let go."""

    task: Task


class Condition:
    """The state of an instance that faults and its lifecycle change."""

    __slots__ = (
        "_crashes", "_jobs", "_outages", "_slow_downs", "arrived", "failing", "failing_at_once", "finished", "incarnation", "is_down", "is_gone",
        "is_listed", "is_unreachable", "on_change", "on_empty", "pod", "slowness",
    )  # fmt: skip

    def __init__(self, *, may_crash: bool) -> None:
        self.slowness = 1.0
        """How many times as long as usual its work takes."""
        self._slow_downs: list[float] = []
        self._crashes = 0
        self.is_gone = False
        """Whether it takes no requests: it is down, or cannot be reached."""
        self.is_down = False
        """Whether it refuses connections."""
        self._outages = 0
        self.is_unreachable = False
        """Whether messages to it and from it are lost."""
        self.failing: tuple[Failing, ...] = ()
        """Faults that make some of its requests fail after their work."""
        self.failing_at_once: tuple[Failing, ...] = ()
        """Those that make some fail without any."""
        self.incarnation = 0
        """Raised whenever it stops: connections that were made before are dead."""
        self.pod = 0
        """Raised whenever another one takes its place: an address that was known before is nobody's."""
        self.is_listed = True
        """Whether the registry has it, and it takes requests."""
        self._jobs: dict[Living, None] | None = {} if may_crash else None
        """What is in it, kept only where something can kill it."""
        self.on_empty: Callable[[], object] | None = None
        """Called whenever the last request in it has ended, and the last call that it has let go, where something can kill it."""
        self.on_change: Callable[[], object] | None = None
        """Called whenever it has gone or come back, where anybody wants to know."""
        self.arrived = 0
        self.finished = 0

    def crash(self) -> None:
        """Lose all requests and refuse new ones."""
        self._crashes += 1
        self.is_down = self.is_gone = True
        self.incarnation += 1
        for job in list(self._jobs or ()):
            job.task.interrupt(Crashed(CALLER_GONE))
        self._tell()

    def restart(self) -> None:
        """Take requests again, with an empty queue, unless another crash still lasts."""
        self._crashes -= 1
        self.is_down = self._crashes > 0
        self.is_gone = self.is_down or self.is_unreachable
        self._tell()

    def close(self) -> None:
        """Refuse what comes; what is in it goes on."""
        self._crashes += 1
        self.is_down = self.is_gone = True
        self.incarnation += 1
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()

    @property
    def is_at_work(self) -> bool:
        """Whether there is a request in it, or a call that it has let go; only where something can kill it."""
        return bool(self._jobs)

    def _look_whether_empty(self) -> None:
        """What was in it has ended."""
        if self.on_empty is not None and not self._jobs:
            self.on_empty()

    def end(self) -> None:
        """Lose what is still in it; after `close`."""
        for job in list(self._jobs or ()):
            job.task.interrupt(Crashed(CALLER_GONE))

    @property
    def in_it(self) -> int:
        """Requests that it works on, those that wait included."""
        return self.arrived - self.finished

    def cut_off(self) -> None:
        """Messages to it and from it are lost from now on."""
        self._outages += 1
        self.is_unreachable = self.is_gone = True
        self._tell()

    def reconnect(self) -> None:
        """It can be reached again, unless another outage still lasts; what was lost stays lost."""
        self._outages -= 1
        self.is_unreachable = self._outages > 0
        self.is_gone = self.is_down or self.is_unreachable
        self._tell()

    def fail_some(self, failing: Failing) -> None:
        """Let some of its requests fail; two such faults at once are independent, and the first of them decides what both strike."""
        if failing.latency is None:
            self.failing = (*self.failing, failing)
        else:
            self.failing_at_once = (*self.failing_at_once, failing)

    def fail_less(self, failing: Failing) -> None:
        """End one of those."""
        self.failing = tuple(one for one in self.failing if one is not failing)
        self.failing_at_once = tuple(one for one in self.failing_at_once if one is not failing)

    def slow_down(self, factor: float) -> None:
        """Take so many times as long for all work that begins from now on."""
        self._slow_downs.append(factor)
        self.slowness = prod(self._slow_downs)

    def speed_up(self, factor: float) -> None:
        """End a slow-down; without any the slowness is 1 again, not 1 but for rounding."""
        self._slow_downs.remove(factor)
        self.slowness = prod(self._slow_downs, start=1.0)
