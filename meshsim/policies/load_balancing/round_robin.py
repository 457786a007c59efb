"""Round robin, weighted where the weights differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import LoadBalancer
from meshsim.policies.load_balancing.earliest_deadline import MOST_PICKS
from meshsim.policies.load_balancing.slow_start import SlowStart
from meshsim.policies.load_balancing.weighted_turns import WeightedTurnsState
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw, Endpoint


@policy
class RoundRobin(LoadBalancer):
    """Send to each endpoint in turn, starting at a random one; in proportion to the weights where they differ.

    Each proxy takes its own turns, so many proxies together are not in turn. A retry takes a turn like any request. Turns are counted
    on when endpoints come and go: the next one is the count modulo how many there are then, which may be anywhere in the new list.

    Source: Envoy, source/extensions/load_balancing_policies/round_robin/round_robin_lb.h (rr_indexes_);
    source/common/upstream/edf_scheduler.h.
    """

    slow_start: SlowStart | None = None
    """Give an endpoint that has just joined its share little by little; at once where absent."""

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> RoundRobinState:
        """Start at a random endpoint, or after a random number of weighted turns."""
        return RoundRobinState(self, endpoints, draw)


class RoundRobinState(WeightedTurnsState):
    """Whose turn it is."""

    __slots__ = ("_count",)

    def __init__(self, settings: RoundRobin, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Start at a random endpoint, or after a random number of weighted turns."""
        self._count = draw.below(MOST_PICKS)
        super().__init__(settings.slow_start, endpoints, draw, self._count)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the endpoint whose turn it is."""
        if (self._is_due or self._turns is not None) and self._uses_turns(endpoints, now_ns):
            return self._take_turn(endpoints, now_ns)
        index = self._count % len(endpoints)
        self._count += 1
        return index
