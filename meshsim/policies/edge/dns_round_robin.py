"""DNS round robin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.edge.edge_balancer import NOBODY, EdgeBalancer, EdgeBalancerState
from meshsim.randomness import mix
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw


@policy
class DnsRoundRobin(EdgeBalancer):
    """Let each client address look up the name, and stay with the first address of the answer until that is too old.

    Answers are rotated from lookup to lookup and list the replicas that are ready then. Nothing stands between client and replica: who
    has looked up before a replica went goes on calling it, and is refused, until the answer is too old. Clients were there before the
    run: an answer that is looked up in its first `ttl` counts as old as chance has it, so that they do not all ask anew at once.

    Source: RFC 1794, "DNS support for load balancing"; CoreDNS, plugin loadbalance (round_robin).
    """

    ttl: Duration = 30_000_000_000
    """How long an answer is used; CoreDNS' `kubernetes` plugin says 5s, its `cache` plugin 30s."""

    def build(self, *, replicas: int, seed: int) -> DnsRoundRobinState:
        """Nobody has looked up anything."""
        return DnsRoundRobinState(self, replicas, seed)


class DnsRoundRobinState(EdgeBalancerState):
    """The answers that clients have."""

    __slots__ = ("_answers", "_next", "_seed", "ttl")

    def __init__(self, settings: DnsRoundRobin, replicas: int, seed: int) -> None:
        """Nobody has looked up anything."""
        self.ttl = settings.ttl
        self._seed, self._next = seed, seed % replicas
        self._answers: dict[int, tuple[int, int]] = {}
        """By address: the replica, and when that was looked up."""

    def pick(
        self, connections: Sequence[int], is_ready: Sequence[bool], address: int, now_ns: int, draw: Draw  # noqa: ARG002
    ) -> int:  # fmt: skip
        """The one that was looked up last, which may be gone."""
        answer = self._answers.get(address)
        if answer is not None and now_ns - answer[1] < self.ttl:
            return answer[0]
        count = len(is_ready)
        for step in range(count):
            index = (self._next + step) % count
            if is_ready[index]:
                self._next = (index + 1) % count
                is_old = answer is None and now_ns < self.ttl
                self._answers[address] = index, now_ns - (mix(self._seed + address) % self.ttl if is_old else 0)
                return index
        return NOBODY
