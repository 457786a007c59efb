"""Istio's distribution: where the requests of each zone go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import Level, Locality
from meshsim.policies.locality.locality_weighted import LocalityWeighted, weighted
from meshsim.registry import SettingError, policy
from meshsim.units import Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.locality.locality import Host


@policy
class LocalityDistribute(Locality):
    """Say for each zone of callers what share of its requests goes to which zone; callers of other zones ignore zones.

    Where a zone's hosts fall ill its share shrinks as with locality weights. It takes no outlier detection to act, unlike failover.

    Source: Istio, networking/v1alpha3/destination_rule.proto (LocalityLoadBalancerSetting.Distribute);
    pilot/pkg/networking/core/loadbalancer/loadbalancer.go (applyLocalityWeights).
    """

    distribute: dict[str, dict[str, Number]]
    """By the caller's zone: percent by the host's zone, together 100."""

    def check(self) -> None:
        """Raise `SettingError` where the percents of a zone are not 100 together."""
        for zone, shares in self.distribute.items():
            if abs(sum(shares.values()) - 100) > 1e-9:
                raise SettingError("distribute", f"the percents of {zone} make {sum(shares.values()):g} together, not 100")

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
        """Zones by the caller's row."""
        row = self.distribute.get(self._zones[own_zone]) if own_zone < len(self._zones) else None
        level = None
        if row:
            weights = LocalityWeighted(weights=row).build(zones=self._zones)
            level = weighted(weights, hosts, everyone, own_zone, overprovisioning)
        return level or super().inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first)
