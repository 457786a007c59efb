"""Zone-aware routing: stay in the zone as far as all zones are burdened alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import HEALTHY, PARTS, Level, Locality, LocalityState, healthy_by_zone
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
    the first priority, outside of panic, and with callers in two zones at least. Each request is drawn for itself: changes restart nothing.

    Source: Envoy, docs/root/intro/arch_overview/upstream/load_balancing/zone_aware.rst;
    source/extensions/load_balancing_policies/common/load_balancer_impl.cc (regenerateLocalityRoutingStructures,
    earlyExitNonLocalityRouting).
    """

    min_cluster_size: Count = 6
    """Healthy hosts below which zones are ignored."""
    routing_enabled: Share = 1.0
    """Share of the requests that it looks at; the rest ignores zones."""

    def build(self, zones: tuple[str, ...] = (), **_: object) -> ZoneAwareState:
        """Nothing to begin with."""
        return ZoneAwareState(self, zones)


class ZoneAwareState(LocalityState):
    """What it takes to look at zones."""

    __slots__ = ("min_cluster_size", "routing_enabled")

    def __init__(self, settings: ZoneAware, zones: tuple[str, ...]) -> None:
        """For zones of these names."""
        super().__init__(zones)
        self.min_cluster_size = settings.min_cluster_size
        self.routing_enabled = settings.routing_enabled

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
        has_zones = len({hosts[position].zone for position in everyone}) > 1 and sum(count > 0 for count in callers) > 1
        if not is_first or not has_zones or len(healthy) < self.min_cluster_size:
            return super().inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first)
        of_hosts = {zone: PARTS * len(each) // len(healthy) for zone, each in zones.items()}
        of_callers = {zone: PARTS * count // sum(callers) for zone, count in enumerate(callers)}
        own = of_hosts.get(own_zone, 0)
        stays = min(PARTS, PARTS * own // max(1, of_callers.get(own_zone, 0)))
        spare = {zone: max(0, share - of_callers.get(zone, 0)) for zone, share in of_hosts.items() if zone != own_zone}
        return self._shared(zones, healthy, own_zone, stays, spare)

    def _shared(self, zones: dict[int, list[int]], healthy: list[int], own_zone: int, stays: int, spare: dict[int, int]) -> Level:
        groups, kinds, bounds = [], [], []
        stay = round(stays * self.routing_enabled)
        if own_zone in zones:
            groups, kinds, bounds = [zones[own_zone]], [own_zone], [stay]
        going, total, so_far = round((PARTS - stays) * self.routing_enabled), sum(spare.values()), 0
        for zone, room in spare.items():
            share = room if total else 1
            so_far += share
            if share and going:
                groups.append(zones[zone])
                kinds.append(zone)
                bounds.append(stay + going * so_far // (total or len(spare)))
        if self.routing_enabled < 1.0:
            groups.append(healthy)
            kinds.append(HEALTHY)
            bounds.append(PARTS)
        bounds[-1] = PARTS
        return Level(groups, kinds, bounds=bounds if len(groups) > 1 else ())
