"""Deterministic subsetting: each proxy keeps to a few endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
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
    connections, and a proxy that sends much burdens few endpoints: with few proxies shares are uneven. The order is one of addresses, and
    another one in each replication.

    Source: Beyer et al., "Site Reliability Engineering", chapter 20, "Load balancing in the datacenter"; the first draft of gRPC
    proposal A68 (grpc/proposal pull request 383), which became random subsetting.
    """

    subset_size: PositiveCount = 10
    """How many endpoints each proxy keeps to."""
    load_balancer: LoadBalancer
    """How it picks among them."""

    def check(self) -> None:
        """Raise `SettingError` where the inner policy's settings contradict each other."""
        self.load_balancer.check()

    def build(
        self, *, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1
    ) -> DeterministicSubsettingState:
        """This proxy's endpoints."""
        return DeterministicSubsettingState(self, endpoints, draw, client, clients)

    @property
    def observes(self) -> bool:  # type: ignore[override]  # whoever sets policies up asks before they are built
        """Whether the inner policy wants to be told of outcomes."""
        return self.load_balancer.observes

    @property
    def reads_reports(self) -> bool:  # type: ignore[override]
        """Whether the inner policy reads reported loads."""
        return self.load_balancer.reads_reports

    @property
    def report_interval(self) -> int:  # type: ignore[override]
        """The inner policy's."""
        return self.load_balancer.report_interval

    @property
    def report_phase(self) -> str:  # type: ignore[override]
        """The inner policy's."""
        return self.load_balancer.report_phase

    def beside(
        self, first: LoadBalancerState, endpoints: Sequence[Endpoint], draw: Draw, client: int, clients: int
    ) -> DeterministicSubsettingState:  # fmt: skip
        """With what the inner policy remembers."""
        inner = first.inner if isinstance(first, DeterministicSubsettingState) else None
        return DeterministicSubsettingState(self, endpoints, draw, client, clients, inner)


class DeterministicSubsettingState(LoadBalancerState):
    """One proxy's endpoints, and the inner policy's state."""

    __slots__ = ("_client", "_own", "_positions", "inner", "subset_size")

    def __init__(
        self,
        settings: DeterministicSubsetting,
        endpoints: Sequence[Endpoint],
        draw: Draw,
        client: int,
        clients: int,
        beside: LoadBalancerState | None = None,
    ) -> None:
        """This proxy's endpoints, and the inner policy's state for these, beside another one where that is given."""
        self.subset_size = settings.subset_size
        self._client = client
        self._deal(endpoints)
        within = settings.load_balancer
        if beside is None:
            self.inner = within.build(endpoints=self._own, draw=draw, client=client, clients=clients)
        else:
            self.inner = within.beside(beside, self._own, draw, client, clients)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Deal again."""
        self._deal(endpoints)
        self.inner.update(self._own, draw)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """The inner policy's choice among the subset."""
        return self._positions[self.inner.pick(self._own, draw, now_ns, hash_key)]

    def done(self, endpoint: Endpoint, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: FBT001
        """For the inner policy."""
        self.inner.done(endpoint, now_ns, rtt_ns, is_failure)

    def _deal(self, endpoints: Sequence[Endpoint]) -> None:
        self._positions = self._subset(endpoints)
        self._own = [endpoints[position] for position in self._positions]

    def _subset(self, endpoints: Sequence[Endpoint]) -> list[int]:
        """Positions of this proxy's endpoints."""
        count = len(endpoints)
        if self.subset_size >= count:
            return list(range(count))
        subsets = count // self.subset_size
        round_key = call_key(_ROUNDS, self._client // subsets)
        order = sorted(range(count), key=lambda position: (call_key(round_key, endpoints[position].address.hash()), position))
        first = self._client % subsets * self.subset_size
        return sorted(order[first : first + self.subset_size])
