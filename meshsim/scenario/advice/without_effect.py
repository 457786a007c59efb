"""Settings of the gateway that cannot change anything, for want of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.filters import Cache
from meshsim.scenario import demand
from meshsim.scenario.advice.remark import Remark, time
from meshsim.scenario.screened import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow import Flow
    from meshsim.scenario.reading import Path


def restarts(flow: Flow) -> Iterator[Remark]:
    """What belongs to restarts that never come."""
    gateway = flow.scenario.gateway
    if not flow.has_gateway or gateway is None:
        return
    if not gateway.restarts:
        for name in ("drain_time", "startup_time"):
            if getattr(gateway, name):
                yield Remark(
                    ("gateway", name), "nothing restarts the gateway, so that this does nothing; write restarts: [{at: 1m}]"
                )
    until_ns = demand.run_ns(flow.scenario)
    for index, step in enumerate(gateway.restarts):
        if until_ns and step.at >= until_ns:
            yield Remark(
                ("gateway", "restarts", index, "at"),
                f"this restart begins at {time(step.at)}, and the run ends at {time(until_ns)}; begin earlier",
            )


def content_without_keys(flow: Flow) -> Iterator[Remark]:
    """A cache, or a limit by content, where no load says what it asks for."""
    gateway = flow.scenario.gateway
    if not flow.has_gateway or gateway is None or any(load.keys for load in flow.scenario.load.values()):
        return
    for index, choice in enumerate(gateway.filters):
        for path, what in _by_content(choice.chosen, ("gateway", "filters", index, choice.chosen.name)):  # type: ignore[arg-type]
            yield Remark(
                path, f"no load says what its requests ask for, so that {what}; give a load keys, such as keys: {{count: 1000}}"
            )


def _by_content(one: Filter, path: Path) -> Iterator[tuple[Path, str]]:
    """Where a filter tells requests apart by what they ask for, and what comes of it if they ask for nothing."""
    if isinstance(one, Cache):
        if one.key == "content":
            yield path, "nothing is stored and every request goes on"
    elif any("content" in rule.parts() for rule in rules_of(one)):
        yield path, "the limit by content counts nobody"


def splits(flow: Flow) -> Iterator[Remark]:
    """A split that keeps users together where there is nothing to split."""
    gateway = flow.scenario.gateway
    routes = gateway.routes.items() if flow.has_gateway and gateway is not None else ()
    for name, route in routes:
        if route.sticky is not None and (isinstance(route.to, str) or len(route.to) == 1):
            yield Remark(
                ("gateway", "routes", name, "sticky"), "the route has one destination, so that nobody can change it; leave it out"
            )
        elif route.sticky == "consumer" and not any(load.consumer for load in flow.scenario.load.values()):
            yield Remark(
                ("gateway", "routes", name, "sticky"),
                "no load names a consumer, so that all requests go to one destination; name them, or write sticky: user",
            )


CHECKS = (restarts, content_without_keys, splits)
