"""A table of hashes is made once for all views of the same hosts."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from meshsim.policies.load_balancing import Maglev, RingHash, hashing
from meshsim.policies.load_balancing.address import Address
from meshsim.randomness import Draw


class Host:
    """An endpoint, as far as a table looks at it."""

    def __init__(self, key: int, weight: float = 1.0) -> None:
        self.address = self.hostname = Address(key)
        self.weight = weight
        self.in_flight = 0


def hosts(*keys: int) -> Any:
    return [Host(key) for key in keys]


@pytest.mark.parametrize("settings", [RingHash(), Maglev(table_size=101)])
def test_views_of_the_same_hosts_share_it(settings: Any) -> None:
    first, second, other = (settings.build(endpoints=hosts(*keys), draw=Draw()) for keys in ((1, 2, 3), (1, 2, 3), (1, 2, 4)))

    assert first._positions is second._positions  # noqa: SLF001 — what is shared is what counts
    assert first._positions is not other._positions  # noqa: SLF001
    second.update(hosts(1, 2, 4), Draw())
    assert second._positions is other._positions  # noqa: SLF001
    assert [first.position(one << 50) for one in range(50)] != [second.position(one << 50) for one in range(50)]


def test_weights_and_sizes_make_other_tables() -> None:
    small, large = (RingHash(minimum_ring_size=size).build(endpoints=hosts(1, 2), draw=Draw()) for size in (10, 1000))
    heavy = RingHash(minimum_ring_size=10).build(endpoints=[Host(1, 3.0), Host(2)], draw=Draw())

    assert len({len(one._positions) for one in (small, large, heavy)}) == 3  # noqa: SLF001


def test_it_goes_with_the_last_view() -> None:
    view = RingHash().build(endpoints=hosts(71, 72), draw=Draw())
    gc.collect()  # tables of other tests go now, and not between the two counts
    before = len(hashing._TABLES)  # noqa: SLF001

    del view
    gc.collect()

    assert len(hashing._TABLES) == before - 1  # noqa: SLF001
