"""Whom faults name: services, their subsets and replicas, the gateway and its replicas, zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, mapping, shown
from meshsim.scenario.sections.faults import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_in_faults(tree: Any) -> Iterator[Finding]:
    """What faults name and is not there."""
    zones = _zones(tree)
    for index, fault in enumerate(tree["faults"]) if isinstance(tree.get("faults"), list) else ():
        if not isinstance(fault, dict):
            continue
        service, zone = fault.get("service"), fault.get("zone")
        if isinstance(service, str):
            for key, message in _of_service(tree, service, fault):
                yield Finding(("faults", index, *key), message)
        if isinstance(zone, str) and zone not in zones:
            yield Finding(("faults", index, "zone"), f"nothing is in zone {shown(zone)}{did_you_mean(zone, zones)}")


def _of_service(tree: Any, service: str, fault: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a fault of a service or of the gateway: at which of its keys, and what."""
    services = mapping(tree, "services")
    if service == GATEWAY and not mapping(tree, "gateway"):
        yield ("service",), "there is no `gateway:` in this scenario"
        return
    if service != GATEWAY and service not in services:
        yield ("service",), f"unknown service {shown(service)}{did_you_mean(service, [*services, GATEWAY])}"
        return
    place, whose = (tree["gateway"], "the gateway") if service == GATEWAY else (services[service], service)
    first, struck, subset = replicas_at_first(place), fault.get("replicas"), fault.get("subset")
    if type(struck) is int and first is not None and struck > first:
        yield ("replicas",), f"{whose} has {first}, not {struck}"
    most, instances = _most(place, first), fault.get("instances")
    for at, number in enumerate(instances if isinstance(instances, list) else ()):
        if most is not None and type(number) is int and number >= most:
            yield ("instances", at), f"{whose} has no replica {number}; they are numbered from 0 to {most - 1}"
    caches, flushed = mapping(place, "caches"), fault.get("flush")
    if service != GATEWAY and isinstance(flushed, str):
        if flushed not in caches:
            missing = did_you_mean(flushed, caches) if caches else "; write it under `caches`"
            yield ("flush",), f"{service} has no cache {shown(flushed)}{missing}"
        elif "hit_ratio" in mapping(caches, flushed):
            yield ("flush",), f"nothing is in {flushed}: it hits by chance; write its `keys` in place of `hit_ratio`"
    subsets = mapping(place, "subsets")
    if service != GATEWAY and isinstance(subset, str) and subset not in subsets:
        yield ("subset",), f"unknown subset {shown(subset)} of {service}{did_you_mean(subset, subsets)}"


def replicas_at_first(place: Any) -> int | None:
    """How many replicas a service or the gateway begins with; None where that is not written well."""
    counts = list(mapping(place, "zones").values())
    given = mapping(place).get("replicas", sum(counts) if counts and all(type(count) is int for count in counts) else 1)
    return given if type(given) is int else None


def _most(place: Any, first: int | None) -> int | None:
    """How many it ever has; None where that is not written well."""
    steps = mapping(place).get("scale")
    later = [mapping(step).get("replicas") for step in steps] if isinstance(steps, list) else []
    if isinstance(mapping(place).get("autoscaling"), dict):
        later.append(mapping(place, "autoscaling").get("max_replicas"))
    counts = [count for count in (first, *later) if type(count) is int]
    return max(counts) if len(counts) == 1 + len(later) else None


def _zones(tree: Any) -> dict[str, None]:
    """The zones that services and the gateway are in."""
    places = [*mapping(tree, "services").values(), tree.get("gateway")]
    named = [mapping(place).get("zone") for place in places]
    counted = [zone for place in places for zone in mapping(place, "zones")]
    return {zone: None for zone in (*named, *counted) if isinstance(zone, str)}
