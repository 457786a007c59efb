"""Deterministic subsetting: each proxy keeps to a few endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer
from meshsim.randomness import call_key
from meshsim.registry import policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDS = call_key(0, 11)


@policy
class DeterministicSubsetting(LoadBalancer):
    """Send to a few endpoints only, dealt out so that all endpoints get equally many proxies.

    Proxies are taken in rounds: those of a round deal out all endpoints among them, in an order that is the round's own. It saves
    connections, and a proxy that sends much burdens few endpoints: with few proxies shares are uneven.

    Source: Beyer et al., "Site Reliability Engineering", chapter 20, "Load balancing in the datacenter"; gRPC proposal A68.
    """

    subset_size: PositiveCount = 10
    """How many endpoints each proxy keeps to."""
    load_balancer: LoadBalancer
    """How it picks among them."""

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1) -> None:
        """This proxy's endpoints."""
        self._client = client
        self._positions = self._subset(endpoints)
        self._inner = self.load_balancer.build(
            endpoints=[endpoints[position] for position in self._positions], draw=draw, client=client, clients=clients
        )
        self.observes, self.reads_reports = self._inner.observes, self._inner.reads_reports
        self.report_interval = self._inner.report_interval

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Deal again."""
        self._positions = self._subset(endpoints)
        self._inner.update([endpoints[position] for position in self._positions], draw)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:
        """The inner policy's choice among the subset."""
        return self._positions[self._inner.pick([endpoints[position] for position in self._positions], draw, now_ns, hash_key)]

    def done(self, endpoint: Endpoint, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: FBT001
        """For the inner policy."""
        self._inner.done(endpoint, now_ns, rtt_ns, is_failure)

    def _subset(self, endpoints: Sequence[Endpoint]) -> list[int]:
        """Positions of this proxy's endpoints."""
        count = len(endpoints)
        if self.subset_size >= count:
            return list(range(count))
        subsets = count // self.subset_size
        round_key = call_key(_ROUNDS, self._client // subsets)
        order = sorted(range(count), key=lambda position: (call_key(round_key, endpoints[position].index), position))
        first = self._client % subsets * self.subset_size
        return sorted(order[first : first + self.subset_size])
