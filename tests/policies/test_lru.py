"""A store of bounded size: who makes room, and when an entry is no longer good."""

from __future__ import annotations

import pytest

from meshsim.policies.filters.lru import Lru

NEVER = 10**18


def filled(size, *keys):
    store = Lru(size)
    for key in keys:
        store.put(key, key * 10, NEVER)
    return store


def kept(store, now_ns=0, keys=range(10)):
    """The keys that are found; asked for in order, which changes the order of use."""
    return [key for key in keys if store.get(key, now_ns) is not None]


def test_what_is_stored_is_found_and_nothing_else():
    store = filled(3, 1, 2)

    assert store.get(1, 0) == 10
    assert store.get(3, 0) is None
    assert len(store) == 2


def test_the_one_that_was_used_longest_ago_makes_room():
    assert kept(filled(3, 1, 2, 3, 4)) == [2, 3, 4]


def test_reading_counts_as_use():
    store = filled(3, 1, 2, 3)
    store.get(1, 0)
    store.put(4, 40, NEVER)

    assert kept(store) == [1, 3, 4]


def test_writing_again_counts_as_use_and_takes_no_second_place():
    store = filled(3, 1, 2, 3)
    store.put(1, 11, NEVER)
    store.put(4, 40, NEVER)

    assert kept(store) == [1, 3, 4]
    assert store.get(1, 0) == 11


def test_looking_for_what_is_not_there_changes_nothing():
    store = filled(2, 1, 2)
    store.get(9, 0)
    store.put(3, 30, NEVER)

    assert kept(store) == [2, 3]


@pytest.mark.parametrize(("now_ns", "is_found"), [(99, True), (100, False), (101, False)])
def test_it_expires_at_the_very_instant(now_ns, is_found):
    store = Lru(3)
    store.put(1, 10, 100)

    assert (store.get(1, now_ns) is not None) is is_found


def test_an_expired_entry_takes_room_until_somebody_looks_for_it():
    store = filled(2, 1)
    store.put(2, 20, 5)
    store.put(3, 30, NEVER)  # 1 has to go, though 2 is over at the time 5

    assert kept(store, now_ns=5) == [3]
    assert len(store) == 1


def test_writing_again_gives_a_new_life():
    store = Lru(2)
    store.put(1, 10, 100)
    store.put(1, 11, 200)

    assert store.get(1, 150) == 11


def test_a_store_without_room_keeps_nothing():
    assert kept(filled(0, 1, 2)) == []


def test_dropping_and_clearing():
    store = filled(5, 1, 2, 3)
    store.drop(2)
    store.drop(7)
    assert kept(store) == [1, 3]
    store.clear()
    assert kept(store) == []


def test_it_is_right_in_a_long_mixed_run():
    """Against a plain list in order of use, over 20,000 steps of a fixed pattern."""
    store, order = Lru(7), []
    value = 1
    for _ in range(20_000):
        value = value * 48271 % 2147483647
        key = value % 12
        if value % 5 < 3:
            assert (store.get(key, 0) is not None) == (key in order)
            if key in order:
                order.remove(key)
                order.append(key)
        else:
            store.put(key, key, NEVER)
            if key in order:
                order.remove(key)
            order.append(key)
            del order[:-7]
