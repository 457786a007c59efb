"""First in, first out while the queue is short, last in, first out while it is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.queueing.arrival_order import ArrivalOrder
from meshsim.policies.queueing.discipline import QueueDiscipline
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


class AdaptiveLifoState(ArrivalOrder):
    """Those that wait, served from the beginning or from the end."""

    __slots__ = ("_threshold",)

    def __init__(self, settings: AdaptiveLifo) -> None:
        """Nobody waits."""
        super().__init__()
        self._threshold = settings.switch_threshold

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """From the end that the length of the queue says."""
        return self._waiting.popitem(last=len(self._waiting) > self._threshold)[0]
