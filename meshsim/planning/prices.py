"""Prices by number of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import Prices

if TYPE_CHECKING:
    from meshsim.scenario.sections.model import Scenario


def plan_prices(scenario: Scenario, services: tuple[str, ...]) -> Prices | None:
    """What the scenario says that things cost; None where it says nothing."""
    section = scenario.cost
    if section is None:
        return None
    return Prices(
        currency=section.currency,
        replica_hour=tuple(section.services.get(name, section.replica_hour) for name in services),
        gateway_replica_hour=section.gateway_replica_hour,
        proxy_hour=section.proxy_hour,
        proxy_core_hour=section.proxy_core_hour,
        cross_zone_gib=section.cross_zone_gib,
        million_requests=section.million_requests,
    )
