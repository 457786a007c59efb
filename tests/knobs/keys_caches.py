"""Keys of the caches of services, and of the steps that read through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keys_measures as measure
from keys_network_faults import fault
from keys_worlds import Section, front_is, mesh_world
from rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim import Result

KEYS = {"count": 40, "zipf": 0.8}


def reads(cache: Section, **more: object) -> Section:
    """A front that is asked 400 times a second, and calls the back for what is not in its cache."""
    front = {"caches": {"values": cache}, "script": [{"cached": "values", "script": [{"call": "back"}]}]}
    return mesh_world(front={**front, **more}, load={"rate": "400/s", "arrivals": "poisson"})


def of(name: str, cache: str = "values") -> Callable[[Result], float]:
    """A figure of a cache of the front over the whole run."""
    return lambda result: float(result.caches.loc[result.caches["cache"] == cache, name].sum())


def cache(**settings: object) -> Section:
    """A change of the front's cache."""
    return front_is(caches={"values": settings})


def script(inside: Section, **more: object) -> Section:
    """Another script of the front."""
    return front_is(script=[{"cached": "values", "script": [inside], **more}])


def cache_rows() -> list[Row]:
    """Rows of what a cache keeps, and for how long, and who loads."""
    keyed, one = reads({"keys": KEYS}), reads({"keys": {"count": 1}, "ttl": "50ms"})
    full, known = reads({"keys": KEYS, "capacity": 10}), reads({"hit_ratio": "20%"})
    flights, broken = (reads({"keys": KEYS, "single_flight": True, **more}) for more in ({"ttl": "100ms"}, {}))
    broken["services"]["back"]["errors"] = "100%"
    two = reads({"keys": KEYS}, caches={"values": {"keys": KEYS}, "others": {"hit_ratio": "0%"}})
    hits, misses, loads, asked = of("hits"), of("misses"), of("loads"), measure.attempts_at("back")
    flushed = fault(service="front", flush="values", at="500ms", **{"for": "1ms"})
    return [
        Row("ServiceSection.caches", full, {}, cache(capacity=20), misses, "less"),
        Row("CacheSection.hit_ratio", known, {}, cache(hit_ratio="80%"), hits, "more"),
        Row("CacheSection.keys", keyed, {}, cache(keys={"count": 400}), misses, "more"),
        Row("PopularitySection.count", keyed, {}, cache(keys={"count": 80}), misses, "more"),
        Row("PopularitySection.zipf", full, {}, cache(keys={"zipf": 2}), hits, "more"),
        Row("CacheSection.capacity", full, {}, cache(capacity=20), of("evictions"), "less"),
        Row("CacheSection.eviction", full, {}, cache(eviction="fifo"), hits, "less"),
        Row("CacheSection.eviction random", full, cache(eviction="fifo"), cache(eviction="random"), hits, "other"),
        Row("CacheSection.ttl", one, {}, cache(ttl="200ms"), loads, "less"),
        Row("CacheSection.jitter", one, {}, cache(jitter="50%"), loads, "more"),
        Row("CacheSection.expire_after", one, {}, cache(expire_after="access"), loads, "less"),
        Row("CacheSection.single_flight", one, {}, cache(single_flight=True), loads, "less"),
        Row("CacheSection.failed_load", broken, {}, cache(failed_load="next"), loads, "more"),
        Row("CacheSection.stale_while_revalidate", one, {}, cache(stale_while_revalidate="1s"), of("stale_hits"), "more"),
        Row("CacheSection.early_expiration", flights, {}, cache(early_expiration=3), loads, "more"),
        Row("CacheSection.shared", reads({"keys": KEYS}, replicas=4), {}, cache(shared=True), misses, "less"),
        Row("CacheSection.warm", keyed, {}, cache(warm=True), misses, "less"),
        Row("CachedStep.cached", two, {}, front_is(script=[{"cached": "others", "script": [{"call": "back"}]}]), asked, "more"),
        Row("CachedStep.script", keyed, {}, script({"compute": "1ms"}), asked, "less"),
        Row("CachedStep.lookup", keyed, {}, script({"call": "back"}, lookup=[{"compute": "2ms"}]), measure.latency, "more"),
        Row("FaultSection.flush", keyed, fault(service="front", slow=1), flushed, misses, "more"),
    ]


ROWS = cache_rows()
