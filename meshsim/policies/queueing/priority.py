"""The more important first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting

CLASSES = 4


@policy
class Priority(QueueDiscipline):
    """Serve the most important class that is waiting (`criticality` of the load or route), each class in FIFO order.

    Work that has begun is not interrupted. The least important requests wait for as long as others keep coming.

    Source: Cobham, "Priority assignment in waiting line problems", Operations Research 2(1), 1954; Jetty, QoSHandler.java (getPriority,
    resumeSuspended); HAProxy, `http-request set-priority-class`; for `push_out` Linux, net/sched/sch_skbprio.c (skbprio_enqueue: a full queue
    drops the tail of its lowest class for a packet of a higher one).
    """

    push_out: bool = False
    """Whether a request that finds the queue full takes the place of the newest of the least important class, if that class is less important
    than its own."""

    def build(self, **_: object) -> PriorityState:
        """An empty queue."""
        return PriorityState(self)


class PriorityState(QueueDisciplineState):
    """Those that wait, by class, the oldest first."""

    __slots__ = ("_classes", "_pushes_out")

    def __init__(self, settings: Priority) -> None:
        """Nobody waits."""
        self._pushes_out = settings.push_out
        self._classes: tuple[OrderedDict[Waiting, None], ...] = tuple(OrderedDict() for _ in range(CLASSES))

    def push(self, waiting: Waiting) -> None:
        """At the end of its class."""
        self._classes[waiting.criticality][waiting] = None

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """From the beginning of the most important class."""
        return next(one for one in self._classes if one).popitem(last=False)[0]

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        del self._classes[waiting.criticality][waiting]

    def push_out(self, newcomer: Waiting) -> Waiting | None:
        """The last of the least important class below the newcomer's."""
        if not self._pushes_out:
            return None
        for number in range(CLASSES - 1, newcomer.criticality, -1):
            for waiting in reversed(self._classes[number]):
                if waiting.is_new:
                    return waiting
        return None
