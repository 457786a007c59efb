"""Caches that nothing reads, that hit whatever is asked for, and flushes after which everyone loads the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark, number, per_second
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.caches import CacheSection
    from meshsim.scenario.sections.shown import PopularitySection

HERD = 2.0
"""So many requests that load one key at once, in the mean, are worth a warning."""


def settings_of_caches(flow: Flow) -> Iterator[Remark]:
    """A cache that no step reads, one with a single value, one that is never full."""
    for name, service in flow.scenario.services.items():
        mine = [one for operation in flow.operations.values() if operation.service == name for one in operation.lookups]
        for cache, section in service.caches.items():
            path = ("services", name, "caches", cache)
            here = [one for one in mine if one.cache == cache]
            if not here:
                yield Remark(Kind.CACHE_IS_NOT_READ, path, "no `cached` step of the service reads it, so it does nothing")
            elif section.hit_ratio is None and not _has_keys(flow, section) and not all(one.is_keyed for one in here):
                yield Remark(
                    Kind.CACHE_OF_ONE_VALUE,
                    path,
                    "all requests look up the same value, since neither it nor a load has `keys`: after the first miss they hit until it"
                    " expires; write `keys`, such as {count: 10000, zipf: 0.9}, or {count: 1} where that is meant",
                )
            if section.keys is not None and section.capacity is not None and section.capacity >= section.keys.count:
                yield Remark(
                    Kind.CACHE_IS_NEVER_FULL,
                    (*path, "capacity"),
                    f"there are {section.keys.count:,} keys and room for {section.capacity:,}, so that nothing ever has to make room",
                )


def flushes(flow: Flow) -> Iterator[Remark]:
    """A flush after which many load the commonest key at once."""
    for index, fault in enumerate(flow.scenario.faults):
        if fault.flush is None or fault.service is None:
            continue
        section = flow.scenario.services[fault.service].caches[fault.flush]
        if section.single_flight:
            continue
        rate, loading = _commonest(flow, fault.service, fault.flush)
        if loading >= HERD:
            yield Remark(
                Kind.FLUSH_WITHOUT_SINGLE_FLIGHT,
                ("faults", index, "flush"),
                f"after it {per_second(rate)} look-ups of the commonest key all load it until the first load is over, some {number(loading)}"
                " at once where nothing queues; write `single_flight: true` for one in each replica",
            )


def _commonest(flow: Flow, service: str, cache: str) -> tuple[float, float]:
    """Look-ups of the commonest key per second, and how many of its loads are under way at once while none has ended."""
    section = flow.scenario.services[service].caches[cache]
    rate = loading = 0.0
    for operation in flow.operations.values():
        for one in operation.lookups if operation.service == service else ():
            if one.cache == cache:
                asked = flow.visits[operation.key] * one.times * _largest_share(_keys(flow, section))
                rate += asked
                loading += asked * flow.held_ns(one) / NS_PER_S
    return rate, loading


def _keys(flow: Flow, section: CacheSection) -> list[PopularitySection]:
    """What may be looked up: the cache's own keys, or those of loads."""
    if section.keys is not None:
        return [section.keys]
    return [load.keys for load in flow.scenario.load.values() if load.keys is not None]


def _has_keys(flow: Flow, section: CacheSection) -> bool:
    return bool(_keys(flow, section))


def _largest_share(keys: list[PopularitySection]) -> float:
    """Of all look-ups, those of the commonest key; of several loads what is least."""
    return min((1.0 / sum(rank**-one.zipf for rank in range(1, one.count + 1)) for one in keys), default=1.0)


CHECKS = (settings_of_caches, flushes)
