"""Round robin by connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw


@policy
class TakeTurns(EdgeBalancer):
    """Send new connections to the ready replicas in turn.

    Turns are of connections, not of requests: where some connections carry more requests, or a replica has come later, load is not even.

    Source: Kubernetes, "IPVS proxy mode" (rr, the default scheduler); HAProxy, configuration manual, balance roundrobin in mode tcp.
    """

    def build(self, *, replicas: int, seed: int) -> TakeTurnsState:
        """Begin at any of them."""
        return TakeTurnsState(replicas, seed)


class TakeTurnsState(EdgeBalancerState):
    """Whose turn it is."""

    __slots__ = ("_next",)

    def __init__(self, replicas: int, seed: int) -> None:
        """Begin at any of them."""
        self._next = seed % replicas

    def pick(
        self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw  # noqa: ARG002
    ) -> int:  # fmt: skip
        """The next one that is ready."""
        count = len(is_ready)
        for step in range(count):
            index = (self._next + step) % count
            if is_ready[index]:
                self._next = (index + 1) % count
                return index
        return NOBODY
