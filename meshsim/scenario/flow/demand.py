"""What a scenario's loads ask for, and what the proxies let pass and can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshsim.arrivals import Bursts, Profile, Segment, Sinusoid, State
from meshsim.distributions import Constant
from meshsim.scenario import effective
from meshsim.scenario.flow import copies, routing
from meshsim.scenario.flow.reading import Layer, mean_ns, tries
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.scripts import every_item
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.defaults import Product
    from meshsim.scenario.flow.reading import Route
    from meshsim.scenario.sections.model import Scenario


@dataclass(frozen=True)
class Source:
    """One load, at its peak."""

    name: str
    rate: float
    """Requests per second of an open load."""
    users: int | None
    """Of a closed load."""
    think_ns: float
    requests: dict[str, float]
    """Share by name of a route or operation; a path that no route matches stays a path."""
    consumer: str
    addresses: int
    good: float
    """Share of the requests with a good credential."""
    missing: float
    """Share without any."""
    lasts_s: float
    """How long it goes on."""
    profile: Profile | None
    """When the requests of an open load come; None for users, and where a file says."""
    layer: Layer
    has_keys: bool = False
    """Whether it says what its requests ask for."""
    is_think_time_drawn: bool = False
    """Whether the pauses of users differ."""
    peak: float = 0.0
    """Requests per second at the peak; of users at most."""
    answer_ns: float = 0.0
    """Least time of an answer, in the mean."""


@dataclass(frozen=True)
class Proxy:
    """The workers of one proxy and the time it takes for each request, in the mean."""

    workers: int
    time_ns: float


def sources(scenario: Scenario, known: dict[str, Route]) -> Iterator[Source]:
    """All loads."""
    routes = scenario.gateway.routes if scenario.gateway else {}
    for name, load in scenario.load.items():
        total = sum(load.requests.values())
        requests: dict[str, float] = {}
        for target, weight in load.requests.items():
            is_path = routing.is_path(target) and target not in known
            found = (routing.meet(routing.asked(target, load), routes.items()) or target) if is_path else target
            requests[found] = requests.get(found, 0.0) + weight / total
        again = tries(effective.own_retries(load.retries), ("load", name, "retries"))
        layer = Layer(f"load {name}", effective.timeout_ns(load.timeout), ("load", name, "timeout"), again)
        users, rate = _users(load), peak_rate(load)
        think_time = getattr(load, "think_time", None)
        think_ns = 0.0 if think_time is None else mean_ns(think_time)
        begin_ns, end_ns = span_ns(load, run_ns(scenario))
        is_drawn = think_time is not None and not isinstance(think_time.chosen, Constant)
        yield Source(
            name, rate, users, think_ns, requests, load.consumer or "", load.addresses, load.credentials.valid,
            load.credentials.missing, (end_ns - begin_ns) / NS_PER_S, profile(load, run_ns(scenario)), layer,
            has_keys=load.keys is not None, is_think_time_drawn=is_drawn,
        )  # fmt: skip


def profile(load: Any, until_ns: int) -> Profile | None:
    """When the requests of an open load come; None for users, and where a file says."""
    if load.executor not in {"constant-arrival-rate", "ramping-arrival-rate"}:
        return None
    return Profile(
        _segments(load, until_ns),
        is_poisson=load.arrivals == "poisson",
        before_first=float(load.executor == "ramping-arrival-rate"),
        sinusoid=_sinusoid(load),
        bursts=_bursts(load),
    )


def _segments(load: Any, until_ns: int) -> tuple[Segment, ...]:
    begin_ns, end_ns = span_ns(load, until_ns)
    if load.executor == "constant-arrival-rate":
        end_ns = min(until_ns, end_ns)
        return (Segment(begin_ns, max(0, end_ns - begin_ns), load.rate, load.rate),) if load.rate else ()
    segments, rate, at_ns = [], load.start_rate or 0.0, begin_ns
    for stage in load.stages:
        segments.append(Segment(at_ns, stage.duration, rate, stage.target))
        rate, at_ns = stage.target, at_ns + stage.duration
    return tuple(segments)


def _sinusoid(load: Any) -> Sinusoid | None:
    given = load.sinusoid
    return None if given is None else Sinusoid(given.amplitude, given.period, given.peak)


def _bursts(load: Any) -> Bursts | None:
    if load.bursts is None:
        return None
    return Bursts(tuple(State(one.intensity, one.lasts.chosen.build()) for one in load.bursts.states), load.bursts.sources)


def route_paths(scenario: Scenario) -> tuple[str, ...]:
    """The paths that the gateway's routes match."""
    routes = scenario.gateway.routes.values() if scenario.gateway else ()
    return tuple(str(route.path) for route in routes)


