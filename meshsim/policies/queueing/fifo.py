"""First in, first out."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting


@policy
class Fifo(QueueDiscipline):
    """Serve the request that has waited longest.

    Source: Kleinrock, "Queueing Systems", volume 1, 1975; what thread pools do (Java, ThreadPoolExecutor over a LinkedBlockingQueue).
    """

    def build(self, **_: object) -> FifoState:
        """An empty queue."""
        return FifoState()


class FifoState(QueueDisciplineState):
    """Those that wait, the oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def push(self, waiting: Waiting) -> None:
        """At the end."""
        self._waiting[waiting] = None

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """From the beginning."""
        return self._waiting.popitem(last=False)[0]

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        del self._waiting[waiting]
