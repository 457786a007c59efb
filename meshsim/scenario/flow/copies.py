"""Copies of requests that proxies and callers send elsewhere: work for who gets them, though nobody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.scenario.circumstances import EVERY_DESTINATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.resilience import MirrorSection
    from meshsim.scenario.sections.traffic import TrafficSection


def entries(section: Any) -> Mapping[str, TrafficSection]:
    """What a section says of the calls to destinations; empty where it is absent."""
    return (section.traffic if section is not None else None) or {}


def of_call(scenario: Scenario, service: str, *, has_mesh: bool) -> MirrorSection | None:
    """Of a service's calls to another one."""
    return _written(entries(scenario.mesh if has_mesh else scenario.direct), service)


def of_request(scenario: Scenario, route: str, service: str, *, has_gateway: bool) -> MirrorSection | None:
    """Of a client's requests: the route's own, or that of the gateway's traffic; without a gateway the client's."""
    gateway = scenario.gateway
    if not has_gateway or gateway is None:
        return _written(entries(scenario.direct), service)
    own = gateway.routes[route].mirror if route in gateway.routes else None
    return _written(entries(gateway), service) if own is None else own


def _written(blocks: Mapping[str, TrafficSection], service: str) -> MirrorSection | None:
    found = (blocks[key].mirror for key in (service, EVERY_DESTINATION) if key in blocks)
    return next((mirror for mirror in found if mirror is not None), None)
