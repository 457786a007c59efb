"""Names to indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.plan import Names

if TYPE_CHECKING:
    from meshsim.scenario.sections.model import Scenario


@dataclass(frozen=True, slots=True)
class Index:
    """The numbers of all that has a name."""

    names: Names
    services: dict[str, int]
    operations: dict[str, int]
    """By `service` or `service/operation`."""
    routes: dict[str, int]
    consumers: dict[str, int]
    zones: dict[str, int]
    subsets: dict[str, int]
    connection_pools: dict[str, int]
    queues: dict[str, int]
    caches: dict[str, int]


def make_index(scenario: Scenario, has_gateway_routes: bool) -> Index:  # noqa: FBT001
    """Number everything that has a name, in alphabetical order.

    Without a gateway's routes, each operation that a load asks for is a route by its own name.
    """
    services = sorted(scenario.services)
    operations = [
        key
        for name in services
        for key in (name, *(f"{name}/{operation}" for operation in sorted(scenario.services[name].operations)))
    ]
    asked = {target for load in scenario.load.values() for target in load.requests}
    routes = sorted(scenario.gateway.routes) if has_gateway_routes and scenario.gateway else sorted(asked)
    consumers = ["", *sorted({load.consumer for load in scenario.load.values() if load.consumer})]
    zones = sorted(_zones(scenario))
    subsets = sorted({name for service in scenario.services.values() for name in service.subsets or {}})
    pools = sorted({name for service in scenario.services.values() for name in service.connection_pools})
    queues = sorted(scenario.queues)
    caches = sorted({name for service in scenario.services.values() for name in service.caches})
    names = Names(
        sources=tuple(sorted(scenario.load)),
        routes=tuple(routes),
        services=tuple(services),
        operations=tuple(operations),
        consumers=tuple(consumers),
        zones=tuple(zones),
        subsets=tuple(subsets),
        connection_pools=tuple(pools),
        queues=tuple(queues),
        caches=tuple(caches),
        keys=tuple(sorted({key for load in scenario.load.values() if load.keys for key in load.keys.names or ()})),
    )
    return Index(
        names,
        *(
            {name: number for number, name in enumerate(each)}
            for each in (services, operations, routes, consumers, zones, subsets, pools, queues, caches)
        ),
    )


def _zones(scenario: Scenario) -> set[str]:
    """All zones; the empty name is where things are that say none."""
    waypoints = scenario.mesh.waypoints if scenario.mesh else None
    before = () if waypoints is None else waypoints.services.values()
    places = [*scenario.services.values(), *([scenario.gateway] if scenario.gateway else []), *before]
    zones = {zone for place in places for zone in (place.zones or {place.zone or "": 1})}
    return zones | {load.zone or "" for load in scenario.load.values()}
