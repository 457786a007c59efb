"""A rate that swings: the hours of a day, the days of a week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.portable import cosine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.arrivals.segment import Segment

STEPS = 360
"""Straight lines in a period: the rate is nowhere off by more than 4e-5 of the amplitude."""


@dataclass(frozen=True, slots=True)
class Sinusoid:
    """A factor of the rate: 1 + amplitude x cos(2 pi (t - peak) / period).

    Source: Eick, Massey and Whitt, "M_t/G/infinity queues with sinusoidal arrival rates", Management Science 39(2), 1993.
    """

    amplitude: float
    """From 0 to 1."""
    period_ns: int
    peak_ns: int
    """One of the instants at which the rate is highest."""

    def factor(self, now_ns: float) -> float:
        """What the rate is multiplied by at an instant."""
        return 1.0 + self.amplitude * cosine((now_ns - self.peak_ns) / self.period_ns)

    @property
    def pieces_per_ns(self) -> float:
        """Straight lines in a nanosecond."""
        return STEPS / self.period_ns

    def over(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """The segments in pieces, each with the right rate at its ends."""
        for segment in segments:
            now_ns, end_ns = segment.start_ns, segment.start_ns + segment.duration_ns
            while now_ns < end_ns:
                step = (now_ns - self.peak_ns) * STEPS // self.period_ns + 1
                next_ns = min(end_ns, max(now_ns + 1, self.peak_ns + -(-step * self.period_ns // STEPS)))
                yield segment.part(now_ns, next_ns, self.factor(now_ns), self.factor(next_ns))
                now_ns = next_ns
