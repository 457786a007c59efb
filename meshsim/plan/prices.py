"""What things cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in one currency."""

    currency: str
    replica_hour: tuple[float, ...]
    """Of a replica of each service, by its number."""
    gateway_replica_hour: float
    proxy_hour: float
    """Of a sidecar, a node proxy or a waypoint that is there."""
    proxy_core_hour: float
    """Of a core that proxies keep busy."""
    cross_zone_gib: float
    million_requests: float
    """Of the requests of clients."""
