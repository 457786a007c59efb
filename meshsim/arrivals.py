"""When an open load's requests arrive: a rate over time, or the time stamps of a file.

The n-th gap of a Poisson load is drawn by the key of its n-th request and not from a stream, so that the same request arrives at
the same instant whatever else changes. The rate may be a polygon: arrivals at rate one are mapped through the inverse of the
cumulated rate (Cinlar, Introduction to Stochastic Processes, 1975, section 4.7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from meshsim.portable import ln
from meshsim.randomness import ARRIVAL, request_key, uniform
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class Segment(NamedTuple):
    """A stretch of time over which the rate goes in a straight line."""

    start_ns: int
    duration_ns: int
    from_rate: float
    """Requests per second at the beginning."""
    to_rate: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Arrivals at a rate, evenly spaced or Poisson."""

    segments: tuple[Segment, ...]
    is_poisson: bool

    def times_ns(self, root: int) -> Iterator[int]:
        """Instants of arrival in nanoseconds, in order.

        Args:
            root: The load's root key (`randomness.root_key`).
        """
        number = 0
        target = -ln(uniform(request_key(root, 0), ARRIVAL)) if self.is_poisson else 0.0
        passed = 0.0
        for segment in self.segments:
            seconds = segment.duration_ns / NS_PER_S
            area = (segment.from_rate + segment.to_rate) / 2 * seconds
            slope = (segment.to_rate - segment.from_rate) / seconds if seconds else 0.0
            while target - passed < area:
                offset_ns = round(_when(target - passed, segment.from_rate, slope) * NS_PER_S)
                if offset_ns >= segment.duration_ns:
                    break  # rounded onto the end, which the segment does not include
                yield segment.start_ns + offset_ns
                number += 1
                target += -ln(uniform(request_key(root, number), ARRIVAL)) if self.is_poisson else 1.0
            passed += area


@dataclass(frozen=True, slots=True)
class Recorded:
    """Arrivals at given instants."""

    stamps_ns: np.ndarray
    """int64, sorted, shape (requests,)."""
    until_ns: int
    """Later ones are left out."""

    def times_ns(self, root: int) -> Iterator[int]:  # noqa: ARG002 — nothing is drawn
        """Instants of arrival in nanoseconds, in order."""
        for stamp_ns in self.stamps_ns.tolist():
            if stamp_ns >= self.until_ns:
                return
            yield stamp_ns


Arrivals = Profile | Recorded


def _when(area: float, rate: float, slope: float) -> float:
    """Seconds after which a rate that begins at `rate` and grows by `slope` per second has cumulated `area`."""
    if area <= 0:
        return 0.0
    root = rate * rate + 2 * slope * area
    return 2 * area / (rate + math.sqrt(max(root, 0.0)))
