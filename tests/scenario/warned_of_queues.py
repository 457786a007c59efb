"""Rows for what `check` says of queue disciplines, and of loads: how their requests are spaced, and what they have no time for."""

from __future__ import annotations

from typing import Any

from warned_scenarios import OPEN, Row, alike, back, both, clients, flagged, gateway, longest, unlike, users

from meshsim.scenario.advice.remark import Kind

SLOW = {"replicas": 1, "workers": 1, "script": [{"compute": {"exponential": {"mean": "15ms"}}}]}


def queued(discipline: Any, *changes: dict[str, Any], **queue: Any) -> dict[str, Any]:
    """One worker that is nearly always busy, and its queue."""
    return gateway(**both(back(**SLOW, queue={"discipline": discipline, **queue}), *changes))


def other(**settings: Any) -> dict[str, Any]:
    """A second load."""
    return {"load": {"others": {**OPEN, "rate": "10/s", **settings}}}


def spaced(arrivals: str | None) -> dict[str, Any]:
    """One worker that works for 15 ms on each request."""
    return gateway(**both(clients(arrivals=arrivals), back(replicas=1, workers=1, script=[{"compute": "15ms"}])))


def bursty(lasts: str) -> dict[str, Any]:
    """50/s, half of the time nothing and half of the time twice as many."""
    states = [{"intensity": 1, "lasts": lasts}, {"intensity": 0, "lasts": lasts}]
    return gateway(**clients(bursts={"states": states}))


def counted_users(iterations: int) -> dict[str, Any]:
    """Two users who ask every 100 ms for 4 s."""
    return gateway(**users(2, executor="per-vu-iterations", iterations=iterations, think_time="95ms"))


def asked(least: int, most: int) -> Any:
    """So many requests are sent."""
    return lambda result: least <= len(result.requests) <= most


BATCH = other(criticality="sheddable")
HURRIED = both(clients(timeout="5s"), other(timeout="200ms"))
PUSHING = {"priority": {"push_out": True}}
HELD = {"replicas": 1, "workers": 200, "script": [{"transaction": "db", "script": [{"compute": "50ms"}]}]}


def pooled(size: int, **more: Any) -> dict[str, Any]:
    """50/s that hold a connection for 50 ms: two and a half of them."""
    return gateway(**back(**HELD, connection_pools={"db": {"maximum_pool_size": size, "acquire_timeout": "500ms"}, **more}))


def unused_pools(count: int) -> Any:
    """So many pools gave nobody a connection."""
    return lambda result: sum(not pool.acquired for pool in result.summary().connection_pools) == count


SLOW_LOAD = {"replicas": 1, "workers": 500}


def cached(cache: dict[str, Any], faults: Any = (), **more: Any) -> dict[str, Any]:
    """50/s that load what is not there in 50 ms."""
    script = [{"cached": "values", "script": [{"compute": "200ms"}]}]
    return gateway(**both(back(**SLOW_LOAD, caches={"values": cache, **more}, script=script), {"faults": list(faults)}))


def flushed(**cache: Any) -> dict[str, Any]:
    """A flush of the only value, in the middle."""
    return cached(
        {"keys": {"count": 1}, "warm": True, **cache}, [{"at": "2s", "for": "1ms", "service": "back", "flush": "values"}]
    )


def of_caches(name: str, least: int, most: int) -> Any:
    """So many, of all caches."""
    return lambda result: least <= result.caches[name].sum() <= most


def silent_caches(count: int) -> Any:
    """So many were never asked."""
    return lambda result: sum(cache.hit_ratio is None for cache in result.summary().caches) == count


MANY = {"count": 500}
ROWS = (
    Row(Kind.CACHE_IS_NOT_READ, cached({"keys": MANY}, spare={}), silent_caches(1), cached({"keys": MANY}), silent_caches(0)),
    Row(Kind.CACHE_OF_ONE_VALUE, cached({}), of_caches("entries", 1, 100), cached({"keys": MANY}), of_caches("entries", 101, 10**9)),
    Row(
        Kind.CACHE_IS_NEVER_FULL, cached({"keys": {"count": 9}, "capacity": 9}), of_caches("evictions", 0, 0),
        cached({"keys": {"count": 9}, "capacity": 8}), of_caches("evictions", 1, 10**9),
    ),
    Row(
        Kind.FLUSH_WITHOUT_SINGLE_FLIGHT, flushed(), of_caches("loads", 4, 40), flushed(single_flight=True), of_caches("loads", 1, 1),
    ),
    Row(Kind.CONNECTIONS_CANNOT_KEEP_UP, pooled(1), flagged("pool_timeout", 0.05), pooled(4), flagged("pool_timeout", 0, 0)),
    Row(Kind.POOL_WITHOUT_TRANSACTION, pooled(4, spare={}), unused_pools(1), pooled(4), unused_pools(0)),
    Row(
        Kind.PRIORITY_OF_ONE_CLASS, queued("priority"), alike(queued("fifo")), queued("priority", BATCH), unlike(queued("fifo", BATCH)),
    ),
    Row(
        Kind.PUSH_OUT_WITHOUT_LIMIT, queued(PUSHING, BATCH), flagged("pushed_out", 0, 0), queued(PUSHING, BATCH, limit=2),
        flagged("pushed_out", 0.005),
    ),
    Row(
        Kind.FAIR_WITH_ONE_CONSUMER, queued("fair"), alike(queued("fifo")), queued("fair", other(consumer="web")),
        unlike(queued("fifo", other(consumer="web"))),
    ),
    Row(
        Kind.NO_DEADLINES, queued("earliest_deadline_first"), alike(queued("fifo")), queued("earliest_deadline_first", HURRIED),
        unlike(queued("fifo", HURRIED)),
    ),
    Row(  # nothing, as it happens, or twice the rate that is written
        Kind.BURSTS_OUTLAST_THE_LOAD, bursty("20s"), asked(0, 0), bursty("50ms"), asked(150, 250),
    ),
    Row(
        Kind.ITERATIONS_LEFT_OVER, counted_users(100), asked(60, 84), counted_users(20), asked(40, 40),
    ),
    Row(  # a worker that is busy for 15 of 20 ms
        Kind.ARRIVALS_NOT_SAID, spaced(None), longest(0, 0.016), spaced("poisson"), longest(0.05),
    ),
)  # fmt: skip
