"""When an open load's requests arrive: a rate over time.

The n-th gap of a Poisson load is drawn by the key of its n-th request and not from a stream, so that the same request arrives at
the same instant whatever else changes. The rate may be a polygon: arrivals at rate one are mapped through the inverse of the
cumulated rate (Cinlar, Introduction to Stochastic Processes, 1975, section 4.7). Evenly spaced ones are mapped in the same way, as in k6:
one comes whenever the cumulated rate has grown by one.

Source: k6, lib/executor/constant_arrival_rate.go (the n-th iteration comes n periods after the start, the 0th at once) and
ramping_arrival_rate.go (`cal`: the n-th comes when the area under the rate is n, the first at 1; an iteration that is due as a stage ends
comes then). k6 cuts each instant down to whole nanoseconds, and the constant period too; here they are rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.arrivals.draws import draws
from meshsim.arrivals.segment import Segment
from meshsim.portable import ln
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.arrivals.bursts import Bursts
    from meshsim.arrivals.sinusoid import Sinusoid

__all__ = ["Profile", "Segment"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Arrivals at a rate, evenly spaced or Poisson."""

    segments: tuple[Segment, ...]
    is_poisson: bool
    before_first: float = 0.0
    """Of evenly spaced ones: the cumulated rate at which the first arrives."""
    sinusoid: Sinusoid | None = None
    """What the rate swings by, about that of the segments."""
    bursts: Bursts | None = None
    """What makes the rate go up and down by chance; its mean is what it would be without."""

    def arrive(self, root: int) -> Iterator[tuple[int, int]]:
        """Instants of arrival in nanoseconds, in order, each with its request's key.

        Args:
            root: The load's root key (`randomness.root_key`).
        """
        drawing = draws(root)
        key, drawn = next(drawing)
        target = -ln(drawn) if self.is_poisson else self.before_first
        passed = 0.0
        for segment in self._shaped(root):
            seconds = segment.duration_ns / NS_PER_S
            area = (segment.from_rate + segment.to_rate) / 2 * seconds
            slope = (segment.to_rate - segment.from_rate) / seconds if seconds else 0.0
            while target - passed <= area:
                offset_ns = round(_when(target - passed, segment.from_rate, slope) * NS_PER_S)
                if offset_ns >= segment.duration_ns:
                    break  # the end belongs to the next segment, and that of the last one to nobody
                yield segment.start_ns + offset_ns, key
                key, drawn = next(drawing)
                target += -ln(drawn) if self.is_poisson else 1.0
            passed += area

    @property
    def expected(self) -> float:
        """Requests of the whole load, in the mean over whole periods of the sinusoid."""
        return sum((one.from_rate + one.to_rate) / 2 * one.duration_ns / NS_PER_S for one in self.segments)

    @property
    def pieces(self) -> float:
        """How many straight lines the rate has because of its shapes, in the mean."""
        lasts_ns = sum(one.duration_ns for one in self.segments)
        return sum(lasts_ns * shape.pieces_per_ns for shape in (self.sinusoid, self.bursts) if shape is not None)

    def rate_at(self, now_ns: float) -> float:
        """Requests per second at an instant, in the mean over bursts."""
        for segment in self.segments:
            if 0 <= now_ns - segment.start_ns < segment.duration_ns:
                return segment.rate_at(now_ns) * (1.0 if self.sinusoid is None else self.sinusoid.factor(now_ns))
        return 0.0

    def _shaped(self, root: int) -> Iterable[Segment]:
        """The segments, cut where the rate does not go in a straight line."""
        segments: Iterable[Segment] = self.segments
        if self.sinusoid is not None:
            segments = self.sinusoid.over(segments)
        return segments if self.bursts is None else self.bursts.over(segments, root)


def _when(area: float, rate: float, slope: float) -> float:
    """Seconds after which a rate that begins at `rate` and grows by `slope` per second has cumulated `area`."""
    if area <= 0:
        return 0.0
    root = rate * rate + 2 * slope * area
    return 2 * area / (rate + math.sqrt(max(root, 0.0)))
