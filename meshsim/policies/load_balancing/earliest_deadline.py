"""Weighted turns by earliest deadline, as Envoy's EDF scheduler takes them."""

from __future__ import annotations

from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PICKS = 429_496_729
"""Envoy takes its random start modulo a tenth of 2^32."""
_A_LITTLE = 1e-13
"""Added to each weight while turns are reckoned and not taken, as in Envoy: of weights 25 and 75 rounding would give the wrong one a turn."""


class EarliestDeadline:
    """Turns in proportion to weights: who has the earliest deadline goes next, and gets one 1/weight later.

    Equal deadlines go in the order in which they were set. A scheduler that begins at its first turn favours the heavy: of weights
    100 and 10 the light one goes eleventh, so that proxies with few requests, or with a list that changes often, never
    get there. Envoy therefore begins after a random number of turns, at a random place in the cycle.

    Source: Envoy, source/common/upstream/edf_scheduler.h (createWithPicks; by default since 1.30, always since 1.34).
    """

    __slots__ = ("_heap", "_order")

    def __init__(self, weights: Sequence[float], picks: int = 0) -> None:
        """Turns of these weights, of which `picks` have been taken.

        All but at most one per weight are reckoned: each has had the whole part of its share of them.
        """
        picks %= MOST_PICKS
        taken = _whole_shares(weights, picks) if picks else [0] * len(weights)
        self._heap = [
            ((count + 1.0) / (weight + _A_LITTLE if picks else weight), order, order)
            for order, (weight, count) in enumerate(zip(weights, taken, strict=True))
        ]
        """Deadline, order of setting, position."""
        heapify(self._heap)
        self._order = len(weights)
        for _ in range(picks - sum(taken)):
            self.take(weights[self.peek()])

    def peek(self) -> int:
        """Position whose turn it is; the turn is not taken."""
        return self._heap[0][2]

    def take(self, weight: float) -> int:
        """End the turn of the position whose it is, and whose weight is now `weight`; that position."""
        deadline, _, position = self._heap[0]
        heapreplace(self._heap, (deadline + 1.0 / weight, self._order, position))
        self._order += 1
        return position


def _whole_shares(weights: Sequence[float], picks: int) -> list[int]:
    """How many of the first `picks` turns each weight has had at least."""
    total = sum(weight + _A_LITTLE for weight in weights)
    shares = []
    for weight in weights:
        share = int((weight + _A_LITTLE) * picks / total)
        if share and share / (weight + _A_LITTLE) >= picks / total:  # rounded up: the last of them may not have come yet
            share -= 1
        shares.append(share)
    return shares
