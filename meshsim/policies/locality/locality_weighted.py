"""Locality weights: each zone gets its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import Level, Locality, LocalityState, healthy_by_zone
from meshsim.registry import SettingError, policy
from meshsim.units import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.policies.locality.locality import Host


@policy
class LocalityWeighted(Locality):
    """Give each zone a share of the requests by its weight, whatever the number of its hosts.

    A zone's weight counts in full while 1 / 1.4 of its hosts are healthy, and less in proportion below that. Zones take turns by their
    weights, from a random place on after each change. A zone without a weight gets nothing while a zone with one has a healthy host; its
    hosts are in the list and count, unlike those that `locality_distribute` leaves out.

    Source: Envoy, docs/root/intro/arch_overview/upstream/load_balancing/locality_weight.rst; measured on Envoy 1.40: two hosts
    with weight 3 and four with weight 1 got 37.5 % each and 6.25 % each.
    """

    weights: dict[str, Number]
    """Weight by name of the zone."""

    def check(self) -> None:
        """Raise `SettingError` where no zone has a weight."""
        if not any(self.weights.values()):
            raise SettingError("weights", "needs a zone with a weight above 0, such as {zone-a: 3, zone-b: 1}")

    def build(self, zones: tuple[str, ...] = (), **_: object) -> LocalityWeightedState:
        """Nothing to begin with."""
        return LocalityWeightedState(self, zones)


class LocalityWeightedState(LocalityState):
    """Zones with their weights."""

    __slots__ = ("weights",)

    def __init__(self, settings: LocalityWeighted, zones: tuple[str, ...]) -> None:
        """For zones of these names."""
        super().__init__(zones)
        self.weights = settings.weights

    def zone_weights(self, hosts: Sequence[Host], everyone: Sequence[int], own_zone: int) -> Mapping[int, float]:  # noqa: ARG002
        """The weights, by number of the zone."""
        return {number: self.weights.get(name, 0.0) for number, name in enumerate(self._zones)}

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
        """Zones by weight and availability."""
        return weighted(self.zone_weights(hosts, everyone, own_zone), hosts, everyone, overprovisioning) or super().inside(
            hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first
        )


def weighted(by_zone: Mapping[int, float], hosts: Sequence[Host], everyone: list[int], overprovisioning: float) -> Level | None:
    """The level of zones with weights; None where no zone with healthy hosts has any.

    Source: Envoy, source/extensions/load_balancing_policies/common/locality_wrr.cc (effectiveLocalityWeight).
    """
    groups, kinds, weights = [], [], []
    for zone, healthy in healthy_by_zone(hosts, everyone).items():
        total = sum(hosts[position].zone == zone for position in everyone)
        weight = by_zone.get(zone, 0.0) * min(1.0, overprovisioning * len(healthy) / total)
        if weight > 0.0:
            groups.append(healthy)
            kinds.append(zone)
            weights.append(weight)
    return Level(groups, kinds, weights if len(groups) > 1 else ()) if groups else None