def peak_rate(load: Any) -> float:
    """Requests per second of an open load at its highest, in the mean over bursts; 0 where a file says, or of a closed load."""
    if load.executor == "constant-arrival-rate":
        return float(load.rate) * _highest_factor(load)
    if load.executor == "ramping-arrival-rate":
        return float(max(load.start_rate or 0, *(stage.target for stage in load.stages))) * _highest_factor(load)
    return 0.0


def _highest_factor(load: Any) -> float:
    return 1.0 if load.sinusoid is None else 1.0 + float(load.sinusoid.amplitude)


def _users(load: Any) -> int | None:
    if load.executor == "ramping-vus":
        return int(max(load.start_vus or 0, *(stage.target for stage in load.stages)))
    users: int | None = getattr(load, "vus", None)
    return users


def further_targets(scenario: Scenario) -> frozenset[str]:
    """Whom filters ask, whom scripts call after a failure, and where the gateway sends what no weight says.

    That is: to a canary, a fallback, for a copy or a part of an answer.
    """
    gateway, found = scenario.gateway, set[str | None]()
    for section in (gateway, scenario.mesh, scenario.direct):
        found.update(block.mirror.to for block in copies.entries(section).values() if block.mirror is not None)
    inbound = getattr(scenario.mesh, "inbound", None) or {}
    for filters in (gateway.filters if gateway else (), *(one.filters for one in inbound.values())):
        found.update(getattr(choice.chosen, "service", None) for choice in filters)
    for route in gateway.routes.values() if gateway else ():
        found |= {route.fallback, *(part.call for part in route.aggregate)}
        found |= {one.to for one in (route.canary, route.mirror) if one is not None}
    for service in scenario.services.values():
        for script in (service.script, *(one.script for one in service.operations.values())):
            behind = (getattr(step, "fallback", None) for step in every_item(script))
            found.update(getattr(one, "call", None) for steps in behind for one in every_item(steps))
    return frozenset(one for one in found if one)


def has_replayed_times(script: Any) -> bool:
    """Whether a computing time of a script stands in a file."""
    return any(isinstance(getattr(step, "compute", None), ReplayedTime) for step in every_item(script))


def proxy(section: Any, kind: str, product: Product) -> Proxy:
    """A gateway's or a mesh's workers and time, with the product's defaults."""
    workers = getattr(section, "workers", None)
    given = getattr(section, "proxy_time", None)
    return Proxy(
        product.default(f"{kind}.workers").value if workers is None else workers,
        mean_ns(product.default(f"{kind}.proxy_time").value if given is None else given),
    )


def run_ns(scenario: Scenario) -> int:
    """Length of the run; of the longest load where the run gives none; 0 where neither does."""
    given = scenario.run.duration if scenario.run is not None else None
    return given or max((span_ns(load, 0)[1] for load in scenario.load.values()), default=0)


def span_ns(load: Any, until_ns: int) -> tuple[int, int]:
    """When a load begins and ends; one without an end of its own ends at `until_ns`."""
    begin_ns: int = load.start or 0
    stages = getattr(load, "stages", None)
    if stages:
        return begin_ns, begin_ns + sum(stage.duration for stage in stages)
    duration = getattr(load, "duration", None)
    return begin_ns, until_ns if duration is None else begin_ns + duration


def fault_span_ns(fault: Any, run_ns: int) -> tuple[int, int]:
    """When a fault begins and ends, or from when to when one by chance may begin."""
    return fault.begins_ns, fault.ends_ns(run_ns)
