"""Where replicas are, and which of them a fault strikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.plan import Effect, Fault

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


def all_zones(section: ServiceSection, index: Index) -> tuple[int, ...]:
    """The zone of each place for an instance: of the replicas at the start, and of as many as there ever are, round the zones again."""
    zones = place_zones(section, index)
    most = max([len(zones), *(step.replicas for step in section.scale)])
    return tuple(zones[number % len(zones)] for number in range(most))


def subset_numbers(section: ServiceSection, places: int, index: Index) -> tuple[int, ...]:
    """The number of the subset of each place: the first ones are of the first name, and so on; those beyond go round again."""
    if not section.subsets:
        return ()
    numbers = [index.subsets[name] for name in sorted(section.subsets) for _ in range(section.subsets[name])]
    return tuple(numbers[place % len(numbers)] for place in range(places))


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
    zones = all_zones(section, index)
    subsets = subset_numbers(section, len(zones), index)
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
