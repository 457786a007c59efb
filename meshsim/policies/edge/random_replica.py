"""Random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw


@policy
class RandomReplica(EdgeBalancer):
    """Send a new connection to any replica that is ready, all alike.

    Source: Kubernetes, pkg/proxy/iptables/proxier.go (statistic mode random): a Service in kube-proxy's iptables mode.
    """

    def build(self, **_: object) -> RandomReplicaState:
        """Nothing to begin with."""
        return RandomReplicaState()


class RandomReplicaState(EdgeBalancerState):
    """It remembers nothing."""

    __slots__ = ()

    def pick(
        self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw  # noqa: ARG002
    ) -> int:  # fmt: skip
        """Any of those that are ready."""
        ready = [index for index, one in enumerate(is_ready) if one]
        return ready[draw.below(len(ready))] if ready else NOBODY
