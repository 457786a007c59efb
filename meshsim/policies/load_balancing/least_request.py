"""Least request: the power of d choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, is_weighted
from meshsim.policies.load_balancing.earliest_deadline import EarliestDeadline
from meshsim.registry import policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence


@policy
class LeastRequest(LoadBalancer):
    """Send to the endpoint with the fewest requests in flight among a few drawn at random.

    The draws are with replacement, as Envoy's are: both may be the same endpoint, so that with two endpoints a quarter of the
    picks go to the busier one. A tie goes to the first drawn. In flight are this proxy's own requests: ten proxies see ten
    different counts. Where weights differ nothing is drawn: turns are weighted by weight / (in flight + 1), read at the pick.

    Source: Mitzenmacher, IEEE TPDS 12(10), 2001; Envoy,
    source/extensions/load_balancing_policies/least_request/least_request_lb.cc.
    """

    choice_count: PositiveCount = 2
    """Endpoints drawn for each request; 1 is plain random."""

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Weighted turns where the weights differ, begun after a random number of them."""
        self._turns: EarliestDeadline | None = None
        if is_weighted(endpoints):
            self._turns = EarliestDeadline([endpoint.weight for endpoint in endpoints])
            for _ in range(draw.below(len(endpoints))):
                self.pick(endpoints, draw)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw) -> int:
        """Index of the least busy of the endpoints drawn."""
        if self._turns is not None:
            index = self._turns.peek()
            self._turns.take(index, endpoints[index].weight / (endpoints[index].in_flight + 1))
            return index
        best = draw.below(len(endpoints))
        for _ in range(self.choice_count - 1):
            other = draw.below(len(endpoints))
            if endpoints[other].in_flight < endpoints[best].in_flight:
                best = other
        return best
