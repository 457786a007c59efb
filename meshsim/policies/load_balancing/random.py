"""Random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence


@policy
class Random(LoadBalancer):
    """Send to an endpoint drawn at random, all equally likely.

    Weights are not looked at, as in Envoy. It is also what a caller without a proxy gets: kube-proxy's iptables rules pick an
    endpoint at random for each connection.

    Source: Envoy, source/extensions/load_balancing_policies/random/random_lb.cc; Kubernetes, "Virtual IPs and Service Proxies".
    """

    def build(self, **_: object) -> RandomState:
        """Nothing to begin with."""
        return RandomState()


class RandomState(LoadBalancerState):
    """It remembers nothing."""

    __slots__ = ()

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Index of an endpoint."""
        return draw.below(len(endpoints))
