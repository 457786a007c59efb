"""Caches that services read through."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from meshsim.scenario.sections.shown import PopularitySection
from meshsim.scenario.sections.types import Duration, Section, Share
from meshsim.scenario.sections.wording import mistake

PositiveDuration = Annotated[Duration, Gt(0)]
OF_A_TTL = ("jitter", "expire_after", "stale_while_revalidate", "early_expiration")
"""Settings that do nothing where nothing expires."""


class CacheSection(Section):
    """Values that a service keeps: its own in each replica, as with Caffeine or Guava, or shared by all of them, as with Redis or memcached."""

    hit_ratio: Share | None = None
    """The share of look-ups that hit, where that is known; each by chance. Where absent it follows from keys, capacity and `ttl`."""
    keys: PopularitySection | None = None
    """What is looked up, some keys more often than others; where absent the `keys` of the load, and without those one value for all."""
    capacity: Annotated[int, Ge(1), Le(10_000_000)] | None = None
    """Values that it has room for; no limit where absent. What has expired takes up room until it is asked for again or has to go."""
    eviction: Literal["lru", "fifo", "random"] | None = None
    """Which value makes room: `lru`, the one least recently used, as in memcached and Redis' `allkeys-lru`; `fifo`, the oldest one;
    `random`, any of them, as in Redis' `allkeys-random`. `lru` where absent."""
    ttl: PositiveDuration | None = None
    """How long a value is good after it was loaded; forever where absent."""
    jitter: Share = 0.0
    """Each value's `ttl` is shortened by a random fraction of up to this share, so that values loaded together do not expire together."""
    expire_after: Literal["write", "access"] = "write"
    """Whether the `ttl` begins when a value is loaded, as with Redis' `SET ... EX` and Caffeine's `expireAfterWrite`, or again with each hit, as
    with `expireAfterAccess`."""
    single_flight: bool = False
    """Whether those who miss a key that is being loaded wait for that load, as with Go's singleflight, rather than load it too. Within one
    replica: of a shared cache each replica loads once."""
    failed_load: Literal["share", "next"] | None = None
    """What becomes of those who wait when the load fails or its request is cancelled: all fail with it, as with Go's singleflight, or the next of
    them loads, as with Caffeine's `get`. `share` where absent."""
    stale_while_revalidate: PositiveDuration | None = None
    """For this long after a value has expired it is still served, while a single load in the background replaces it."""
    early_expiration: Annotated[float, Gt(0), Le(1000)] | None = None
    """XFetch: a look-up loads a value before it expires, by chance: the likelier, the nearer its expiry and the longer its load
    took. The value is the factor beta, of which 1 is the optimum. No early loads where absent."""
    shared: bool = False
    """Whether all replicas share one cache. A cache of each replica is cold in a new or restarted one."""
    warm: bool = False
    """Whether it holds its `keys` at the start: as many as fit, the most frequent first, each with a random part of its `ttl` left."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.hit_ratio is not None:
            for name in sorted(self.model_fields_set - {"hit_ratio"}):
                raise mistake("has no meaning with a `hit_ratio`: nothing is kept, each look-up hits by chance", name)
        if self.ttl is None:
            for name in OF_A_TTL:
                if name in self.model_fields_set:
                    raise mistake("needs a `ttl`: nothing expires without one", name)
        if self.capacity is None and self.eviction is not None:
            raise mistake("needs a `capacity`: without one nothing has to make room", "eviction")
        if self.failed_load is not None and not self.single_flight:
            raise mistake("needs `single_flight`: nobody waits for another's load without it", "failed_load")
        if self.warm and self.keys is None:
            raise mistake("needs `keys` of the cache's own: it has to be known what is in it", "warm")
        return self
