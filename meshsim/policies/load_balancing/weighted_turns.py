"""Turns that weights may change: what round robin and least request share in Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import FROM_THE_START, Draw, Endpoint, LoadBalancerState, is_weighted
from meshsim.policies.load_balancing.earliest_deadline import MOST_PICKS, EarliestDeadline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.slow_start import SlowStart


class WeightedTurnsState(LoadBalancerState):
    """Turns by earliest deadline where weights differ or an endpoint is in slow start; what a subclass does otherwise.

    As in Envoy the scheduler is made anew when the endpoints change, and begun after a random number of turns, which is drawn once and
    the same each time: a random place in the cycle, another one for each proxy. An endpoint's weight is read when it is picked. Whether
    an endpoint is in slow start is looked at when the endpoints change and not again: turns that began with it go on after its
    window, with equal weights, until the endpoints change next.

    Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (EdfLoadBalancerBase:
    seed_, refresh).
    """

    __slots__ = ("_is_due", "_seed", "_turns", "slow_start")

    def __init__(self, slow_start: SlowStart | None, endpoints: Sequence[Endpoint], draw: Draw, seed: int = -1) -> None:
        """Turns from a random place on, which is drawn when they may first be needed unless it is given."""
        self.slow_start = None if slow_start is None else slow_start.build()
        self._seed = seed
        self.update(endpoints, draw)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Turns anew with the next pick, which knows the time, if any are needed."""
        self._turns: EarliestDeadline | None = None
        self._is_due = is_weighted(endpoints) or (
            self.slow_start is not None and any(endpoint.healthy_since_ns != FROM_THE_START for endpoint in endpoints)
        )
        if self._is_due and self._seed < 0:
            self._seed = draw.below(MOST_PICKS)

    def _uses_turns(self, endpoints: Sequence[Endpoint], now_ns: int) -> bool:
        """Whether picks are weighted turns, which are made here at the first pick after a change."""
        if self._is_due:
            self._is_due = False
            if is_weighted(endpoints) or (self.slow_start is not None and self.slow_start.is_on(endpoints, now_ns)):
                self._turns = EarliestDeadline([self._weight(endpoint, now_ns) for endpoint in endpoints], self._seed)
        return self._turns is not None

    def _take_turn(self, endpoints: Sequence[Endpoint], now_ns: int) -> int:
        assert self._turns is not None  # noqa: S101 — `_uses_turns` has looked
        return self._turns.take(self._weight(endpoints[self._turns.peek()], now_ns))

    def _weight(self, endpoint: Endpoint, now_ns: int) -> float:
        """What an endpoint counts at this instant."""
        weight = self._load_weight(endpoint)
        factor: float = 1.0 if self.slow_start is None else self.slow_start.factor(endpoint, now_ns)
        return weight * factor

    def _load_weight(self, endpoint: Endpoint) -> float:
        return endpoint.weight
