"""Links: how long a message is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.distributions import Constant
from meshsim.plan import NONE
from meshsim.randomness import NETWORK, uniform

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.plan import Network

REQUEST_WAY = 0
ANSWER_WAY = 1
CLIENT_WAY = 2
"""Added to a way where the message travels between a client and the gateway."""
HANDSHAKE_WAY = 6
"""The same while a connection is made."""
WAYPOINT_WAY = 4
"""The same between a caller and a waypoint."""


class Links:
    """One-way latencies by zone."""

    __slots__ = ("_cross", "_same")

    def __init__(self, network: Network) -> None:
        self._same = _Latency(network.same_zone)
        self._cross = _Latency(network.cross_zone)

    def constant_ns(self, from_zone: int, to_zone: int) -> int:
        """Nanoseconds of every message between two zones, or NONE where they are drawn."""
        link = self._same if from_zone == to_zone else self._cross
        return link.constant_ns if link.drawn is None else NONE

    def latency_ns(self, key: int, way: int, from_zone: int, to_zone: int) -> int:
        """Nanoseconds that a message of the attempt with this key needs."""
        link = self._same if from_zone == to_zone else self._cross
        return link.constant_ns if link.drawn is None else round(link.drawn.quantile(uniform(key, NETWORK, way)))


class _Latency:
    """A constant, so that nothing is drawn where nothing varies, or a distribution."""

    __slots__ = ("constant_ns", "drawn")

    def __init__(self, distribution: Distribution | None) -> None:
        self.drawn = None if distribution is None or isinstance(distribution, Constant) else distribution
        self.constant_ns = round(distribution.mean_ns) if isinstance(distribution, Constant) else 0
