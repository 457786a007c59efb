"""Where replicas are, and which of them a fault strikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.plan import Effect, Fault
from meshsim.scenario.spread import grown, order, subsets_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.planning.index import Index
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.services import ServiceSection


def place_zones(place: Any, index: Index) -> tuple[int, ...]:
    """The zone of each replica, zone by zone in alphabetical order."""
    if place.zones:
        return tuple(index.zones[zone] for zone in sorted(place.zones) for _ in range(place.zones[zone]))
    return tuple(index.zones[place.zone or ""] for _ in range(place.replicas))


class Places(NamedTuple):
    """All places that a service ever has instances at."""

    zones: tuple[int, ...]
    subsets: tuple[int, ...]
    """Empty where there are none."""
    order: tuple[int, ...]
    """The first n of these are taken while there are n replicas."""


def places_of(section: ServiceSection, index: Index) -> Places:
    """The places of a service: of the replicas at the start, zone by zone, and of as many as there ever are."""
    at_first = place_zones(section, index)
    sizes = {index.subsets[name]: size for name, size in sorted((section.subsets or {}).items())}
    domains = sorted({index.zones[zone] for zone in section.zones or (section.zone or "",)})
    zones, subsets = grown(at_first, domains, subsets_over(at_first, sizes) if sizes else (), section.most_replicas)
    return Places(tuple(zones), tuple(subsets), order(zones, subsets, len(at_first)))


def plan_faults(scenario: Scenario, index: Index) -> Iterator[Fault]:
    """One row for each fault and each service that it strikes."""
    for fault in scenario.faults:
        names = index.names.services if fault.service is None else (fault.service,)
        for name in names:
            struck = _struck(fault, scenario.services[name], index)
            if struck:
                effect, amount = _effect(fault)
                yield Fault(fault.at, fault.at + fault.for_, index.services[name], struck, effect, amount)


def _struck(fault: Any, section: ServiceSection, index: Index) -> tuple[int, ...]:
    zones, subsets, _ = places_of(section, index)
    wanted = None if fault.subset is None else index.subsets[fault.subset]
    chosen = [
        place
        for place, zone in enumerate(zones)
        if (fault.zone is None or zone == index.zones.get(fault.zone))
        and (wanted is None or subsets[place] == wanted)
        and (fault.instances is None or place in fault.instances)
    ]
    return tuple(chosen if fault.replicas is None else chosen[: fault.replicas])


def _effect(fault: Any) -> tuple[Effect, float]:
    """What a fault does, and how much."""
    if fault.crash:
        return Effect.CRASH, 1.0
    if fault.unreachable:
        return Effect.UNREACHABLE, 1.0
    return (Effect.ERRORS, float(fault.errors)) if fault.slow is None else (Effect.SLOW, float(fault.slow))
