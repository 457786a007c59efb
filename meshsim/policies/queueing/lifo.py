"""Last in, first out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.queueing.arrival_order import ArrivalOrder
from meshsim.policies.queueing.discipline import QueueDiscipline
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


class LifoState(ArrivalOrder):
    """Those that wait, served from the end."""

    __slots__ = ()

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """The newest."""
        return self._waiting.popitem()[0]
