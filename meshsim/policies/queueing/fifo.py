"""First in, first out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.queueing.arrival_order import ArrivalOrder
from meshsim.policies.queueing.discipline import QueueDiscipline
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


class FifoState(ArrivalOrder):
    """Those that wait, served from the beginning."""

    __slots__ = ()

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """The oldest."""
        return self._waiting.popitem(last=False)[0]
