"""Ring hash: consistent hashing on a ring."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.policies.load_balancing.hashing import Hashing, HashingState, Table
from meshsim.registry import SettingError, policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw, Endpoint

LARGEST_RING = 8 * 1024 * 1024


@policy
class RingHash(Hashing):
    """Send to the first endpoint on a ring from the request's hash on: when one leaves, hardly any keys but its own move.

    Each endpoint has as many places on the ring as its weight asks for, and `minimum_ring_size` places are shared by all; few places
    make lumpy shares. Since that number is shared, those that stay get a few more places when one leaves, and some keys move to them: with
    ten endpoints and the default size 8 % of the keys of the others. What the hash is made of, `hash_on` says; a request without one goes anywhere.

    Source: Envoy, source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc; Karger et al., STOC 1997.
    """

    minimum_ring_size: Annotated[int, Ge(1), Le(LARGEST_RING)] = 1024
    """Places on the ring at least."""
    maximum_ring_size: Annotated[int, Ge(1), Le(LARGEST_RING)] = LARGEST_RING
    """Places on the ring at most."""
    hash_balance_factor: Annotated[int, Ge(0), Le(2**32 - 1)] = 0
    """No endpoint gets more than this percentage of the mean load, such as 125; 0 for no bound."""
    use_hostname_for_hashing: bool = False
    """Hash an endpoint's name in place of its address: an instance that restarts keeps its keys. In Envoy that is for STRICT_DNS clusters
    whose names have one address each; Istio hashes addresses."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        _check_factor(self.hash_balance_factor)
        if self.minimum_ring_size > self.maximum_ring_size:
            raise SettingError("minimum_ring_size", f"must not be above maximum_ring_size, {self.maximum_ring_size:,}")

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> RingHashState:
        """The ring of these endpoints."""
        return RingHashState(self, endpoints, draw)


class RingHashState(HashingState):
    """The ring of one proxy."""

    __slots__ = ("maximum_ring_size", "minimum_ring_size")

    def __init__(self, settings: RingHash, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Filled for these endpoints."""
        self.minimum_ring_size = settings.minimum_ring_size
        self.maximum_ring_size = settings.maximum_ring_size
        super().__init__(settings, endpoints, draw)

    @property
    def size(self) -> tuple[int, ...]:
        """Both sizes."""
        return self.minimum_ring_size, self.maximum_ring_size

    def table(self, endpoints: Sequence[Endpoint]) -> Table:
        """The ring: the least endpoint has a whole number of places, so that shares are as exact as the minimum size allows."""
        total = sum(endpoint.weight for endpoint in endpoints)
        least = min(endpoint.weight for endpoint in endpoints) / total
        places = -(-least * self.minimum_ring_size // 1)  # rounded up
        scale = min(places / least, float(self.maximum_ring_size))
        ring: list[tuple[int, int]] = []
        target = current = 0.0
        for position, endpoint in enumerate(endpoints):
            address = self.called(endpoint)
            target += scale * (endpoint.weight / total)
            number = 0
            while current < target:
                ring.append((address.place(number), position))
                number += 1
                current += 1.0
        ring.sort()
        return Table([one for one, _ in ring], [position for _, position in ring])

    def position(self, hash_key: int) -> int:
        """The first place from the hash on, around the ring."""
        place = bisect_left(self._hashes, hash_key)
        return self._positions[place if place < len(self._positions) else 0]


def _check_factor(factor: int) -> None:
    if 0 < factor < 100:
        raise SettingError("hash_balance_factor", "a percentage of the mean load: 100 or more, such as 125, or 0 for no bound")
