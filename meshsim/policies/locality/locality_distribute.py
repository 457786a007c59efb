"""Istio's distribution: where the requests of each zone go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import Level, Locality, LocalityState
from meshsim.policies.locality.locality_weighted import weighted
from meshsim.registry import SettingError, policy
from meshsim.units import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.policies.locality.locality import Host

EVERY_ZONE = "*"


@policy
class LocalityDistribute(Locality):
    """Say for each zone of callers which share of its requests goes to which zone; they do not know hosts of zones without a share.

    istiod leaves the hosts of zones without a share out of what it sends: they get nothing when all others are down, and count neither
    for panic nor for outlier detection's percentages and numbers of hosts. There is no failover besides; Istio refuses the two
    together. Where a zone's hosts fall ill its share shrinks as with locality weights, and a zone that has no hosts at all leaves
    its share to the others. It takes no outlier detection to act. Callers of zones without a row know all hosts, and give each zone a
    weight of as many hosts as it has. `"*"` means callers of zones without a row of their own, and as the one share of a row all zones.

    Source: Istio, pilot/pkg/networking/core/loadbalancer/loadbalancer.go (applyLocalityWeights, ApplyToCluster),
    pilot/pkg/xds/endpoints/endpoint_builder.go (a zone's own weight), pkg/config/validation/agent/validation.go
    (ValidateLocalityLbSetting).
    """

    distribute: dict[str, dict[str, Number]]
    """By the caller's zone: percent by the host's zone, each from 1 to 100 and together 100."""

    def check(self) -> None:
        """Raise `SettingError` where Istio would refuse the rows."""
        for zone, shares in self.distribute.items():
            if EVERY_ZONE in shares and len(shares) > 1:
                raise SettingError(
                    "distribute", f'"{EVERY_ZONE}" means every zone: it is the one share of {zone}, or none of them'
                )
            for to, share in shares.items():
                if not 1 <= share <= 100:
                    raise SettingError(
                        "distribute",
                        f"the percents of {zone} are from 1 to 100, and {to} has {share:g}; a zone left out gets nothing",
                    )
            if abs(sum(shares.values()) - 100) > 1e-9:
                raise SettingError("distribute", f"the percents of {zone} make {sum(shares.values()):g} together, not 100")

    def build(self, zones: tuple[str, ...] = (), **_: object) -> LocalityDistributeState:
        """Nothing to begin with."""
        return LocalityDistributeState(self, zones)

    def reaches(self, caller: str, zone: str) -> bool:
        """Whether a zone has a share of the requests of another, by their names."""
        return _reaches(self.distribute, caller, zone)


class LocalityDistributeState(LocalityState):
    """The rows, and the names of the zones."""

    __slots__ = ("_distribute",)

    def __init__(self, settings: LocalityDistribute, zones: tuple[str, ...]) -> None:
        """For zones of these names."""
        super().__init__(zones)
        self._distribute = settings.distribute

    def knows(self, zone: int, own_zone: int) -> bool:
        """Whether a zone has a share of the requests of another."""
        return _reaches(self._distribute, self._name(own_zone), self._name(zone))

    def zone_weights(self, hosts: Sequence[Host], everyone: Sequence[int], own_zone: int) -> Mapping[int, float]:
        """What the caller's row says; without one as many hosts as a zone has, by their weights."""
        row = _row(self._distribute, self._name(own_zone))
        weights: dict[int, float] = {}
        for position in everyone:
            zone = hosts[position].zone
            weights[zone] = weights.get(zone, 0.0) + hosts[position].weight
        if row is None or EVERY_ZONE in row:
            return weights
        return {zone: row.get(self._name(zone), 0.0) for zone in weights}

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
        level = weighted(self.zone_weights(hosts, everyone, own_zone), hosts, everyone, overprovisioning)
        return level or super().inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first)

    def _name(self, zone: int) -> str:
        return self._zones[zone] if zone < len(self._zones) else ""


def _row(distribute: Mapping[str, Mapping[str, float]], caller: str) -> Mapping[str, float] | None:
    """What callers of a zone do; None where nothing is written for it."""
    return distribute.get(caller, distribute.get(EVERY_ZONE))


def _reaches(distribute: Mapping[str, Mapping[str, float]], caller: str, zone: str) -> bool:
    row = _row(distribute, caller)
    return row is None or EVERY_ZONE in row or zone in row
