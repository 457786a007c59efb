"""Instances that are gone before their callers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.scenario.advice.destinations import destinations
from meshsim.scenario.advice.remark import Kind, Remark, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.connections import DiscoverySection
    from meshsim.scenario.sections.services import ServiceSection

MOST = 0.99
"""Share of the pushes that arrive in the time that is asked for."""


def gone_too_early(flow: Flow) -> Iterator[Remark]:
    """A preStop sleep that ends before callers have been told."""
    all_of_them = list(destinations(flow))
    for name, service in flow.scenario.services.items():
        if not stops(service):
            continue
        told = [(*_until_told(flow, one), one.who) for one in all_of_them if one.service == name]
        if told and (worst := max(told))[0] > service.pre_stop:
            needed_ns, why, who = worst
            yield Remark(
                Kind.PRE_STOP_TOO_SHORT,
                ("services", name, "pre_stop"),
                f"an instance that stops serves for {time(service.pre_stop)} more, and {who} goes on sending for about"
                f" {time(needed_ns)} ({why}): requests in between are refused; write pre_stop: {time(needed_ns)} or more",
            )


def stops(service: ServiceSection) -> bool:
    """Whether an instance is ever told to stop."""
    replicas = service.replicas
    for step in sorted(service.scale, key=lambda one: one.at):
        if step.replicas < replicas:
            return True
        replicas = step.replicas
    return bool(service.restarts or service.rollouts)


def _until_told(flow: Flow, one: Destination) -> tuple[int, str]:
    """Nanoseconds until a caller knows of a change, and what takes them; 0 where it knows at once."""
    section = _discovery(flow, one)
    if section is None:
        return 0, ""
    if section.dns_refresh is not None:
        return section.dns_refresh, "dns_refresh"
    default_ns: int = one.product.default("discovery.debounce_after").value
    debounce_ns = default_ns if section.debounce_after is None else section.debounce_after
    if section.propagation is None:
        return debounce_ns, f"debounce {time(debounce_ns)}"
    chosen: Any = section.propagation.chosen
    arrives_ns = round(chosen.build().quantile(MOST))
    return debounce_ns + arrives_ns, f"debounce {time(debounce_ns)}, propagation up to {time(arrives_ns)} for {MOST:.0%}"


def _discovery(flow: Flow, one: Destination) -> DiscoverySection | None:
    """How these callers learn of changes: clients of a mesh as its sidecars."""
    scenario = flow.scenario
    if one.section == "gateway":
        return None if scenario.gateway is None else scenario.gateway.discovery
    if flow.has_mesh:
        return None if scenario.mesh is None else scenario.mesh.discovery
    return None if scenario.direct is None else scenario.direct.discovery


CHECKS = (gone_too_early,)
