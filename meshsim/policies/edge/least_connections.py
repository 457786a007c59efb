"""Least connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw


@policy
class LeastConnections(EdgeBalancer):
    """Send a new connection to the ready replica with the fewest open ones; the first in number among equals.

    After a restart the new replica has none, and gets every new connection until it has as many as the others: with expensive handshakes
    that is a storm on one replica.

    Source: Kubernetes, "IPVS proxy mode" (lc); HAProxy, configuration manual, balance leastconn.
    """

    def build(self, **_: object) -> LeastConnectionsState:
        """Nothing to begin with."""
        return LeastConnectionsState()


class LeastConnectionsState(EdgeBalancerState):
    """It remembers nothing: connections are counted for it."""

    __slots__ = ()

    def pick(
        self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw  # noqa: ARG002
    ) -> int:  # fmt: skip
        """The one with the fewest."""
        best = NOBODY
        for index, one in enumerate(is_ready):
            if one and (best == NOBODY or connections[index] < connections[best]):
                best = index
        return best
