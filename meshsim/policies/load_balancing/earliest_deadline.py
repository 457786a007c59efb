"""Weighted turns by earliest deadline, as Envoy's EDF scheduler takes them."""

from __future__ import annotations

from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class EarliestDeadline:
    """Turns in proportion to weights: who has the earliest deadline goes next, and gets one 1/weight later.

    Equal deadlines go in the order in which they were set.

    Source: Envoy, source/common/upstream/edf_scheduler.h.
    """

    __slots__ = ("_heap", "_order")

    def __init__(self, weights: Sequence[float]) -> None:
        self._heap = [(1.0 / weight, order, order) for order, weight in enumerate(weights)]
        """Deadline, order of setting, position."""
        heapify(self._heap)
        self._order = len(weights)

    def peek(self) -> int:
        """Position whose turn it is; the turn is not taken."""
        return self._heap[0][2]

    def take(self, weight: float) -> int:
        """End the turn of the position whose it is, and whose weight is now `weight`; that position."""
        deadline, _, position = self._heap[0]
        heapreplace(self._heap, (deadline + 1.0 / weight, self._order, position))
        self._order += 1
        return position
