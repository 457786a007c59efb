"""Turns that weights may change: what round robin and least request share in Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, is_weighted
from meshsim.policies.load_balancing.earliest_deadline import EarliestDeadline

if TYPE_CHECKING:
    from collections.abc import Sequence


class WeightedTurns(LoadBalancer):
    """Turns by earliest deadline where weights differ or an endpoint is in slow start; what a subclass does otherwise.

    As in Envoy the scheduler is made anew when the endpoints change, and begun after a random number of turns; an endpoint's weight
    is read when it is picked.

    Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (EdfLoadBalancerBase).
    """

    slow_start: Any = None
    """A `SlowStart`, or None."""

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1) -> None:  # noqa: ARG002
        """Turns from a random place on, drawn when they are first needed."""
        self._seed = -1
        self.update(endpoints, draw)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Turns anew; whether they are needed is looked at with each pick while an endpoint is new."""
        self._is_weighted = is_weighted(endpoints)
        self._warming_until_ns = -1
        if self.slow_start is not None:
            latest_ns = max(endpoint.joined_ns for endpoint in endpoints)
            self._warming_until_ns = latest_ns + self.slow_start.slow_start_window if latest_ns >= 0 else -1
        self._turns: EarliestDeadline | None = None
        if self._is_weighted or self._warming_until_ns >= 0:
            weights = [self._weight(endpoint, max(endpoint.joined_ns, 0)) for endpoint in endpoints]
            self._turns = EarliestDeadline(weights)
            if self._seed < 0:
                self._seed = draw.below(len(endpoints))
            for _ in range(self._seed % len(endpoints)):
                self._take_turn(endpoints, max(0, self._warming_until_ns))

    def _uses_turns(self, now_ns: int) -> bool:
        """Whether this pick is a weighted turn."""
        if self._turns is None:
            return False
        if self._is_weighted or now_ns < self._warming_until_ns:
            return True
        self._turns = None
        return False

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
