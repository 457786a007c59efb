"""The most urgent first."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, ClassVar

from meshsim.policies.queueing.discipline import NO_DEADLINE, QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting

NEVER = 1 << 63
"""The deadline of those that have none: after all others."""


@policy
class EarliestDeadlineFirst(QueueDiscipline):
    """Serve the request whose callers give up first; requests without a deadline come last, in FIFO order.

    A deadline is the earliest of the timeouts around the call, and of those around its caller where that has `deadline_propagation`. A
    request that can no longer make its deadline is still the most urgent: under overload one after the other is served too late, unless the
    service has a `max_wait`, or `deadline_propagation` itself, with which they cost no work.

    Source: Liu and Layland, "Scheduling algorithms for multiprogramming in a hard-real-time environment", Journal of the ACM 20(1), 1973;
    Panwar, Towsley and Wolf, "Optimal scheduling policies for a class of queues with customer deadlines to the beginning of service", Journal
    of the ACM 35(4), 1988.
    """

    reads_deadlines: ClassVar[bool] = True

    def build(self, **_: object) -> EarliestDeadlineFirstState:
        """An empty queue."""
        return EarliestDeadlineFirstState()


class EarliestDeadlineFirstState(QueueDisciplineState):
    """Those that wait in a heap, some of which have left by now."""

    __slots__ = ("_gone", "_heap", "_number")

    def __init__(self) -> None:
        """Nobody waits."""
        self._heap: list[tuple[int, int, Waiting]] = []
        self._gone: set[Waiting] = set()
        self._number = 0

    def push(self, waiting: Waiting) -> None:
        """By its deadline, after those that have the same."""
        self._number += 1
        deadline_ns = NEVER if waiting.deadline_ns == NO_DEADLINE else waiting.deadline_ns
        heappush(self._heap, (deadline_ns, self._number, waiting))

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """The first that has not left."""
        while (waiting := heappop(self._heap)[2]) in self._gone:
            self._gone.remove(waiting)
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """It is passed over when its turn comes, or tidied away with others."""
        self._gone.add(waiting)
        if 2 * len(self._gone) > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2] not in self._gone]
            heapify(self._heap)
            self._gone.clear()
