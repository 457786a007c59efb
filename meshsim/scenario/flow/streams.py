"""What comes to the gateway, by source and target, and by the credential that it brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.scenario.flow.demand import Source


class Ask(NamedTuple):
    """What one source asks for."""

    source: str
    target: str


@dataclass
class Stream:
    """Requests per second of one ask, by the credential that they bring."""

    good: float
    bad: float
    missing: float

    @property
    def rate(self) -> float:
        """All together."""
        return self.good + self.bad + self.missing

    def scale(self, share: float) -> None:
        """Let only this share go on, whatever they bring."""
        self.good, self.bad, self.missing = self.good * share, self.bad * share, self.missing * share


def offered(sources: Mapping[str, Source], rates: Mapping[str, float]) -> dict[Ask, Stream]:
    """What comes to the gateway.

    Args:
        sources: By name.
        rates: Requests per second of each.
    """
    streams = {}
    for name, source in sources.items():
        bad = max(0.0, 1.0 - source.good - source.missing)
        for target, share in source.requests.items():
            rate = rates[name] * share
            streams[Ask(name, target)] = Stream(rate * source.good, rate * bad, rate * source.missing)
    return streams
