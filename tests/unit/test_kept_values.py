"""What a cache keeps: room, who makes it, lives, and what is lost; and the exact hit ratios of few keys."""

from __future__ import annotations

from itertools import combinations, permutations
from math import prod

import numpy as np
import pytest

from meshsim.engines.reference.services.kept_values import KeptValues
from meshsim.plan import NONE, Eviction


def filled(eviction, capacity, keys):
    values = KeptValues(capacity, eviction, 7)
    for key in keys:
        values.put(key)
    return values


def inside(values, keys):
    """Those that are there; `find` counts as a use, which is the last thing that these tests look at."""
    return [key for key in keys if values.find(key) is not None]


def test_lru_gives_up_what_was_used_longest_ago_and_fifo_what_came_first():
    for eviction, left in ((Eviction.LRU, [1, 3]), (Eviction.FIFO, [2, 3])):
        values = filled(eviction, 2, [1, 2])
        assert values.find(1) is not None
        values.put(3)
        assert inside(values, range(5)) == left
        assert values.evicted == 1


def test_a_key_that_is_there_needs_no_room():
    values = filled(Eviction.FIFO, 2, [1, 2])
    values.put(1)

    assert (inside(values, range(5)), values.evicted) == ([1, 2], 0)


def test_random_gives_up_any_of_them():
    """Of a thousand that make room for as many others, each the first time: none is spared, and one who came just now may go."""
    values = filled(Eviction.RANDOM, 100, range(1100))

    assert len(values) == 100
    assert values.evicted == 1000
    old = [key for key in inside(values, range(1100)) if key < 1000]
    assert 20 < len(old) < 60  # exp(-1) = 37 in the mean


def test_without_a_limit_all_stay():
    values = filled(Eviction.LRU, NONE, range(5000))

    assert (len(values), values.evicted) == (5000, 0)


def test_closed_it_keeps_nothing_until_it_is_opened_as_often():
    values = filled(Eviction.RANDOM, 2, [1, 2])
    values.close()
    values.close()
    values.open()

    assert (len(values), values.put(3)) == (0, None)
    values.open()
    assert values.put(3) is not None
    assert len(values) == 1


KEYS, ROOM = 6, 3
SHARES = [rank**-0.8 / sum(other**-0.8 for other in range(1, KEYS + 1)) for rank in range(1, KEYS + 1)]


def product_form_of_lru():
    """The stack of those asked for last, from the latest on (King, IFIP 1971)."""
    hits = 0.0
    for order in permutations(range(KEYS), ROOM):
        chance, left = 1.0, 1.0
        for key in order:
            chance, left = chance * SHARES[key] / left, left - SHARES[key]
        hits += chance * sum(SHARES[key] for key in order)
    return hits


def product_form_of_fifo():
    """What is there, whether the oldest makes room or any (Gelenbe, IEEE Trans. Computers C-22(6), 1973)."""
    weights = {these: prod(SHARES[key] for key in these) for these in combinations(range(KEYS), ROOM)}
    return sum(weight * sum(SHARES[key] for key in these) for these, weight in weights.items()) / sum(weights.values())


@pytest.mark.parametrize(
    ("eviction", "expected"),
    [
        (Eviction.LRU, product_form_of_lru()),
        (Eviction.FIFO, product_form_of_fifo()),
        (Eviction.RANDOM, product_form_of_fifo()),
    ],
)
def test_hit_ratios_under_independent_references_are_exact(eviction, expected):
    """100,000 references; batches of 1,000 give the standard error, of which four are allowed: false alarms 1 in 10,000 a fresh seed."""
    asked = np.random.Generator(np.random.PCG64(3)).choice(KEYS, 100_000, p=SHARES)
    values, found = KeptValues(ROOM, eviction, 11), []
    for key in asked.tolist():
        found.append(values.find(key) is not None)
        if not found[-1]:
            values.put(key)
    batches = np.reshape(found, (100, -1)).mean(axis=1)
    error = batches.std(ddof=1) / 10

    assert error < 0.003
    assert batches.mean() == pytest.approx(expected, abs=4 * error)


def test_lru_hits_more_often_than_fifo_by_more_than_those_errors():
    assert product_form_of_lru() - product_form_of_fifo() > 0.015
