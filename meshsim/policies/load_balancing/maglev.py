"""Maglev: consistent hashing by a table that all endpoints fill in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.policies.load_balancing.hashing import Hashing, HashingState, Table
from meshsim.registry import SettingError, policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw, Endpoint

LARGEST_TABLE = 5_000_011


@policy
class Maglev(Hashing):
    """Send to the endpoint that the table has at the request's hash: shares nearly equal, and a few more keys move than with a ring.

    Each endpoint goes through the table in an order of its own and takes the next free place, in turn; with weights it takes a turn
    when its share is due. What the hash is made of, `hash_on` says; a request without one goes anywhere.

    Source: Eisenbud et al., "Maglev", NSDI 2016, section 3.4; Envoy,
    source/extensions/load_balancing_policies/maglev/maglev_lb.cc.
    """

    table_size: Annotated[int, Ge(2), Le(LARGEST_TABLE)] = 65537
    """Places in the table, a prime number; a hundred times the endpoints or more keep shares within a few percent."""
    hash_balance_factor: Annotated[int, Ge(0), Le(2**32 - 1)] = 0
    """No endpoint gets more than this percentage of the mean load, such as 125; 0 for no bound."""
    use_hostname_for_hashing: bool = False
    """Hash an endpoint's name in place of its address: an instance that restarts keeps its keys. In Envoy that is for STRICT_DNS clusters
    whose names have one address each; Istio hashes addresses."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if 0 < self.hash_balance_factor < 100:
            raise SettingError(
                "hash_balance_factor", "a percentage of the mean load: 100 or more, such as 125, or 0 for no bound"
            )
        if not _is_prime(self.table_size):
            raise SettingError("table_size", "must be a prime number, such as 65537")

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> MaglevState:
        """The table for these endpoints."""
        return MaglevState(self, endpoints, draw)


class MaglevState(HashingState):
    """The table of one proxy."""

    __slots__ = ("table_size",)

    def __init__(self, settings: Maglev, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Filled for these endpoints."""
        self.table_size = settings.table_size
        super().__init__(settings, endpoints, draw)

    @property
    def size(self) -> tuple[int, ...]:
        """Places in the table."""
        return (self.table_size,)

    def table(self, endpoints: Sequence[Endpoint]) -> Table:
        """Filled by the endpoints, in turn in the order of their addresses."""
        size, addresses = self.table_size, [self.called(endpoint) for endpoint in endpoints]
        offsets = [address.hash(0) % size for address in addresses]
        skips = [address.hash(1) % (size - 1) + 1 for address in addresses]
        in_turn = sorted(range(len(endpoints)), key=lambda position: (addresses[position].order, position))
        largest = max(endpoint.weight for endpoint in endpoints)
        targets = [0.0] * len(endpoints)
        table = [-1] * size
        filled, turn = 0, 1
        while filled < size:
            for position in in_turn:
                weight = endpoints[position].weight
                if turn * weight < targets[position]:
                    continue
                targets[position] += largest
                place = offsets[position]
                while table[place] >= 0:
                    place = (place + skips[position]) % size
                table[place] = position
                offsets[position] = (place + skips[position]) % size
                filled += 1
                if filled == size:
                    break
            turn += 1
        return Table([], table)

    def position(self, hash_key: int) -> int:
        """What the table has."""
        return self._positions[hash_key % self.table_size]


def _is_prime(number: int) -> bool:
    if number < 4:
        return number > 1
    if number % 2 == 0:
        return False
    divisor = 3
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 2
    return True
