"""What one part of a scenario says of another: names that must exist, numbers that must agree.

It reads the plain tree and not the model, so that a typo in a name is reported together with everything else that is wrong; what
does not have the right shape is passed over here, because the model has said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import UnitError, did_you_mean
from meshsim.records import STAGES
from meshsim.scenario import matrix
from meshsim.scenario.figure import parse_figure
from meshsim.scenario.files.nodes import Finding, mapping, shown
from meshsim.scenario.flow import routing
from meshsim.scenario.references import (
    cache_references,
    calls,
    fault_references,
    filter_references,
    pool_references,
    queue_references,
    resilience_references,
)
from meshsim.scenario.thresholds import COST, COST_ITEMS, GATEWAY, parse_condition, parse_selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.scenario.files.nodes import Path
    from meshsim.scenario.thresholds import Selector

EVERY_DESTINATION = "*"


def findings(tree: Any) -> Iterator[Finding]:
    """All contradictions in a scenario's plain tree."""
    yield from _deployment(tree)
    yield from _requests(tree)
    yield from _routes(tree)
    yield from _destinations(tree)
    yield from resilience_references.findings(tree)
    yield from filter_references.findings(tree)
    yield from pool_references.findings(tree)
    yield from queue_references.findings(tree)
    yield from cache_references.findings(tree)
    yield from fault_references.find_in_faults(tree)
    yield from _services(tree)
    yield from _priced(tree)
    yield from _thresholds(tree)
    yield from _until(tree)
    yield from matrix.findings(tree)
    yield from calls.findings(tree)


def _deployment(tree: Any) -> Iterator[Finding]:
    deployment = tree.get("deployment")
    if deployment in ("gateway", "gateway+mesh") and tree.get("gateway") is None:
        yield Finding(("deployment",), f"{deployment} needs a `gateway:` with routes, and there is none")


def _requests(tree: Any) -> Iterator[Finding]:
    routes, has_routes = mapping(tree, "gateway", "routes"), tree.get("gateway") is not None
    for name, load in mapping(tree, "load").items():
        for target in mapping(load, "requests"):
            path: Path = ("load", name, "requests", target)
            if not has_routes and routing.is_path(target):
                yield Finding(
                    path, f"{shown(target)} is a path, and there is no `gateway:` to route it; write a service", at_key=True
                )
            elif not has_routes:
                if message := calls.unknown_target(tree, target):
                    yield Finding(path, message, at_key=True)
            elif not routing.is_path(target) and target not in routes:
                yield Finding(path, _unknown_request(target, routes), at_key=True)


def _unknown_request(target: Any, routes: Mapping[str, Any]) -> str:
    """What is wrong with what is neither a path nor the name of a route."""
    method, space, path = str(target).partition(" ")
    if space and path.startswith("/"):
        return f"unknown method {shown(method)}{did_you_mean(method.upper(), routing.METHODS)}"
    return f"unknown route {shown(target)}{did_you_mean(target, routes)}"


def _routes(tree: Any) -> Iterator[Finding]:
    for name, route in mapping(tree, "gateway", "routes").items():
        here: Path = ("gateway", "routes", name)
        to = mapping(route).get("to")
        for target in to if isinstance(to, dict) else [to] if isinstance(to, str) else []:
            if message := calls.unknown_target(tree, target):
                path: Path = (*here, "to")
                yield Finding((*path, target), message, at_key=True) if isinstance(to, dict) else Finding(path, message)
        yield from _other_targets(
            tree, here, mapping(route), to if isinstance(to, dict) else {to: 1} if isinstance(to, str) else {}
        )


def _other_targets(tree: Any, here: Path, route: Mapping[str, Any], destinations: Mapping[Any, Any]) -> Iterator[Finding]:
    """Where else a route's requests go: the fallback, the parts, the new version; and the consumers that it is for."""
    fallback, canary, parts = route.get("fallback"), mapping(route, "canary").get("to"), route.get("aggregate")
    if isinstance(fallback, str) and (message := calls.unknown_target(tree, fallback)):
        yield Finding((*here, "fallback"), message)
    elif isinstance(fallback, str) and list(destinations) == [fallback]:
        yield Finding((*here, "fallback"), "is where all requests go anyway; write another destination, or `retries`")
    for index, part in enumerate(parts if isinstance(parts, list) else []):
        target = mapping(part).get("call")
        if isinstance(target, str) and (message := calls.unknown_target(tree, target)):
            yield Finding((*here, "aggregate", index, "call"), message)
    if isinstance(canary, str) and (message := _unfit_version(canary, destinations)):
        yield Finding((*here, "canary", "to"), message)
    consumers = filter_references.consumers(tree)
    for index, name in enumerate(given if isinstance(given := route.get("consumers"), list) else []):
        if isinstance(name, str) and name not in consumers:
            message = f"no load has the consumer {shown(name)}{did_you_mean(name, consumers)}"
            yield Finding((*here, "consumers", index), message)


def _unfit_version(canary: str, destinations: Mapping[Any, Any]) -> str:
    """Why a destination cannot be a route's new version; empty where it can."""
    if len(destinations) < 2 and canary in destinations:
        return "is none of several destinations of this route; write both versions under `to`"
    if canary not in destinations:
        known = [one for one in destinations if isinstance(one, str)]
        return f"is none of several destinations of this route{did_you_mean(canary, known)}; write it under `to`, with weight 0"
    others = [weight for name, weight in destinations.items() if name != canary]
    return "" if any(others) else "has all the weight under `to`; there is no old version to get the rest"


