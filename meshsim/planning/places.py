"""Where replicas are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.scenario.spread import grown, order, subsets_over

if TYPE_CHECKING:
    from meshsim.planning.index import Index
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
    zones, subsets = grown(at_first, domains, subsets_over(at_first, sizes) if sizes else (), section.places)
    return Places(tuple(zones), tuple(subsets), order(zones, subsets, len(at_first)))
