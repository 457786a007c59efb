"""Counts that replicas share: who knows what, and since when."""

from __future__ import annotations

from meshsim.policies.filters.shared_counter import LocalCounter, Place, SharedCounter

HERE = Place(rule=0, key=0, window=0)


def test_a_replica_knows_what_it_has_read_and_what_it_has_counted_since():
    store = SharedCounter()
    store.add(HERE, 7)
    one = LocalCounter(store, interval_ns=100)
    assert not one.knows(HERE)

    one.read(0, HERE)
    one.add(0, HERE, 2, is_told=False)

    assert one.knows(HERE)
    assert one.count(HERE) == 9
    assert store.count(99, HERE) == 7


def test_what_is_told_at_once_counts_once():
    store = SharedCounter()
    one = LocalCounter(store, interval_ns=100)
    one.read(0, HERE)
    one.add(0, HERE, 2, is_told=True)

    assert one.count(HERE) == store.count(0, HERE) == store.count(100, HERE) == 2


def test_when_the_interval_is_over_the_store_knows_and_the_replica_has_to_read_again():
    """The interval begins with the first that is counted."""
    store = SharedCounter()
    one = LocalCounter(store, interval_ns=100)
    one.read(10, HERE)
    one.add(30, HERE, 1, is_told=False)
    one.add(90, HERE, 1, is_told=False)

    assert [store.count(now_ns, HERE) for now_ns in (129, 130)] == [0, 2]
    assert not one.knows(HERE)
    one.read(130, HERE)
    assert one.count(HERE) == 2


def test_places_are_counted_apart_and_an_old_window_is_forgotten():
    store = SharedCounter()
    for place, count in ((HERE, 1), (Place(0, 1, 0), 2), (Place(1, 0, 0), 3), (Place(0, 0, 1), 4), (HERE, 100)):
        store.add(place, count)

    assert [store.count(0, place) for place in (Place(0, 1, 0), Place(1, 0, 0), Place(0, 0, 1), HERE)] == [2, 3, 4, 0]


def test_nothing_is_lost_between_replicas():
    """Whatever the order: what all have counted is what the store has in the end."""
    store = SharedCounter()
    replicas = [LocalCounter(store, interval_ns=interval_ns) for interval_ns in (7, 20, 33)]
    for now_ns in range(0, 300, 3):
        one = replicas[now_ns % 5 % 3]
        one.sync_if_due(now_ns)
        is_new = not one.knows(HERE)
        if is_new:
            one.read(now_ns, HERE)
        one.add(now_ns, HERE, 1, is_told=is_new)
        assert one.count(HERE) <= now_ns // 3 + 1

    assert store.count(1000, HERE) == 100
