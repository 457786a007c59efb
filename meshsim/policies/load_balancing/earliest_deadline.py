"""Weighted turns by earliest deadline, as Envoy's EDF scheduler takes them."""

from __future__ import annotations


class EarliestDeadline:
    """Turns in proportion to weights: who has the earliest deadline goes next, and gets one 1/weight later.

    Equal deadlines go in the order in which they were set.

    Source: Envoy, source/common/upstream/edf_scheduler.h.
    """

    __slots__ = ("_deadlines", "_order", "_orders")

    def __init__(self, weights: list[float]) -> None:
        self._deadlines = [1.0 / weight for weight in weights]
        self._orders = list(range(len(weights)))
        self._order = len(weights)

    def peek(self) -> int:
        """Index whose turn it is; the turn is not taken."""
        best = 0
        for index in range(1, len(self._deadlines)):
            if self._deadlines[index] < self._deadlines[best] or (
                self._deadlines[index] == self._deadlines[best] and self._orders[index] < self._orders[best]
            ):
                best = index
        return best

    def take(self, index: int, weight: float) -> None:
        """End the turn of `index`, whose weight is now `weight`."""
        self._deadlines[index] += 1.0 / weight
        self._orders[index] = self._order
        self._order += 1
