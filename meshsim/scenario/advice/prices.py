"""Prices of what there is none of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.services import OperationSection, PlacedSection, ServiceSection


def of_nothing(flow: Flow) -> Iterator[Remark]:
    """Prices that nothing is ever multiplied with."""
    cost = flow.scenario.cost
    if cost is None:
        return
    reasons = {
        "gateway_replica_hour": "" if flow.has_gateway else "the deployment has no gateway",
        "proxy_hour": "" if flow.has_mesh else "the deployment has no mesh",
        "proxy_core_hour": "" if flow.has_mesh else "the deployment has no mesh",
        "cross_zone_gib": _nothing_crosses(flow),
    }
    for name, reason in reasons.items():
        if reason and getattr(cost, name):
            yield Remark(Kind.PRICE_OF_NOTHING, ("cost", name), f"{reason}, so that this adds nothing; leave it out")


def _nothing_crosses(flow: Flow) -> str:
    """Why no byte goes between zones; empty where some may."""
    scenario = flow.scenario
    places: list[PlacedSection] = [*scenario.services.values()]
    if flow.has_gateway and scenario.gateway is not None:
        places.append(scenario.gateway)
    if flow.has_mesh and scenario.mesh is not None and scenario.mesh.waypoints is not None:
        places += scenario.mesh.waypoints.services.values()
    zones = {zone for place in places for zone in place.zones or [place.zone]}
    if not flow.has_gateway:  # clients go to the services themselves
        zones |= {load.zone for load in scenario.load.values()}
    if len(zones) < 2:
        return "everything is in one zone"
    services = scenario.services.values()
    sizes = [size for service in services for size in _sizes(service)]
    sizes += [size for service in services for one in service.operations.values() for size in _sizes(one)]
    return "" if any(sizes) else "no request or answer has a size (`request_size`, `response_size` of a service)"


def _sizes(one: ServiceSection | OperationSection) -> tuple[object, object]:
    return one.request_size, one.response_size


CHECKS = (of_nothing,)
