"""Caches of services as an engine takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, Cache, Eviction
from meshsim.planning.loads import key_shares
from meshsim.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.planning.index import Index
    from meshsim.scenario.sections.services import ServiceSection


def plan_caches(section: ServiceSection, index: Index) -> Iterator[Cache]:
    """The caches of a service, by name."""
    for name, cache in sorted(section.caches.items()):
        yield Cache(
            name=index.caches[name],
            stream=stream(f"cache {name}"),
            hit_ratio=NONE if cache.hit_ratio is None else cache.hit_ratio,
            key_shares=key_shares(cache.keys),
            capacity=NONE if cache.capacity is None else cache.capacity,
            eviction=Eviction[(cache.eviction or "lru").upper()],
            ttl_ns=NONE if cache.ttl is None else cache.ttl,
            jitter=cache.jitter,
            extends_on_access=cache.expire_after == "access",
            is_single_flight=cache.single_flight,
            shares_failures=cache.failed_load != "next",
            stale_ns=cache.stale_while_revalidate or 0,
            early=cache.early_expiration or 0.0,
            is_shared=cache.shared,
            is_warm=cache.warm,
        )
