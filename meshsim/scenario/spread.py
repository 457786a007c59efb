"""How replicas are spread over zones: as a service grows and shrinks, by subset, and in which order they are replaced.

New replicas go where the fewest are, and the newest go first when there are too many. Kubernetes' scheduler prefers the zone with the
fewest Pods of a Deployment (by default within a skew of 5); its ReplicaSet deletes first where several of its Pods share a node, then
the newest, then by chance. Replicas of a service that were there together have no age and no nodes here: the fullest zone loses one first.

Sources: Kubernetes, pkg/scheduler/framework/plugins/podtopologyspread (systemDefaultConstraints);
pkg/controller/replicaset/replica_set.go (getPodsRankedByRelatedPodsOnSameNode), pkg/controller/controller_utils.go (ActivePodsWithRanks).
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def subsets_over(zones: Sequence[int], sizes: Mapping[int, int]) -> list[int]:
    """The subset of each of the places that are there at the start: each subset is spread, as a Deployment of its own is.

    In one zone the first places are of the first subset, and so on.

    Args:
        zones: Of each place.
        sizes: Places of each subset, together as many as there are.
    """
    free = {zone: deque(place for place, one in enumerate(zones) if one == zone) for zone in dict.fromkeys(zones)}
    subsets = [-1] * len(zones)
    for subset, size in sizes.items():
        here: Counter[int] = Counter()
        for _ in range(size):
            zone = min((zone for zone in free if free[zone]), key=lambda zone: (here[zone], -len(free[zone])))
            here[zone] += 1
            subsets[free[zone].popleft()] = subset
    return subsets


def grown(zones: Sequence[int], domains: Sequence[int], subsets: Sequence[int], most: int) -> tuple[list[int], list[int]]:
    """Zone and subset of each place, of those at the start and of as many more as make `most`.

    Subsets go round again; a new replica goes to the zone with the fewest of its subset, and the fewest at all among such.

    Args:
        zones: Of each place at the start.
        domains: Zones that there are.
        subsets: Of each place at the start; empty where there are none.
        most: Places that are needed.
    """
    every_zone, every_subset, rounds = list(zones), list(subsets), sorted(subsets) or [0]
    of_kind, of_zone = Counter(zip(subsets or [0] * len(zones), zones, strict=True)), Counter(zones)
    for place in range(len(zones), most):
        subset = rounds[place % len(rounds)]
        zone = min(domains, key=lambda zone: (of_kind[subset, zone], of_zone[zone]))
        of_kind[subset, zone] += 1
        of_zone[zone] += 1
        every_zone.append(zone)
        if subsets:
            every_subset.append(subset)
    return every_zone, every_subset


def order(zones: Sequence[int], subsets: Sequence[int], replicas: int) -> tuple[int, ...]:
    """All places, so that the first n of them are those that are there while a service has n replicas.

    Args:
        zones: Of each place.
        subsets: Of each place; empty where there are none.
        replicas: Places that are taken at the start: the first ones.
    """
    left: dict[tuple[int, int], list[int]] = {}
    for place in range(replicas):
        left.setdefault((subsets[place] if subsets else 0, zones[place]), []).append(place)
    of_subset, of_zone = Counter[int](), Counter(zones[:replicas])
    for (subset, _), places in left.items():
        of_subset[subset] += len(places)
    at_first = Counter(of_subset)

    def fullness(kind: tuple[int, int]) -> tuple[float, ...]:
        """The larger, the sooner it loses one: a subset keeps its share of all, then come zones, then the latest numbers."""
        subset, zone = kind
        return of_subset[subset] / at_first[subset], subset, len(left[kind]), of_zone[zone], left[kind][-1]

    leaving = []
    while left:
        subset, zone = kind = max(left, key=fullness)
        leaving.append(left[kind].pop())
        of_subset[subset] -= 1
        of_zone[zone] -= 1
        if not left[kind]:
            del left[kind]
    return (*reversed(leaving), *range(replicas, len(zones)))
