"""Hash of the source address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.randomness import mix
from meshsim.registry import policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw


@policy
class SourceHash(EdgeBalancer):
    """Send all connections from one address to one replica, by highest random weight: only those of a replica that goes move.

    Few addresses (a NAT, one partner) make it uneven however many connections there are.

    Source: Google, "Maglev", NSDI 2016, section 3.4 (connections hashed to a back end); Thaler and Ravishankar, "Using name-based
    mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998 (highest random weight, which stands for the products' tables).
    """

    def build(self, *, seed: int, **_: object) -> SourceHashState:
        """Keep what tells this run's hashes from another's."""
        return SourceHashState(seed)


class SourceHashState(EdgeBalancerState):
    """What this run hashes with."""

    __slots__ = ("_seed",)

    def __init__(self, seed: int) -> None:
        """Keep what tells this run's hashes from another's."""
        self._seed = seed

    def pick(
        self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw  # noqa: ARG002
    ) -> int:  # fmt: skip
        """The ready one whose hash with the address is highest."""
        best, highest = NOBODY, -1
        for index, one in enumerate(is_ready):
            weight = mix(mix(self._seed + address) + index) if one else -1
            if weight > highest:
                best, highest = index, weight
        return best
