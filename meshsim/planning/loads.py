"""Loads: when requests arrive or users are at work, and which routes they take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from meshsim.arrivals import Arrivals, Recorded
from meshsim.plan import NONE, Asker, Source
from meshsim.planning.traffic import own_stack
from meshsim.portable import power
from meshsim.randomness import stream
from meshsim.replay import read_arrivals
from meshsim.scenario.flow import routing
from meshsim.scenario.flow.demand import profile
from meshsim.scenario.sections.criticality import CRITICALITIES
from meshsim.scenario.sections.loads import ClosedLoad, FiniteLoad, PerUserIterations, SharedIterations
from meshsim.scenario.sections.sizes import mean_kib, spread_of
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.planning.index import Index
    from meshsim.scenario.sections.loads import LoadSection
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.shown import KeysSection, PopularitySection

Intervals = tuple[tuple[int, int], ...]
Key = TypeVar("Key", int, tuple[int, bool])


def plan_source(name: str, scenario: Scenario, index: Index) -> Source:
    """One load as an engine takes it."""
    load = scenario.load[name]
    asks, shares = _asks(load, scenario, index)
    routes, asker = tuple(route for route, _ in asks), _asker(name, scenario)
    is_closed = isinstance(load, ClosedLoad)
    think_time = getattr(load, "think_time", None)
    return Source(
        stream=stream(f"load {name}"),
        zone=index.zones[load.zone or ""],
        consumer=index.consumers[load.consumer or ""],
        routes=routes,
        writes=tuple(is_write for _, is_write in asks),
        shares=shares,
        stack=own_stack(load.timeout, load.retries),
        arrivals=None if is_closed else _arrivals(load, scenario.run.duration),
        users=_users(load, scenario.run.duration) if is_closed else (),
        think_time=None if think_time is None else think_time.chosen.build(),
        key_shares=key_shares(load.keys),
        keys=_keys(load.keys, index.names.keys),
        asker=asker,
        askers=_askers(asker, routes, scenario, index),
        iterations=load.iterations if isinstance(load, PerUserIterations | SharedIterations) else 0,
        shares_iterations=isinstance(load, SharedIterations),
        patience=None if load.patience is None else load.patience.chosen.build(),
    )


def _asker(name: str, scenario: Scenario) -> Asker:
    """What a load's requests show; addresses and credentials of different loads are different ones."""
    load, before = scenario.load[name], [scenario.load[other] for other in sorted(scenario.load) if other < name]
    given = load.credentials
    return Asker(
        addresses=load.addresses,
        first_address=sum(other.addresses for other in before),
        credentials=given.count,
        first_credential=sum(2 * other.credentials.count for other in before),
        bad_share=1.0 - given.valid - given.missing,
        missing_share=given.missing,
        criticality=CRITICALITIES.index(load.criticality),
        kib=mean_kib(load.body),
        kib_spread=spread_of(load.body),
        kib_ns=0.0 if load.bandwidth is None else 1024 * NS_PER_S / load.bandwidth,
        requests_per_connection=load.requests_per_connection,
    )


def _askers(asker: Asker, routes: tuple[int, ...], scenario: Scenario, index: Index) -> tuple[Asker, ...]:
    """The same by route, where some of them say how important their requests are."""
    known = scenario.gateway.routes if scenario.gateway else {}
    own = {index.routes[name]: route.criticality for name, route in known.items() if route.criticality and name in index.routes}
    if not own.keys() & set(routes):
        return ()
    return tuple(replace(asker, criticality=CRITICALITIES.index(own[one])) if one in own else asker for one in routes)


def key_shares(keys: PopularitySection | None) -> tuple[float, ...]:
    """Upper bounds of the cumulated shares of keys, by Zipf's law."""
    if keys is None:
        return ()
    weights = [1.0 / power(float(number), keys.zipf) for number in range(1, keys.count + 1)]
    bounds, bound, total = [], 0.0, sum(weights)
    for weight in weights:
        bound += weight / total
        bounds.append(bound)
    return (*bounds[:-1], 1.0)


def _keys(keys: KeysSection | None, names: tuple[str, ...]) -> Sequence[int]:
    """Numbers of a load's keys: those of all loads that have names, and then those that have none."""
    if keys is None:
        return ()
    if keys.names is None:
        return range(len(names), len(names) + keys.count)
    return tuple(names.index(name) for name in keys.names)


def _asks(load: LoadSection, scenario: Scenario, index: Index) -> tuple[tuple[tuple[int, bool], ...], tuple[float, ...]]:
    """Indices of routes, each with whether that is a write, and their cumulated shares; a path is matched as the gateway would."""
    known = scenario.gateway.routes if scenario.gateway else {}
    weights: dict[tuple[int, bool], float] = {}
    for target in sorted(load.requests):
        if routing.is_path(target) and target not in index.routes:
            request = routing.asked(target, load)
            name, is_write = routing.meet(request, known.items()), request.method not in routing.READING
        else:
            name, is_write = target, target in known and routing.only_writes(known[target])
        ask = (NONE if name is None else index.routes.get(name, NONE), is_write)
        weights[ask] = weights.get(ask, 0.0) + load.requests[target]
    return cumulated(weights)


def cumulated(weights: dict[Key, float], keep: tuple[Key, ...] = ()) -> tuple[tuple[Key, ...], tuple[float, ...]]:
    """Keys in order and the upper bounds of their shares, the last of them 1; without those of no weight, but for some to keep."""
    keys = tuple(key for key in sorted(weights) if weights[key] > 0 or key in keep)
    total, bound = sum(weights[key] for key in keys), 0.0
    shares: list[float] = []
    for key in keys:
        bound += weights[key] / total
        shares.append(bound)
    return keys, (*shares[:-1], 1.0)


def _arrivals(load: Any, run_ns: int) -> Arrivals:
    start_ns, end_ns = _from_to(load, run_ns)
    if load.executor == "replay":
        return Recorded(read_arrivals(load.file, load.column, load.unit, load.stretch) + start_ns, end_ns, load.scale)
    made = profile(load, run_ns)
    assert made is not None  # noqa: S101 — an open load has one
    return made


def _from_to(load: Any, run_ns: int) -> tuple[int, int]:
    """When a load begins and ends; a ramping one ends with its stages."""
    start_ns: int = load.start
    duration_ns = load.max_duration if isinstance(load, FiniteLoad) else getattr(load, "duration", None)
    return start_ns, run_ns if duration_ns is None else min(run_ns, start_ns + duration_ns)


def _users(load: Any, run_ns: int) -> tuple[Intervals, ...]:
    """For each virtual user, when it is at work: it starts when the number of users rises past it, as in k6."""
    start_ns, end_ns = _from_to(load, run_ns)
    if load.executor != "ramping-vus":
        return tuple(((start_ns, end_ns),) for _ in range(load.vus))
    begun: dict[int, int] = dict.fromkeys(range(load.start_vus or 0), start_ns)
    intervals: dict[int, list[tuple[int, int]]] = {}
    users, at_ns = load.start_vus or 0, start_ns
    for stage in load.stages:
        change = abs(stage.target - users)
        for step in range(1, change + 1):
            moment_ns = at_ns + stage.duration * step // change
            if stage.target > users:
                begun[users + step - 1] = moment_ns
            else:
                user = users - step
                intervals.setdefault(user, []).append((begun.pop(user), moment_ns))
        users, at_ns = stage.target, at_ns + stage.duration
    for user, since_ns in begun.items():
        intervals.setdefault(user, []).append((since_ns, at_ns))
    return tuple(tuple(intervals.get(user, ())) for user in range(max(intervals, default=-1) + 1))
