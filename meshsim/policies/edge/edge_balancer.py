"""What every balancer before the gateway answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.own_policies import State, position
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw

NOBODY = -1
"""No replica takes connections."""


class EdgeBalancerState(State):
    """Says which replica of the gateway a client's new connection goes to; all requests on the connection follow."""

    __slots__ = ()

    def pick(self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw) -> int:
        """The replica, or `NOBODY`.

        Args:
            connections: Open connections of each replica.
            is_ready: Whether each takes new connections, as the balancer knows it.
            address: Number of the client's address.
            now_ns: Time.
            draw: Chance.
        """
        raise NotImplementedError


@family("edge_balancer", EdgeBalancerState, pick=position("is_ready", or_nobody=True))
class EdgeBalancer(Policy):
    """Stands before the gateway's replicas."""

    def build(self, *, replicas: int, seed: int) -> EdgeBalancerState:
        """One to which no connection has come.

        Args:
            replicas: How many there are.
            seed: A number that is another one in each replication of a run.
        """
        raise NotImplementedError
