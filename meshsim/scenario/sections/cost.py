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
    """Its name."""
    replica_hour: Price = 0.0
    """Per hour of a replica of any service, while it is up."""
    services: dict[Name, Price] = Field(default_factory=dict)
    """Per hour of a replica of these services, in place of `replica_hour`."""
    gateway_replica_hour: Price = 0.0
    """Per hour of a replica of the gateway."""
    proxy_hour: Price = 0.0
    """Per hour of a sidecar, node proxy or waypoint, busy or idle: the price of the CPU and memory that it reserves."""
    proxy_core_hour: Price = 0.0
    """Per core-hour that sidecars, node proxies and waypoints are busy; `proxy_time` and its like decide how many that are."""
    cross_zone_gib: Price = 0.0
    """Per GiB between callers and services in different zones. Where the cloud bills both ends, write the sum."""
    million_requests: Price = 0.0
    """Per million requests of clients, however they end: what a managed gateway or load balancer charges."""

    @model_validator(mode="after")
    def _something_costs(self) -> Self:
        if not any(getattr(self, name) for name in PRICES if name != "services") and not any(self.services.values()):
            raise mistake(f"needs a price above 0: one of {', '.join(PRICES)}")
        return self
