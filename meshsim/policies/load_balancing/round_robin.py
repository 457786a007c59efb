"""Round robin, weighted where the weights differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, is_weighted
from meshsim.policies.load_balancing.earliest_deadline import EarliestDeadline
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence


@policy
class RoundRobin(LoadBalancer):
    """Send to each endpoint in turn, starting at a random one; in proportion to the weights where they differ.

    Each proxy takes its own turns, so many proxies together are not in turn. A retry takes a turn like any request.

    Source: Envoy, source/extensions/load_balancing_policies/round_robin/round_robin_lb.h; source/common/upstream/edf_scheduler.h.
    """

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Start at a random endpoint, or after a random number of weighted turns."""
        self._next = draw.below(len(endpoints))
        self._turns: EarliestDeadline | None = None
        if is_weighted(endpoints):
            self._turns = EarliestDeadline([endpoint.weight for endpoint in endpoints])
            for _ in range(self._next):
                self.pick(endpoints, draw)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw) -> int:  # noqa: ARG002
        """Index of the endpoint whose turn it is."""
        if self._turns is not None:
            index = self._turns.peek()
            self._turns.take(index, endpoints[index].weight)
            return index
        index = self._next
        self._next = index + 1 if index + 1 < len(endpoints) else 0
        return index
