"""Vegas: the limit from an estimate of the queue, as TCP Vegas has it."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from annotated_types import Ge, Le

from meshsim.policies.concurrency.limit import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.portable import ln
from meshsim.registry import policy
from meshsim.units import PositiveCount

_PER_LN10 = 0.4342944819032518


@policy
class Vegas(ConcurrencyLimit):
    """Estimate the queue as limit x (1 - shortest round trip / this round trip), and keep it between two bounds.

    Below 3 log10(limit) the limit rises, above 6 log10(limit) it falls; a drop lowers it. The shortest round trip is measured anew
    after `probe_multiplier` x limit samples: a system that has become slower for good would else be strangled. It looks
    only at calls made while half of the limit was in use.

    Source: Netflix concurrency-limits, com.netflix.concurrency.limits.limit.VegasLimit.
    """

    initial_limit: PositiveCount = 20
    """The limit at the start."""
    max_limit: PositiveCount = 1000
    """It never rises above this."""
    smoothing: Annotated[float, Ge(0), Le(1)] = 1.0
    """How much of each change is taken over."""
    probe_multiplier: PositiveCount = 30
    """Samples between two measurements of the shortest round trip, for each one of the limit."""

    def build(self, **_: object) -> VegasState:
        """Nothing is known of the round trip."""
        return VegasState(self)


class VegasState(ConcurrencyLimitState):
    """The shortest round trip, and the limit that follows from it."""

    __slots__ = ("_estimated", "_samples", "_shortest_ns", "max_limit", "probe_multiplier", "smoothing")

    def __init__(self, settings: Vegas) -> None:
        """Nothing is known of the round trip."""
        super().__init__(settings.initial_limit)
        self.max_limit = settings.max_limit
        self.smoothing = settings.smoothing
        self.probe_multiplier = settings.probe_multiplier
        self._estimated = float(settings.initial_limit)
        self._shortest_ns = 0
        self._samples = 0

    def learn(self, now_ns: int, rtt_ns: int, in_flight: int, is_dropped: bool) -> None:  # noqa: ARG002, FBT001
        """One step."""
        self._samples += 1
        if self._samples >= self.probe_multiplier * self._estimated:
            self._samples = 0
            self._shortest_ns = rtt_ns
            return
        if not self._shortest_ns or rtt_ns < self._shortest_ns:
            self._shortest_ns = rtt_ns
            return
        estimated = self._estimated
        queue = ceil(estimated * (1.0 - self._shortest_ns / rtt_ns)) if rtt_ns else 0
        unit = _log10(estimated)
        if is_dropped:
            wanted = estimated - unit
        elif in_flight * 2 < estimated:
            return
        elif queue <= unit:
            wanted = estimated + 6 * unit  # beta
        elif queue < 3 * unit:
            wanted = estimated + unit
        elif queue > 6 * unit:
            wanted = estimated - unit
        else:
            return
        wanted = min(float(self.max_limit), max(1.0, wanted))
        self._estimated = (1.0 - self.smoothing) * estimated + self.smoothing * wanted
        self.limit = int(self._estimated)


def _log10(limit: float) -> int:
    return max(1, int(ln(max(1.0, float(int(limit)))) * _PER_LN10 + 1e-12))
