"""First in, first out while the queue is short, last in, first out while it is long."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy
from meshsim.units import Count

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting


@policy
class AdaptiveLifo(QueueDiscipline):
    """Serve the request that has waited longest, but the newest one while at least `switch_threshold` others wait.

    A short queue is served in order. In a long one the oldest requests have little chance to be answered in time, and the newest have.

    Source: Maurer, "Fail at Scale", ACM Queue 13(8), 2015, "Adaptive LIFO"; HHVM, hphp/util/job-queue.h (dequeueMaybeExpiredImpl,
    m_lifoSwitchThreshold: of the jobs that are left behind).
    """

    switch_threshold: Count
    """How many other requests must be waiting for the newest to be served first; HHVM's `thread_job_lifo_switch_threshold`."""

    def build(self, **_: object) -> AdaptiveLifoState:
        """An empty queue."""
        return AdaptiveLifoState(self)


class AdaptiveLifoState(QueueDisciplineState):
    """Those that wait, the oldest first."""

    __slots__ = ("_threshold", "_waiting")

    def __init__(self, settings: AdaptiveLifo) -> None:
        """Nobody waits."""
        self._threshold = settings.switch_threshold
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def push(self, waiting: Waiting) -> None:
        """At the end."""
        self._waiting[waiting] = None

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """From the end that the length of the queue says."""
        return self._waiting.popitem(last=len(self._waiting) > self._threshold)[0]

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        del self._waiting[waiting]
