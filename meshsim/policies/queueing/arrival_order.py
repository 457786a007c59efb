"""A queue that keeps the order of arrival, for disciplines that serve one of its ends."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDisciplineState

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting


class ArrivalOrder(QueueDisciplineState):
    """Those that wait, the oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()

    def push(self, waiting: Waiting) -> None:
        """At the end."""
        self._waiting[waiting] = None

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        del self._waiting[waiting]
