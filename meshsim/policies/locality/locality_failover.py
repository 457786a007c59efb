"""Istio's failover: the own zone first, and others when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import Locality, LocalityState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.locality.locality import Host


@policy
class LocalityFailover(Locality):
    """Send to the caller's own zone while its hosts are healthy, then to the zone named for it, then to all others.

    Zones become priorities, with Envoy's overprovisioning: the zone can lose 28 % of its hosts before anything spills over. It
    acts on what outlier detection or health checks find: without either no host ever counts as ill, and a dead zone goes on
    getting requests.

    Source: Istio, pilot/pkg/networking/core/loadbalancer/loadbalancer.go (applyLocalityFailover); istio.io, "Locality failover":
    outlier detection must be configured.
    """

    failover: dict[str, str] | None = None
    """By the caller's zone: the zone that comes second; all others come together where absent."""

    def build(self, zones: tuple[str, ...] = (), **_: object) -> LocalityFailoverState:
        """Nothing to begin with."""
        return LocalityFailoverState(self, zones)


class LocalityFailoverState(LocalityState):
    """Zones as priorities."""

    __slots__ = ("failover",)

    def __init__(self, settings: LocalityFailover, zones: tuple[str, ...]) -> None:
        """For zones of these names."""
        super().__init__(zones)
        self.failover = settings.failover

    def level(self, host: Host, own_zone: int) -> int:
        """0 the own zone, 1 the zone named for it, 2 the rest; within a host's own priority."""
        if host.zone == own_zone:
            rank = 0
        elif self._is_next(host.zone, own_zone):
            rank = 1
        else:
            rank = 2
        return 3 * host.priority + rank

    def _is_next(self, zone: int, own_zone: int) -> bool:
        if self.failover is None or max(zone, own_zone) >= len(self._zones):
            return False
        return self.failover.get(self._zones[own_zone]) == self._zones[zone]
