"""Parts of a scenario that nothing reaches or that are switched off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshsim.errors import did_you_mean
from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.flow.flow import calls_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow

_SELECTOR = re.compile(r"(route|service):\s*([^,}]+)")


def unreachable_services(flow: Flow) -> Iterator[Remark]:
    """A service that no route and no call leads to."""
    named = {key for route in flow.routes.values() for key in route.shares}
    named |= {target for source in flow.sources for target in source.requests}
    named |= {call.target for one in flow.operations.values() for call in calls_of(one)}
    named |= flow.further_targets | set(flow.scenario.consumers.values())
    called = {key.partition("/")[0] for key in named}
    for name in flow.scenario.services:
        if name not in called:
            yield Remark(
                Kind.SERVICE_IS_UNREACHED, ("services", name), f"no route and no call leads to {name}; call it, or take it out"
            )


def paths_without_a_route(flow: Flow) -> Iterator[Remark]:
    """A path in a load that no route of the gateway matches."""
    for source in flow.sources:
        for target, share in source.requests.items():
            if target.startswith("/") and target not in flow.routes:
                is_known = target in flow.route_paths
                remedy = (
                    "the route with that path wants another method, header or consumer"
                    if is_known
                    else f"add a route{did_you_mean(target, flow.route_paths)}"
                )
                yield Remark(
                    Kind.NO_ROUTE_FOR_PATH,
                    ("load", source.name, "requests", target),
                    f"no route matches {target}: {share:.0%} of {source.name}'s requests get 404 (NR); {remedy}",
                )


def silent_thresholds(flow: Flow) -> Iterator[Remark]:
    """A threshold on a route or service that gets no requests."""
    routes = {target for source in flow.sources for target, share in source.requests.items() if share and flow.rate(source)}
    services = {flow.operations[key].service for key, rate in flow.visits.items() if rate}
    for metric in flow.scenario.thresholds or {}:
        for kind, name in _SELECTOR.findall(metric):
            busy = routes if kind == "route" else services
            if name.strip() not in busy and not flow.has_unknown_rates:
                yield Remark(
                    Kind.THRESHOLD_WITHOUT_REQUESTS,
                    ("thresholds", metric),
                    f"{kind} {name.strip()} gets no requests, so there is nothing to judge; send it some load",
                )


def switched_off(flow: Flow) -> Iterator[Remark]:
    """A gateway's or a mesh's settings where there is none."""
    scenario = flow.scenario
    if any("deployment" in (patch or {}) for patch in (scenario.variants or {}).values()):
        return
    if scenario.mesh is not None and not flow.has_mesh:
        yield Remark(
            Kind.NO_MESH_IN_DEPLOYMENT,
            ("mesh",),
            f"deployment: {scenario.deployment} has no sidecars, so that these settings do nothing;"
            f" write deployment: {'gateway+mesh' if flow.has_gateway else 'mesh'}",
        )
    if scenario.gateway is not None and not flow.has_gateway:
        yield Remark(
            Kind.NO_GATEWAY_IN_DEPLOYMENT,
            ("gateway",),
            f"deployment: {scenario.deployment} has no gateway: of these settings only the routes count;"
            f" write deployment: {'gateway+mesh' if flow.has_mesh else 'gateway'}",
        )


CHECKS = (unreachable_services, paths_without_a_route, silent_thresholds, switched_off)
