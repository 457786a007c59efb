"""Last in, first out."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting


@policy
class Lifo(QueueDiscipline):
    """Serve the newest request, whose caller is the most likely to be still waiting.

    The mean wait is that of FIFO, but waits vary more, and under overload requests at the bottom stay there. Use it with a `max_wait`, or
    with callers that time out.

    Source: Netflix concurrency-limits, LifoBlockingLimiter; Kleinrock, "Queueing Systems", volume 2, 1976, section 3.2 on disciplines that
    do not look at the work.
    """

    def build(self, **_: object) -> LifoState:
        """An empty queue."""
        return LifoState()


class LifoState(QueueDisciplineState):
    """Those that wait, the oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def push(self, waiting: Waiting) -> None:
        """On top."""
        self._waiting[waiting] = None

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """From the top."""
        return self._waiting.popitem()[0]

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        del self._waiting[waiting]
