"""When an open load's requests arrive: a rate over time, or the time stamps of a file.

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
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from meshsim.portable import ln
from meshsim.randomness import ARRIVAL
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


BLOCK = 1024


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
    before_first: float = 0.0
    """Of evenly spaced ones: the cumulated rate at which the first arrives."""

    def arrive(self, root: int) -> Iterator[tuple[int, int]]:
        """Instants of arrival in nanoseconds, in order, each with its request's key.

        Args:
            root: The load's root key (`randomness.root_key`).
        """
        draws = _draws(root)
        key, drawn = next(draws)
        target = -ln(drawn) if self.is_poisson else self.before_first
        passed = 0.0
        for segment in self.segments:
            seconds = segment.duration_ns / NS_PER_S
            area = (segment.from_rate + segment.to_rate) / 2 * seconds
            slope = (segment.to_rate - segment.from_rate) / seconds if seconds else 0.0
            while target - passed <= area:
                offset_ns = round(_when(target - passed, segment.from_rate, slope) * NS_PER_S)
                if offset_ns >= segment.duration_ns:
                    break  # the end belongs to the next segment, and that of the last one to nobody
                yield segment.start_ns + offset_ns, key
                key, drawn = next(draws)
                target += -ln(drawn) if self.is_poisson else 1.0
            passed += area


@dataclass(frozen=True, slots=True)
class Recorded:
    """Arrivals at given instants."""

    stamps_ns: np.ndarray
    """int64, sorted, shape (requests,)."""
    until_ns: int
    """Later ones are left out."""

    def arrive(self, root: int) -> Iterator[tuple[int, int]]:
        """Instants of arrival in nanoseconds, in order, each with its request's key."""
        for stamp_ns, (key, _) in zip(self.stamps_ns.tolist(), _draws(root), strict=False):
            if stamp_ns >= self.until_ns:
                return
            yield stamp_ns, key


Arrivals = Profile | Recorded


def _draws(root: int) -> Iterator[tuple[int, float]]:
    """For each request its key and what its arrival draws; made in blocks, which is ten times as fast."""
    from meshsim.random_blocks import request_keys, uniforms  # noqa: PLC0415 — NumPy, for those who let requests arrive

    for first in count(step=BLOCK):
        keys = request_keys(root, first, BLOCK)
        yield from zip(keys.tolist(), uniforms(keys, ARRIVAL).tolist(), strict=True)


def _when(area: float, rate: float, slope: float) -> float:
    """Seconds after which a rate that begins at `rate` and grows by `slope` per second has cumulated `area`."""
    if area <= 0:
        return 0.0
    root = rate * rate + 2 * slope * area
    return 2 * area / (rate + math.sqrt(max(root, 0.0)))
