"""Who calls a service, how often, and what is done for those calls: what the checks of traffic settings look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.policies.locality import LocalityDistribute
from meshsim.scenario import effective
from meshsim.scenario.circumstances import EVERY_DESTINATION, Caller
from meshsim.scenario.defaults import NO_PRODUCT, Product, resolve
from meshsim.scenario.flow import reading
from meshsim.scenario.flow.flow import calls_of
from meshsim.scenario.spread import grown, subsets_over
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.flow.reading import Path, Tries
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.services import PlacedSection, ServiceSection
    from meshsim.scenario.sections.traffic import TrafficSection


@dataclass(frozen=True)
class Destination:
    """What callers of one kind do for the calls to a service."""

    service: str
    who: str
    """For people: `one sidecar of frontend`, `one replica of the gateway`, `load shoppers`."""
    section: str
    """Where the settings stand: `gateway`, `mesh` or `direct`."""
    entries: Mapping[str, TrafficSection]
    product: Product
    callers: int
    """Proxies, or callers without one, that have a view of their own."""
    rate: float
    """Requests per second of all callers together at the peak; 0 where a file says."""
    held: float
    """How many of them are there at once at the least, in the mean: rate x time."""
    caller: Caller = effective.NOBODY
    """Who sends."""
    routes: tuple[Tries, ...] = ()
    """Of a gateway: what its routes to the service try."""
    zones: tuple[str, ...] = ("",)
    """Where the callers are."""
    room: float = inf
    """How many calls the callers can have at once where each of their workers waits for one; no bound where some calls are not waited for."""

    @cached_property
    def traffic(self) -> effective.Traffic:
        """The settings, with nothing left open."""
        return effective.traffic(self.entries, self.service, self.product, self.caller)

    @property
    def tries(self) -> tuple[Tries, ...]:
        """Every way in which a call is tried."""
        return self.routes or (reading.tries(self.traffic.retries, self.path("retries")),)

    @property
    def takes_hosts_out(self) -> bool:
        """Whether anything makes a host count as ill."""
        traffic = self.traffic
        return traffic.outliers is not None or traffic.accrual is not None or traffic.health_checks is not None

    def path(self, field: str) -> Path:
        """Where a setting is written; empty where it is not."""
        for key in (self.service, EVERY_DESTINATION):
            if getattr(self.entries.get(key), field, None) is not None:
                return self.section, "traffic", key, field
        return ()

    def written(self, field: str) -> Any:
        """The setting as the file has it; None where it is not written."""
        blocks = (self.entries.get(key) for key in (self.service, EVERY_DESTINATION))
        return next((found for block in blocks if (found := getattr(block, field, None)) is not None), None)


def destinations(flow: Flow) -> Iterator[Destination]:
    """All of them: of the gateway or the clients, then of the services."""
    yield from _of_gateway(flow) if flow.has_gateway else _of_clients(flow)
    yield from _of_services(flow)


def using(flow: Flow, field: str) -> list[tuple[Path, list[Destination]]]:
    """Every place where a setting is written, with the destinations that it is for."""
    found: dict[Path, list[Destination]] = {}
    for one in destinations(flow):
        if path := one.path(field):
            found.setdefault(path, []).append(one)
    return list(found.items())


def most_hosts(flow: Flow, destination: Destination) -> int:
    """Hosts that one view of the destination has at most in the whole run.

    Of one subset, where it is split; and only of zones that its locality policy lets a caller know.
    """
    service = flow.scenario.services[destination.service]
    split, locality = destination.traffic.split, destination.traffic.locality
    hosts = hosts_of(service)
    if split and service.subsets:
        hosts = [host for host in hosts if split.get(host.subset)]
    seen: Counter[tuple[str, str]] = Counter()
    for caller in destination.zones:
        for host in hosts:
            if not isinstance(locality, LocalityDistribute) or locality.reaches(caller, host.zone):
                seen[caller, host.subset if split else ""] += 1
    return max(seen.values(), default=0)


class Where(NamedTuple):
    """Where a replica is."""

    zone: str
    subset: str


def hosts_of(service: ServiceSection) -> list[Where]:
    """Where each replica of a service is, of as many as there ever are."""
    zones, names = zones_of(service), sorted(service.subsets or ())
    counts = [service.zones[zone] for zone in zones] if service.zones else [service.replicas]
    at_first = [number for number, count in enumerate(counts) for _ in range(count)]
    sizes = {number: (service.subsets or {})[name] for number, name in enumerate(names)}
    places, subsets = grown(at_first, range(len(zones)), subsets_over(at_first, sizes) if names else (), service.places)
    return [
        Where(zones[zone], names[subset] if names else "")
        for zone, subset in zip(places, subsets or [0] * len(places), strict=True)
    ]


def zones_of(place: PlacedSection) -> tuple[str, ...]:
    """The zones of something with replicas, in alphabetical order."""
    return tuple(sorted(place.zones or (place.zone or "",)))


def _of_gateway(flow: Flow) -> Iterator[Destination]:
    gateway = flow.scenario.gateway
    assert gateway is not None  # noqa: S101 — the caller has looked
    tries: dict[str, list[Tries]] = {}
    for route in flow.routes.values():
        for service in dict.fromkeys(key.partition("/")[0] for key in route.shares):
            tries.setdefault(service, []).append(route.layer.tries)
    asked: dict[str, Asked] = {}
    for source in flow.sources:
        for service, of_source in _entries(flow, source).items():
            asked[service] = asked.get(service, NOTHING) + of_source
    for service, (rate, held) in asked.items():
        routes = tuple(tries.get(service, ()))
        who = "one replica of the gateway"
        caller, zones = Caller("gateway"), zones_of(gateway)
        yield Destination(
            service, who, "gateway", gateway.traffic, flow.product, gateway.replicas, rate, held, caller, routes, zones
        )


def _of_clients(flow: Flow) -> Iterator[Destination]:
    for source in flow.sources:
        for service, (rate, held) in _entries(flow, source).items():
            entries = _without_proxy(flow.scenario)
            zones = (flow.scenario.load[source.name].zone or "",)
            who = f"load {source.name}"
            yield Destination(service, who, "direct", entries, resolve(NO_PRODUCT), 1, rate, held, zones=zones)


class Asked(NamedTuple):
    """What a service is asked for."""

    rate: float
    held: float

    def __add__(self, other: Asked) -> Asked:  # type: ignore[override]
        """Both together."""
        return Asked(self.rate + other.rate, self.held + other.held)


NOTHING = Asked(0.0, 0.0)


def _asked(flow: Flow, key: str, rate: float) -> Asked:
    return Asked(rate, rate * flow.least_ns(key) / NS_PER_S)


def _entries(flow: Flow, source: Any) -> dict[str, Asked]:
    """What a source asks each service for."""
    found: dict[str, Asked] = {}
    for key, rate in flow.entries(source).items():
        service = flow.operations[key].service
        found[service] = found.get(service, NOTHING) + _asked(flow, key, rate)
    return found


def _of_services(flow: Flow) -> Iterator[Destination]:
    rates: dict[tuple[str, str], Asked] = {}
    detached: set[tuple[str, str]] = set()
    for operation in flow.operations.values():
        for call in calls_of(operation):
            pair = operation.service, flow.operations[call.target].service
            asked = _asked(flow, call.target, flow.visits[operation.key] * call.times)
            rates[pair] = rates.get(pair, NOTHING) + asked
            if not call.is_waited_for:
                detached.add(pair)
    mesh, scenario = flow.scenario.mesh, flow.scenario
    if flow.has_mesh and mesh is not None and mesh.mode == "ambient":
        yield from _of_waypoints(flow, rates)
        return
    for (caller, service), (rate, held) in rates.items():
        calling = scenario.services[caller]
        callers, zones = calling.replicas, zones_of(calling)
        is_bound = calling.threads and not calling.is_async and (caller, service) not in detached
        room = calling.threads * callers if is_bound else inf
        if flow.has_mesh:
            in_mesh = {} if mesh is None else mesh.traffic
            who = f"one sidecar of {caller}"
            by = Caller("sidecar")
            yield Destination(service, who, "mesh", in_mesh, flow.product, callers, rate, held, by, zones=zones, room=room)
        else:
            entries = _without_proxy(scenario)
            who = f"one replica of {caller}"
            yield Destination(service, who, "direct", entries, resolve(NO_PRODUCT), callers, rate, held, zones=zones, room=room)


def _of_waypoints(flow: Flow, rates: dict[tuple[str, str], Asked]) -> Iterator[Destination]:
    """In ambient mode a waypoint does it, for all callers of its service; a node proxy does none of it."""
    mesh = flow.scenario.mesh
    assert mesh is not None  # noqa: S101 — the caller has looked
    for service, waypoint in (mesh.waypoints.services if mesh.waypoints is not None else {}).items():
        rate = [each for (_, called), each in rates.items() if called == service]
        if rate:
            asked = sum(rate, NOTHING)
            who = f"one replica of {service}'s waypoint"
            by = Caller("waypoint")
            zones = zones_of(waypoint)
            yield Destination(service, who, "mesh", mesh.traffic, flow.product, waypoint.replicas, *asked, by, zones=zones)


def _without_proxy(scenario: Scenario) -> Mapping[str, TrafficSection]:
    return {} if scenario.direct is None else scenario.direct.traffic
