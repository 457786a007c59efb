"""What hashing load balancers share: endpoints by hash, and bounded loads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from meshsim.policies.load_balancing.balancer import NO_HASH, Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.randomness import call_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.address import Address

ANY_HASH = 1 << 64
"""Hashes are whole numbers below this."""


class Table:
    """What all views of the same hosts look hashes up in; made for the first of them, and gone with the last."""

    __slots__ = ("__weakref__", "hashes", "positions")

    def __init__(self, hashes: list[int], positions: list[int]) -> None:
        self.hashes = hashes
        """Sorted; empty where a hash itself says the place."""
        self.positions = positions
        """Of an endpoint, by place."""


class Weighed(Endpoint):
    """An endpoint with a weight that it has in one table."""

    __slots__ = ("_of",)

    def __init__(self, of: Endpoint, weight: float) -> None:
        super().__init__(weight, of.index)
        self._of = of

    @property
    def address(self) -> Address:
        """The endpoint's."""
        return self._of.address

    @property
    def hostname(self) -> Address:
        """The endpoint's."""
        return self._of.hostname


def weighed(endpoints: Sequence[Endpoint], weights: Sequence[float]) -> list[Endpoint]:
    """The endpoints with other weights, to make a table of."""
    return [Weighed(endpoint, weight) for endpoint, weight in zip(endpoints, weights, strict=True)]


_TABLES: WeakValueDictionary[object, Table] = WeakValueDictionary()


class Hashing(LoadBalancer):
    """Sends requests with one hash to one endpoint; those without get a hash at random, as in Envoy.

    Which endpoint that is hangs on the addresses, and nobody knows those of pods beforehand: they are drawn anew in each replication, the
    same for all proxies of a run and for all variants, or given in `services.X.addresses`. A pod that takes another one's place
    has an address of its own: its keys move.

    With a `hash_balance_factor` no endpoint gets more than that percentage of the mean load: a request whose endpoint is full goes on
    to another, drawn by its hash.

    Source: Envoy, source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc (BoundedLoadHashingLoadBalancer);
    Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018.
    """

    hash_balance_factor: int = 0
    use_hostname_for_hashing: bool = False
    is_hashed = True

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> HashingState:
        """The table for these endpoints."""
        return HashingState(self, endpoints, draw)


class HashingState(LoadBalancerState):
    """The table of one proxy."""

    __slots__ = ("_hashes", "_positions", "_shared", "_weights", "hash_balance_factor", "use_hostname_for_hashing")

    def __init__(self, settings: Hashing, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """The table for these endpoints."""
        self.hash_balance_factor = settings.hash_balance_factor
        self.use_hostname_for_hashing = settings.use_hostname_for_hashing
        self.update(endpoints, draw)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:  # noqa: ARG002
        """The table for these endpoints: another view's, where one has the same."""
        hosts = tuple((self.called(endpoint).order, endpoint.weight) for endpoint in endpoints)
        key = (type(self), self.size, hosts)
        table = _TABLES.get(key)
        if table is None:
            table = _TABLES[key] = self.table(endpoints)
        self._shared, self._hashes, self._positions = table, table.hashes, table.positions
        self._weights = [endpoint.weight for endpoint in endpoints]

    @property
    def size(self) -> tuple[int, ...]:
        """The settings that its table hangs on."""
        raise NotImplementedError

    def table(self, endpoints: Sequence[Endpoint]) -> Table:
        """A new table for these endpoints."""
        raise NotImplementedError

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the endpoint that the hash belongs to."""
        if hash_key == NO_HASH:
            hash_key = draw.below(ANY_HASH)
        index = self.position(hash_key)
        if not self.hash_balance_factor or self._overload(endpoints, index) <= 1.0:
            return index
        return self._next_with_room(endpoints, index, hash_key)

    def called(self, endpoint: Endpoint) -> Address:
        """What the hashes of an endpoint are of."""
        return endpoint.hostname if self.use_hostname_for_hashing else endpoint.address

    def position(self, hash_key: int) -> int:
        """Where the hash belongs."""
        raise NotImplementedError

    def _overload(self, endpoints: Sequence[Endpoint], index: int) -> float:
        """Requests in flight as a share of what the endpoint may have; up to 1 it gets this one too, so that it may end one above."""
        total = 1 + sum(endpoint.in_flight for endpoint in endpoints)
        all_slots = (total * self.hash_balance_factor + 99) // 100
        weight = self._weights[index] / sum(self._weights)
        return endpoints[index].in_flight / max(1.0, -(-all_slots * weight // 1))  # both rounded up, as in Envoy

    def _next_with_room(self, endpoints: Sequence[Endpoint], first: int, hash_key: int) -> int:
        """The others in an order that the hash decides; where all are full, the least full."""
        order = list(range(len(endpoints)))
        best, best_overload = first, self._overload(endpoints, first)
        for place in range(len(order)):
            other = place + call_key(hash_key, place) % (len(order) - place)
            order[place], order[other] = order[other], order[place]
            index = order[place]
            if index == first:
                continue
            overload = self._overload(endpoints, index)
            if overload <= 1.0:
                return index
            if overload < best_overload:
                best, best_overload = index, overload
        return best
