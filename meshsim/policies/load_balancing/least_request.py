"""Least request: the power of d choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from meshsim.policies.load_balancing.balancer import LoadBalancer
from meshsim.policies.load_balancing.slow_start import SlowStart
from meshsim.policies.load_balancing.weighted_turns import WeightedTurnsState
from meshsim.portable import power
from meshsim.registry import policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw, Endpoint


@policy
class LeastRequest(LoadBalancer):
    """Send to the endpoint with the fewest requests in flight among a few drawn at random.

    The draws are with replacement, as Envoy's are: both may be the same endpoint, so that with two endpoints a quarter of the
    picks go to the busier one, and as many draws as there are endpoints see 1 - (1 - 1/n)^n of them (65 % of ten): a full scan is
    `selection_method: full_scan`. A tie goes to the first drawn. In flight are this proxy's own requests: ten proxies see ten
    different counts. Where weights differ nothing is drawn: turns are weighted by weight / (in flight + 1), read at the pick.

    Source: Mitzenmacher, IEEE TPDS 12(10), 2001; Envoy,
    source/extensions/load_balancing_policies/least_request/least_request_lb.cc.
    """

    choice_count: PositiveCount = 2
    """Endpoints drawn for each request, with replacement; 1 is plain random."""
    selection_method: Literal["n_choices", "full_scan"] = "n_choices"
    """`full_scan` looks at all endpoints, and draws among those with the fewest."""
    active_request_bias: Annotated[float, Ge(0), Le(1e6)] = 1.0
    """Where weights differ, an endpoint counts weight / (in flight + 1) ^ bias; 0 is weighted round robin."""
    slow_start: SlowStart | None = None
    """Give an endpoint that has just joined its share little by little; at once where absent."""

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> LeastRequestState:
        """Nothing has been sent."""
        return LeastRequestState(self, endpoints, draw)


class LeastRequestState(WeightedTurnsState):
    """Turns, where there are any."""

    __slots__ = ("active_request_bias", "choice_count", "selection_method")

    def __init__(self, settings: LeastRequest, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Turns from a random place on, drawn when they may first be needed."""
        super().__init__(settings.slow_start, endpoints, draw)
        self.choice_count = settings.choice_count
        self.selection_method = settings.selection_method
        self.active_request_bias = settings.active_request_bias

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the least busy of the endpoints drawn."""
        if (self._is_due or self._turns is not None) and self._uses_turns(endpoints, now_ns):
            return self._take_turn(endpoints, now_ns)
        if self.selection_method == "full_scan":
            return _least_of_all(endpoints, draw)
        best = draw.below(len(endpoints))
        for _ in range(self.choice_count - 1):
            other = draw.below(len(endpoints))
            if endpoints[other].in_flight < endpoints[best].in_flight:
                best = other
        return best

    def _load_weight(self, endpoint: Endpoint) -> float:
        if self.active_request_bias == 1.0:
            return endpoint.weight / (endpoint.in_flight + 1)
        return endpoint.weight / power(endpoint.in_flight + 1.0, self.active_request_bias)


def _least_of_all(endpoints: Sequence[Endpoint], draw: Draw) -> int:
    """Of those with the fewest requests one at random, each as likely, drawn while they are counted (a reservoir of one)."""
    best, ties = 0, 1
    for index in range(1, len(endpoints)):
        if endpoints[index].in_flight < endpoints[best].in_flight:
            best, ties = index, 1
        elif endpoints[index].in_flight == endpoints[best].in_flight:
            ties += 1
            if draw.below(ties) == 0:
                best = index
    return best
