"""A stretch of time over which a rate goes in a straight line."""

from __future__ import annotations

from typing import NamedTuple


class Segment(NamedTuple):
    """A stretch of time over which the rate goes in a straight line."""

    start_ns: int
    duration_ns: int
    from_rate: float
    """Requests per second at the beginning."""
    to_rate: float

    def rate_at(self, now_ns: float) -> float:
        """Requests per second at an instant of it."""
        return self.from_rate + (self.to_rate - self.from_rate) * (now_ns - self.start_ns) / self.duration_ns

    def part(self, from_ns: int, until_ns: int, first: float, last: float) -> Segment:
        """What lies between two of its instants, with the rate there times a factor at either end."""
        return Segment(from_ns, until_ns - from_ns, self.rate_at(from_ns) * first, self.rate_at(until_ns) * last)