def _destinations(tree: Any) -> Iterator[Finding]:
    services = mapping(tree, "services")
    places: tuple[tuple[str, ...], ...] = (
        ("gateway", "traffic"), ("mesh", "traffic"), ("direct", "traffic"), ("mesh", "inbound"), ("mesh", "waypoints", "services"),
    )  # fmt: skip
    for place in places:
        for name in mapping(tree, *place):
            if name not in services and (name != EVERY_DESTINATION or place[-1] != "traffic"):
                yield Finding((*place, name), f"unknown service {shown(name)}{did_you_mean(name, services)}", at_key=True)


def _services(tree: Any) -> Iterator[Finding]:
    for name, service in mapping(tree, "services").items():
        replicas = fault_references.replicas_at_first(service)
        for key, what in (("load_balancing_weights", "weights"), ("priorities", "priorities")):
            given = mapping(service).get(key)
            if isinstance(given, list) and replicas is not None and len(given) != replicas:
                yield Finding(
                    ("services", name, key), f"{len(given)} {what} do not fit `replicas: {replicas}`; write one for each replica"
                )
        counts = list(mapping(service, "subsets").values())
        if counts and all(type(count) is int for count in counts) and replicas is not None and sum(counts) != replicas:
            yield Finding(
                ("services", name, "subsets"),
                f"the subsets have {sum(counts):,} replicas, and there are {replicas:,}",
                at_key=True,
            )
        protocol = mapping(service).get("protocol", "http")
        wrong, right = ("status", "grpc_status") if protocol == "grpc" else ("grpc_status", "status")
        operations = [("services", name, "operations", operation) for operation in mapping(service, "operations")]
        for path in (("services", name), *operations):
            if wrong in mapping(tree, *path, "errors"):
                yield Finding((*path, "errors", wrong), f"{name} speaks {protocol}; write `{right}`", at_key=True)


def _thresholds(tree: Any) -> Iterator[Finding]:
    known = _known(tree)
    for text, conditions in mapping(tree, "thresholds").items():
        path: Path = ("thresholds", text)
        try:
            selector = parse_selector(text)
        except UnitError as error:
            yield Finding(path, str(error), at_key=True)
            continue
        if message := _unknown(selector, known) or _unpriced(selector, tree):
            yield Finding(path, message, at_key=True)
        for index, condition in enumerate(conditions if isinstance(conditions, list) else ()):
            try:
                if isinstance(condition, str):
                    parse_condition(condition, selector.metric)
            except UnitError as error:
                yield Finding((*path, index), str(error))


def _until(tree: Any) -> Iterator[Finding]:
    given = mapping(tree, "run", "until").get("metric")
    for index, text in enumerate(given if isinstance(given, list) else [given]):
        path: Path = ("run", "until", "metric", *([index] if isinstance(given, list) else []))
        try:
            selector = parse_figure(text).selector if isinstance(text, str) else None
        except UnitError as error:
            yield Finding(path, str(error))
            continue
        if selector is not None and (message := _unknown(selector, _known(tree)) or _unpriced(selector, tree)):
            yield Finding(path, message)


def _unknown(selector: Selector, known: Mapping[str, Mapping[str, Any]]) -> str:
    """What is wrong with the first name of a selector that there is not; empty where all are there."""
    for label, name in selector.labels.items():
        if label in known and name not in known[label] and not (selector.metric == "proxy_cpu" and name == GATEWAY):
            hint = did_you_mean(name, known[label]) or (": no load has a `consumer`" if label == "consumer" else "")
            return f"unknown {label} {shown(name)}{hint}"
    return ""


def _unpriced(selector: Selector, tree: Any) -> str:
    """Why there is no such figure of costs; empty where there is one, or it is of something else."""
    return (
        "there are no prices; add a `cost` section, such as cost: {replica_hour: 0.05}"
        if selector.metric == COST and not tree.get("cost")
        else ""
    )


def _priced(tree: Any) -> Iterator[Finding]:
    """Services with prices that are not there."""
    services = mapping(tree, "services")
    for name in mapping(tree, "cost", "services"):
        if name not in services:
            yield Finding(("cost", "services", name), f"unknown service {shown(name)}{did_you_mean(name, services)}", at_key=True)


def _known(tree: Any) -> dict[str, dict[str, Any]]:
    """The names that each label of a metric may have."""
    return {
        "route": mapping(tree, "gateway", "routes") if tree.get("gateway") is not None else _asked(tree),
        "service": mapping(tree, "services"),
        "source": mapping(tree, "load"),
        "consumer": filter_references.consumers(tree),
        "stage": dict.fromkeys(STAGES),
        "item": dict.fromkeys(COST_ITEMS),
        "pool": {pool: None for service in mapping(tree, "services").values() for pool in mapping(service, "connection_pools")},
        "queue": mapping(tree, "queues"),
        "cache": {cache: None for service in mapping(tree, "services").values() for cache in mapping(service, "caches")},
    }


def _asked(tree: Any) -> dict[str, Any]:
    """What the loads ask for; without a gateway these are the routes."""
    return {target: None for load in mapping(tree, "load").values() for target in mapping(load, "requests")}
