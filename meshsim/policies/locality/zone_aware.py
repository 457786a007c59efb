"""Zone-aware routing: stay in the zone as far as all zones are burdened alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import PARTS, Level, Locality, healthy_by_zone
from meshsim.registry import policy
from meshsim.units import Count, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.locality.locality import Host


@policy
class ZoneAware(Locality):
    """Keep requests in the caller's zone as far as every host gets the same load.

    Where the zone's share of the callers is not above its share of the hosts, all stay; else as many as the hosts there can take in
    proportion, and the rest goes to the zones with room to spare. It acts only with at least `min_cluster_size` healthy hosts, in
    the first priority, outside of panic, and with hosts in the caller's zone.

    Source: Envoy, docs/root/intro/arch_overview/upstream/load_balancing/zone_aware.rst;
    source/extensions/load_balancing_policies/common/load_balancer_impl.cc (regenerateLocalityRoutingStructures).
    """

    min_cluster_size: Count = 6
    """Healthy hosts below which zones are ignored."""
    routing_enabled: Share = 1.0
    """Share of the requests that it looks at; the rest ignores zones."""

    def inside(
        self,
        hosts: Sequence[Host],
        everyone: list[int],
        own_zone: int,
        callers: Sequence[int],
        overprovisioning: float,
        *,
        is_first: bool,
    ) -> Level:
        """The own zone, and the others by the room that they have to spare."""
        zones = healthy_by_zone(hosts, everyone)
        healthy = [position for each in zones.values() for position in each]
        if not is_first or len(zones) < 2 or own_zone not in zones or len(healthy) < self.min_cluster_size:
            return super().inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first)
        of_hosts = {zone: PARTS * len(each) // len(healthy) for zone, each in zones.items()}
        everyone_calling = max(1, sum(callers))
        of_callers = {zone: PARTS * (callers[zone] if zone < len(callers) else 0) // everyone_calling for zone in zones}
        stays = PARTS
        if of_hosts[own_zone] < of_callers[own_zone]:
            stays = PARTS * of_hosts[own_zone] // of_callers[own_zone]
        spare = {zone: max(0, of_hosts[zone] - of_callers[zone]) for zone in zones if zone != own_zone}
        return self._shared(zones, healthy, own_zone, stays, spare)

    def _shared(self, zones: dict[int, list[int]], healthy: list[int], own_zone: int, stays: int, spare: dict[int, int]) -> Level:
        groups, bounds = [zones[own_zone]], [round(stays * self.routing_enabled)]
        going, total, so_far = round((PARTS - stays) * self.routing_enabled), sum(spare.values()), 0
        for zone, room in spare.items():
            share = room if total else 1
            so_far += share
            if share and going:
                groups.append(zones[zone])
                bounds.append(bounds[0] + going * so_far // (total or len(spare)))
        if self.routing_enabled < 1.0:
            groups.append(healthy)
            bounds.append(PARTS)
        if len(groups) == 1:
            return Level(groups)
        bounds[-1] = PARTS
        return Level(groups, bounds=bounds)
