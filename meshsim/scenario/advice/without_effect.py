"""Settings of the gateway, and of an autoscaler, that cannot change anything, for want of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.filters import Cache
from meshsim.scenario import effective
from meshsim.scenario.advice.remark import Kind, Remark, time
from meshsim.scenario.flow import demand
from meshsim.scenario.flow.limits import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.flow.reading import Path


def restarts(flow: Flow) -> Iterator[Remark]:
    """What belongs to restarts that never come."""
    gateway = flow.scenario.gateway
    if not flow.has_gateway or gateway is None:
        return
    if not gateway.restarts:
        for name in ("drain_time", "startup_time"):
            if getattr(gateway, name):
                yield Remark(
                    Kind.NOTHING_RESTARTS_THE_GATEWAY,
                    ("gateway", name),
                    "nothing restarts the gateway, so that this does nothing; write restarts: [{at: 1m}]",
                )
    until_ns = demand.run_ns(flow.scenario)
    for index, step in enumerate(gateway.restarts):
        if until_ns and step.at >= until_ns:
            yield Remark(
                Kind.RESTART_COMES_AFTER_THE_RUN,
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
                Kind.CONTENT_WITHOUT_KEYS,
                path,
                f"no load says what its requests ask for, so that {what}; give a load keys, such as keys: {{count: 1000}}",
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
                Kind.STICKY_WITH_ONE_DESTINATION,
                ("gateway", "routes", name, "sticky"),
                "the route has one destination, so that there is nothing to stick to; leave it out",
            )
        elif route.sticky == "consumer" and not any(load.consumer for load in flow.scenario.load.values()):
            yield Remark(
                Kind.STICKY_WITHOUT_CONSUMER,
                ("gateway", "routes", name, "sticky"),
                "no load names a consumer, so that each request is drawn for itself; name them, or write sticky: user",
            )
        elif route.sticky == "user" and not _has_users(flow):
            yield Remark(
                Kind.STICKY_WITHOUT_USERS,
                ("gateway", "routes", name, "sticky"),
                "no load has virtual users, so that each request is a new user's; write sticky: address, or a load with executor:"
                " constant-vus",
            )


def sessions(flow: Flow) -> Iterator[Remark]:
    """Sessions that nobody comes back to, or that everybody shares."""
    gateway = flow.scenario.gateway
    loads = flow.scenario.load.values()
    for name, route in gateway.routes.items() if flow.has_gateway and gateway is not None else ():
        if route.session_persistence is None or gateway is None:
            continue
        path, of = ("gateway", "routes", name, "session_persistence"), route.session_persistence.of
        if of == "user" and not _has_users(flow):
            yield Remark(
                Kind.SESSION_WITHOUT_USERS,
                path,
                "no load has virtual users, so that nobody comes back; write of: address, or a load with executor: constant-vus",
            )
        elif of == "consumer" and not any(load.consumer for load in loads):
            yield Remark(
                Kind.SESSION_WITHOUT_CONSUMER,
                (*path, "of"),
                "no load names a consumer, so that nobody comes back; name them, or write of: user",
            )
        elif of == "address" and all(load.addresses == 1 for load in loads):
            yield Remark(
                Kind.SESSION_OF_ONE_ADDRESS,
                (*path, "of"),
                "every load has one address, so that one instance gets all of it; give it more, such as addresses: 1000",
            )
        for service in {target.partition("/")[0]: None for target in route.destinations}:
            connections = effective.traffic(gateway.traffic, service, flow.product).connections
            if connections is not None and connections.balance == "connections":
                yield Remark(
                    Kind.SESSION_ON_BALANCED_CONNECTIONS,
                    path,
                    f"the gateway's connections to {service} have their instances already (connections.balance), so that sessions do"
                    " nothing there; leave one of them out",
                )


def autoscaler_of_nobody(flow: Flow) -> Iterator[Remark]:
    """An autoscaler where nothing is scaled by one."""
    scenario = flow.scenario
    if scenario.autoscaler is not None and all(service.autoscaling is None for service in scenario.services.values()):
        yield Remark(
            Kind.AUTOSCALER_OF_NOBODY,
            ("autoscaler",),
            "no service has `autoscaling`, so that this does nothing; give one to a service, such as autoscaling: {max_replicas: 10}",
        )


def _has_users(flow: Flow) -> bool:
    return any(source.users is not None for source in flow.sources)


CHECKS = (restarts, content_without_keys, splits, sessions, autoscaler_of_nobody)
