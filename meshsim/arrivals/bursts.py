"""A rate that goes up and down by chance, and stays so for a while.

Source: Fischer and Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", Performance Evaluation 18(2), 1993; Willinger,
Taqqu, Sherman and Wilson, "Self-similarity through high-variability", IEEE/ACM Transactions on Networking 5(1), 1997 (many sources whose
busy and quiet times have heavy tails).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from meshsim.randomness import BURST, call_key, uniform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.arrivals.segment import Segment
    from meshsim.distributions import Distribution

LENGTHS = 256
"""Lengths of a state that stand for all when the load finds a source in the middle of one."""


class State(NamedTuple):
    """One of the states of a source."""

    intensity: float
    """In comparison with the other states."""
    lasts: Distribution


@dataclass(frozen=True, slots=True)
class Bursts:
    """Sources that go through states, each at its own time; the rate follows the sum of their intensities.

    Its mean over time is the rate that there would be without bursts. A load begins in the middle of things: what state a source is in, and
    for how long still, are drawn as an observer would find it who comes at any time.
    """

    states: tuple[State, ...]
    sources: int

    def over(self, segments: Iterable[Segment], root: int) -> Iterator[Segment]:
        """The segments in pieces, cut wherever a source goes on to its next state."""
        states, heap, keys = self.states, list[tuple[int, int, int, int]](), list[int]()
        mean = self.mean_intensity * self.sources
        now_ns, total = -1, 0.0
        for segment in segments:
            if now_ns < 0:
                now_ns = segment.start_ns
                keys = [call_key(root + BURST, source) for source in range(self.sources)]
                heap = [self._found(source, keys[source], now_ns) for source in range(self.sources)]
                heapify(heap)
                total = sum(states[state].intensity for _, _, state, _ in heap)
            end_ns = segment.start_ns + segment.duration_ns
            while now_ns < end_ns:
                until_ns, source, state, turn = heap[0]
                next_ns = min(until_ns, end_ns)
                if next_ns > now_ns:
                    yield segment.part(now_ns, next_ns, total / mean, total / mean)
                    now_ns = next_ns
                if next_ns == until_ns:
                    entered = (state + 1) % len(states)
                    lasts_ns = round(states[entered].lasts.quantile(uniform(keys[source], BURST, turn)))
                    total = total - states[state].intensity + states[entered].intensity
                    heapreplace(heap, (until_ns + max(1, lasts_ns), source, entered, turn + 1))

    @property
    def pieces_per_ns(self) -> float:
        """Changes of state in a nanosecond, of all sources."""
        return self.sources * len(self.states) / sum(state.lasts.mean_ns for state in self.states)

    @property
    def mean_intensity(self) -> float:
        """Of one source, over a long time."""
        means_ns = [state.lasts.mean_ns for state in self.states]
        return sum(state.intensity * mean_ns for state, mean_ns in zip(self.states, means_ns, strict=True)) / sum(means_ns)

    def _found(self, source: int, key: int, now_ns: int) -> tuple[int, int, int, int]:
        """When a source goes on, which state it is found in, and the number of its next draw.

        Longer stays are met more often, in proportion to their length, and at any point with the same chance (Feller, An Introduction to
        Probability Theory and Its Applications II, 2nd ed. 1971, section XI.4).
        """
        shares = list(accumulate(state.lasts.mean_ns for state in self.states))
        state = min(bisect_right(shares, uniform(key, BURST, 0) * shares[-1]), len(shares) - 1)
        lengths = [self.states[state].lasts.quantile((number + 0.5) / LENGTHS) for number in range(LENGTHS)]
        bounds = list(accumulate(lengths))
        length_ns = lengths[min(bisect_right(bounds, uniform(key, BURST, 1) * bounds[-1]), LENGTHS - 1)]
        return now_ns + max(1, round(length_ns * uniform(key, BURST, 2))), source, state, 3
