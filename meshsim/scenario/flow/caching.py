"""How often a cache can hit at most, from its keys and its room."""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.scenario.sections.caches import CacheSection

SELDOM = 1e-6
"""Share of misses where nothing has to make room: as good as none, and not none, since everything is loaded once."""
EXACT_RANKS = 1000
_BLOCK = 1.02
"""Ranks beyond those stand together in blocks, each so many times as far out as the one before: their shares differ little."""


def least_misses(cache: CacheSection) -> float:
    """Share of the look-ups that miss at the least: what is given, or what the room makes of it. Expiry, cold starts and flushes come on top."""
    if cache.hit_ratio is not None:
        return 1.0 - cache.hit_ratio
    if cache.keys is None or cache.capacity is None or cache.capacity >= cache.keys.count:
        return SELDOM
    found = _lru if (cache.eviction or "lru") == "lru" else _fifo
    return max(SELDOM, 1.0 - _hits(_ranks(cache.keys.count, cache.keys.zipf), cache.capacity, found))


def _ranks(count: int, zipf: float) -> list[tuple[float, float]]:
    """Share of a key, and how many have it, in the order of their ranks."""
    made: list[tuple[float, float]] = []
    first = 1
    while first <= count:
        after = first + 1 if first <= EXACT_RANKS else min(count + 1, max(first + 1, round(first * _BLOCK)))
        made.append((((first + after - 1) / 2) ** -zipf, float(after - first)))
        first = after
    total = sum(share * keys for share, keys in made)
    return [(share / total, keys) for share, keys in made]


def _lru(asked: float) -> float:
    """Chance that a key is there that was asked for so often, in the mean, in the time that a value stays."""
    return -expm1(-asked)


def _fifo(asked: float) -> float:
    """The same where each stays for a time whether or not it is asked for, and where any makes room."""
    return asked / (1.0 + asked)


def _hits(ranks: list[tuple[float, float]], capacity: int, chance: Callable[[float], float]) -> float:
    """Hit ratio: each value stays for the time in which so many different ones are there that the room is full.

    Source: Che, Tung and Wang, IEEE JSAC 20(7), 2002; Martina, Garetto and Leonardi, INFOCOM 2014 (FIFO, random).
    """
    low, high = 0.0, float(capacity)
    while sum(keys * chance(share * high) for share, keys in ranks) < capacity:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        if sum(keys * chance(share * middle) for share, keys in ranks) < capacity:
            low = middle
        else:
            high = middle
    return sum(share * keys * chance(share * high) for share, keys in ranks)
