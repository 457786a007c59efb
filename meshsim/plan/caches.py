"""Caches of services."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Eviction(IntEnum):
    """Who makes room in a cache that is full."""

    LRU = 0
    FIFO = 1
    RANDOM = 2


class Cache(NamedTuple):
    """Values that the instances of a service keep."""

    name: int
    stream: int
    """Hash of its name: what it draws hangs on that, and not on which other caches there are."""
    hit_ratio: float
    """How often a look-up hits, by chance; NONE where that follows from what is kept."""
    key_shares: tuple[float, ...]
    """Upper bounds of the cumulated shares of its keys; empty where requests bring their own."""
    capacity: int
    """NONE for no limit."""
    eviction: Eviction
    ttl_ns: int
    """NONE for ever."""
    jitter: float
    extends_on_access: bool
    """Whether each hit begins the time to live anew."""
    is_single_flight: bool
    shares_failures: bool
    """Whether those who wait for a load fail with it; else the next of them loads."""
    stale_ns: int
    """How long after its end a value is given while it is loaded again; 0 for not at all."""
    early: float
    """XFetch's beta; 0 for not at all."""
    is_shared: bool
    """Whether all instances have one together."""
    is_warm: bool
    """Whether its keys are there at the start."""
