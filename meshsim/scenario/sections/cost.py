"""What things cost."""

from __future__ import annotations

from typing import Annotated, Self

from annotated_types import Ge, Le
from pydantic import Field, model_validator

from meshsim.scenario.sections.types import Name, Section
from meshsim.scenario.sections.wording import mistake

Price = Annotated[float, Ge(0), Le(1e9)]
PRICES = (
    "replica_hour",
    "services",
    "gateway_replica_hour",
    "proxy_hour",
    "proxy_core_hour",
    "cross_zone_gib",
    "million_requests",
)


class CostSection(Section):
    """Prices, all in one currency; what has none is free. What they add up to is told by hour and by million requests answered well."""

    currency: Annotated[str, Field(min_length=1, max_length=8)] = "USD"
    """How it is called."""
    replica_hour: Price = 0.0
    """Of a replica of any service, for each hour that it is up."""
    services: dict[Name, Price] = Field(default_factory=dict)
    """Instead of that, of a replica of these services."""
    gateway_replica_hour: Price = 0.0
    """Of a replica of the gateway."""
    proxy_hour: Price = 0.0
    """Of a sidecar, a node proxy or a waypoint for each hour that it is there, busy or not: what its requests of CPU and memory keep others from."""
    proxy_core_hour: Price = 0.0
    """Of a core that sidecars, node proxies and waypoints keep busy for an hour; `proxy_time` and its like decide how many that are."""
    cross_zone_gib: Price = 0.0
    """Of a GiB that goes from a zone to another one between callers and services. Clouds that bill both ends: the sum."""
    million_requests: Price = 0.0
    """Of a million requests of clients, however they end: what a managed gateway or load balancer takes."""

    @model_validator(mode="after")
    def _something_costs(self) -> Self:
        if not any(getattr(self, name) for name in PRICES if name != "services") and not any(self.services.values()):
            raise mistake(f"needs a price above 0: one of {', '.join(PRICES)}")
        return self
