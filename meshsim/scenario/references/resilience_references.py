"""What the settings of the mesh say of other parts of a scenario: subsets, mirrors, zones, and what a mode can do at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, shown
from meshsim.scenario.references import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path

EVERY_DESTINATION = "*"
TRAFFIC_PLACES = (("gateway", "traffic"), ("mesh", "traffic"), ("direct", "traffic"))
AT_LAYER_4 = ("connections", "connect_timeout")
"""What a node proxy can do for a service without a waypoint."""
EVERY_ZONE = "*"
BY_ZONE = (("locality_weighted", "weights"), ("locality_failover", "failover"), ("locality_distribute", "distribute"))


def findings(tree: Any) -> Iterator[Finding]:
    """All contradictions among them in a scenario's plain tree."""
    for place in TRAFFIC_PLACES:
        for service, block in _mapping(tree, *place).items():
            yield from _traffic(tree, (*place, service), service, block)
    for name, route in _mapping(tree, "gateway", "routes").items():
        yield from _mirror(tree, ("gateway", "routes", name), route)
        yield from _one_cluster(tree, name, route)
    yield from _ambient(tree)


def _mapping(tree: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def _traffic(tree: Any, path: Path, service: str, block: Any) -> Iterator[Finding]:
    yield from _mirror(tree, path, block)
    yield from _localities(tree, path, block)
    yield from _hedging(path, block)
    split = _mapping(block, "split")
    if split and service == EVERY_DESTINATION:
        yield Finding((*path, "split"), "names the subsets of one service; write it under that service", at_key=True)
        return
    subsets = _mapping(tree, "services", service, "subsets")
    for name in split:
        if not subsets:
            yield Finding((*path, "split", name), f"{service} has no `subsets`", at_key=True)
        elif name not in subsets:
            message = f"unknown subset {shown(name)} of {service}{did_you_mean(name, subsets)}"
            yield Finding((*path, "split", name), message, at_key=True)


def _mirror(tree: Any, path: Path, block: Any) -> Iterator[Finding]:
    to = _mapping(block, "mirror").get("to")
    if isinstance(to, str) and (message := calls.unknown_target(tree, to)):
        yield Finding((*path, "mirror", "to"), message)


def _one_cluster(tree: Any, name: str, route: Any) -> Iterator[Finding]:
    """Destinations that are localities of one cluster leave no place for others: no zones, and nobody stays with one of them."""
    to = _mapping(route, "to")
    if _mapping(route).get("cluster_per") != "rule" or len(to) < 2:
        return
    path = ("gateway", "routes", name, "cluster_per")
    if route.get("sticky") is not None:
        yield Finding(path, "`sticky` needs destinations that are clusters; write `cluster_per: backend`")
    for service in (*(str(target).partition("/")[0] for target in to), EVERY_DESTINATION):
        if _mapping(tree, "gateway", "traffic", service).get("locality") is not None:
            message = f"the destinations are the localities, and gateway.traffic.{service}.locality has zones; write `cluster_per: backend`"
            yield Finding(path, message)


def _hedging(path: Path, block: Any) -> Iterator[Finding]:
    """A hedge on the per-try timeout needs one, and a retry to send."""
    if _mapping(block, "hedge_policy").get("hedge_on_per_try_timeout") is True and "retries" in _mapping(block):
        retries = _mapping(block, "retries")
        if retries.get("per_try_timeout") in (None, "none") or retries.get("num_retries") == 0:
            message = "needs `retries` with a `per_try_timeout` and at least one retry: that is what it sends"
            yield Finding((*path, "hedge_policy", "hedge_on_per_try_timeout"), message, at_key=True)


def _localities(tree: Any, path: Path, block: Any) -> Iterator[Finding]:
    """Zones that locality settings name must exist."""
    known = zones(tree)
    for policy, setting in BY_ZONE:
        for zone, inner in _mapping(block, "locality", policy, setting).items():
            inside = list(inner) if isinstance(inner, dict) else [inner] if policy == "locality_failover" else []
            for name in (zone, *inside):
                if isinstance(name, str) and name not in known and (policy, name) != ("locality_distribute", EVERY_ZONE):
                    message = f"nothing is in zone {shown(name)}{did_you_mean(name, known)}"
                    yield Finding((*path, "locality", policy, setting, zone), message, at_key=True)


def zones(tree: Any) -> dict[str, None]:
    """The zones that anything is in."""
    places = [*_mapping(tree, "services").values(), *_mapping(tree, "load").values(), _mapping(tree, "gateway")]
    named = [_mapping(place).get("zone") for place in places]
    counted = [zone for place in places for zone in _mapping(place, "zones")]
    return {zone: None for zone in (*named, *counted) if isinstance(zone, str)}


def _ambient(tree: Any) -> Iterator[Finding]:
    """In ambient mode only a waypoint sees requests; outside of it there are neither waypoints nor node proxies."""
    mesh = _mapping(tree, "mesh")
    if mesh.get("mode", "sidecar") == "sidecar":
        for key in ("node_proxy", "waypoints"):
            if mesh.get(key) is not None:
                yield Finding(("mesh", key), "is there in ambient mode only; write `mode: ambient`", at_key=True)
        return
    before = _mapping(mesh, "waypoints", "services")
    for service, block in _mapping(mesh, "traffic").items():
        if service in before or service == EVERY_DESTINATION:
            continue
        for key in _mapping(block):
            if key not in AT_LAYER_4:
                message = f"needs a waypoint: a node proxy does not see requests; add {service} to mesh.waypoints.services"
                yield Finding(("mesh", "traffic", service, key), message, at_key=True)
    for service in _mapping(mesh, "inbound"):
        if service not in before:
            message = f"needs a waypoint: a node proxy does not see requests; add {service} to mesh.waypoints.services"
            yield Finding(("mesh", "inbound", service), message, at_key=True)
