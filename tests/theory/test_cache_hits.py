"""Hit ratios of services' caches against theory: independent references to a few keys, and renewals.

Those by replications assert 99.9 % intervals: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

from itertools import combinations, permutations
from math import exp, prod

import pytest
from statistics_of_runs import replicate

import meshsim as ms
from meshsim.scenario.flow.caching import least_misses
from meshsim.scenario.sections.caches import CacheSection

KEYS, ROOM, ZIPF = 6, 3, 0.8
RATE = 400.0
REPLICATIONS = 15
pytestmark = pytest.mark.slow


def shares(count=KEYS, zipf=ZIPF):
    weights = [rank**-zipf for rank in range(1, count + 1)]
    return [weight / sum(weights) for weight in weights]


def lru(asked, room):
    """The stack of those asked for last, from the latest on, has a product form (King, IFIP 1971)."""
    hits = 0.0
    for order in permutations(range(len(asked)), room):
        chance, left = 1.0, 1.0
        for key in order:
            chance, left = chance * asked[key] / left, left - asked[key]
        hits += chance * sum(asked[key] for key in order)
    return hits


def fifo(asked, room):
    """What is there has a product form, and the same whether the oldest makes room or any (Gelenbe, IEEE Trans. Computers C-22(6), 1973)."""
    weights = {inside: prod(asked[key] for key in inside) for inside in combinations(range(len(asked)), room)}
    return sum(weight * sum(asked[key] for key in inside) for inside, weight in weights.items()) / sum(weights.values())


def reading(caches, *, load="0s", rate=RATE, duration="14s"):
    """Requests that read all of these caches one after the other, each with keys of its own, loaded in a constant time."""
    return {
        "name": "hits",
        "load": {
            "all": {"executor": "constant-arrival-rate", "rate": f"{rate}/s", "arrivals": "poisson", "requests": {"shop": 1}}
        },
        "services": {
            "shop": {
                "workers": 10_000,
                "caches": caches,
                "script": [{"cached": name, "script": [{"compute": load}]} for name in caches],
            }
        },
        "run": {"duration": duration, "warm_up": "2s", "interval": "2s"},
    }


def of(cache, figure="hit_ratio"):
    return lambda result: next(getattr(one, figure) for one in result.summary().caches if one.cache == cache)


FEW = {"keys": {"count": KEYS, "zipf": ZIPF}, "capacity": ROOM}


def test_hit_ratios_of_few_keys_are_exact():
    """Of 6 keys 3 are there; all evictions beside each other in one run."""
    expected = {"lru": lru(shares(), ROOM), "fifo": fifo(shares(), ROOM), "random": fifo(shares(), ROOM)}
    assert expected["lru"] - expected["fifo"] > 0.01
    caches = {name: {**FEW, "eviction": name} for name in expected}

    for name, seen in zip(expected, replicate(reading(caches), REPLICATIONS, *(of(name) for name in expected)), strict=True):
        assert seen.agrees(expected[name], 0.02), (name, seen, expected[name])


def test_of_many_keys_they_are_che_s_approximation():
    """A thousand keys, room for fifty: the approximation is off by less than 0.002 there (`policies/test_cache_theory.py`).

    It is also what `check` and the demand of services go by.
    """
    many = {"keys": {"count": 1000, "zipf": 1.0}, "capacity": 50}
    caches = {name: {**many, "eviction": name} for name in ("lru", "random")}

    for name, seen in zip(caches, replicate(reading(caches), REPLICATIONS, *(of(name) for name in caches)), strict=True):
        section = CacheSection.model_validate(caches[name])
        assert seen.agrees(1 - least_misses(section), 0.03), (name, seen)


def test_with_a_time_to_live_they_are_those_of_renewals():
    """A load, lambda T hits in the mean, and the next load: lambda T / (1 + lambda T). Where each access begins the time anew, a request hits
    where the one before was within T: 1 - exp(-lambda T).

    Source: Jung, Berger and Balakrishnan, INFOCOM 2003; Fofack and others, "Performance evaluation of hierarchical TTL-based cache
    networks", Computer Networks 65, 2014.
    """
    rates, ttl_s = [RATE * share for share in shares()], 0.02
    keyed = {"keys": {"count": KEYS, "zipf": ZIPF}, "ttl": "20ms"}
    expected = {
        "write": sum(rate / RATE * rate * ttl_s / (1 + rate * ttl_s) for rate in rates),
        "access": sum(rate / RATE * (1 - exp(-rate * ttl_s)) for rate in rates),
    }
    caches = {name: {**keyed, "expire_after": name} for name in expected}

    for name, seen in zip(expected, replicate(reading(caches), REPLICATIONS, *(of(name) for name in expected)), strict=True):
        assert seen.agrees(expected[name], 0.02), (name, seen, expected[name])


def test_while_a_load_lasts_all_who_come_wait_for_it_and_a_cycle_has_one():
    """A load of D, a life of T, 1 / lambda until somebody asks: lambda T of 1 + lambda (D + T) look-ups hit, lambda D wait D / 2 in the mean."""
    rate, ttl_s, load_s = 100.0, 0.05, 0.02
    caches = {"one": {"keys": {"count": 1}, "ttl": "50ms", "single_flight": True}}
    made = reading(caches, load="20ms", rate=rate, duration="32s")
    cycle = load_s + ttl_s + 1 / rate

    ratio, loads, waited, wait = replicate(
        made, REPLICATIONS, of("one"), of("one", "loads"), of("one", "coalesced"), of("one", "wait_mean_s")
    )

    assert ratio.agrees(ttl_s / cycle, 0.02), ratio
    assert loads.agrees(30 / cycle, 0.02), loads
    assert waited.agrees(30 * rate * load_s / cycle, 0.05), waited
    assert wait.agrees(load_s / 2, 0.03), wait


@pytest.mark.parametrize("single_flight", [False, True])
def test_a_stampede_is_all_who_come_in_the_time_of_a_load(single_flight):
    """Of each of 200 keys 1 + lambda D loads, a Poisson number in a constant time, or one: five standard deviations of the sum are allowed."""
    keys, of_a_key, load_s = 200, 10.0, 1.0
    caches = {"all": {"keys": {"count": keys}, "single_flight": single_flight}}
    made = reading(caches, load="1s", rate=keys * of_a_key, duration="4s")
    made["run"] = {"duration": "4s", "seed": 5}
    (cache,) = ms.load(made).run().summary().caches

    if single_flight:
        assert cache.loads == keys
    else:
        assert cache.loads == pytest.approx(keys * (1 + of_a_key * load_s), abs=5 * (keys * of_a_key * load_s) ** 0.5)
