"""What a scenario says of the way of its requests before anything runs: who calls whom, how often, how long at the least.

Times and rates are bounds from below: no queueing, no retries, no network. It is what `advice` judges a scenario by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from meshsim.scenario.defaults import Product, resolve
from meshsim.scenario.flow import copies, demand, reading
from meshsim.scenario.flow.operations import operations
from meshsim.scenario.flow.reading import Call, Together
from meshsim.scenario.flow.refused import When
from meshsim.scenario.flow.screened import Screened, inbound_limits, inbound_unknown, screened
from meshsim.scenario.flow.streams import Ask, offered
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.demand import Source
    from meshsim.scenario.flow.limits import Unknown
    from meshsim.scenario.flow.reading import Layer, Lookup, Operation, Route, Step, Transaction
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.resilience import MirrorSection


MOST_WAYS = 10_000
MOST_HOPS = 200_000
"""Chains of hops that are looked at, and their hops together: those of a chain of n services are n²/2."""


@dataclass(frozen=True)
class Hop:
    """One call on the way of a request, and the layers that guard it and what comes of it, outermost first."""

    caller: Operation | None
    """None where a client or the gateway calls."""
    target: Operation
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Way:
    """One chain of hops, from a source to an operation."""

    source: Source
    hops: tuple[Hop, ...]

    @property
    def names(self) -> str:
        """The chain for people: `shoppers > frontend > payment`."""
        return " > ".join((self.source.name, *(hop.target.key for hop in self.hops)))


class Flow:
    """The calls of a scenario, with what the product's defaults add."""

    def __init__(self, scenario: Scenario, *, ignores_users: bool = False) -> None:
        self.scenario = scenario
        self.has_more_ways = False
        """Whether `ways` has left some out."""
        self.ignores_users = ignores_users
        """Whether only the load counts that comes whether or not it is answered."""
        self.product: Product = resolve(scenario.defaults)
        self.has_gateway = "gateway" in scenario.deployment and scenario.gateway is not None
        self.has_mesh = "mesh" in scenario.deployment
        self.operations: dict[str, Operation] = {one.key: one for one in operations(scenario, self.product, self.has_mesh)}
        self.routes: dict[str, Route] = reading.routes(scenario, self.product, self.has_gateway)
        self.sources: tuple[Source, ...] = tuple(demand.sources(scenario, self.routes))
        self.inbound_limits = inbound_limits(scenario, demand.run_ns(scenario) / NS_PER_S) if self.has_mesh else {}

    @cached_property
    def visits(self) -> dict[str, float]:
        """Requests per second that each operation is offered at the peak, by key; rate limits are counted."""
        offered = dict.fromkeys(self.operations, 0.0)
        for source in self.sources:
            for key, rate in self.entries(source).items():
                offered[key] += rate
        for key, rate in self._besides():
            if key in offered:
                offered[key] += rate
        for key in self.order:
            limit = self.inbound_limits.get(self.operations[key].service)
            admitted = offered[key] if limit is None else min(offered[key], limit.rate)
            for call in calls_of(self.operations[key]):
                offered[call.target] += admitted * call.times
                if (copy := self._copy(call)) is not None:
                    offered[copy.to] += admitted * call.times * copy.share
        return offered

    @cached_property
    def of_open_loads(self) -> Flow:
        """The same without users, who wait rather than ask for more than can be done."""
        return self if all(source.users is None for source in self.sources) else Flow(self.scenario, ignores_users=True)

    @cached_property
    def unknown(self) -> list[Unknown]:
        """Filters that let an unknown share pass: what comes behind them is an upper bound."""
        return [*self.screened.unknown, *(inbound_unknown(self.scenario) if self.has_mesh else ())]

    def _copy(self, call: Call) -> MirrorSection | None:
        copy = copies.of_call(self.scenario, self.operations[call.target].service, has_mesh=self.has_mesh)
        return copy if copy is not None and copy.to in self.operations else None

    def entries(self, source: Source) -> dict[str, float]:
        """Requests per second of a source that reach each operation at its peak, past the gateway's filters."""
        entries: dict[str, float] = {}
        for target in source.requests:
            rate = self.screened.streams[Ask(source.name, target)].rate
            for key, part in self.destinations(target).items():
                entries[key] = entries.get(key, 0.0) + rate * part
        return entries

    def _besides(self) -> Iterator[tuple[str, float]]:
        """What the gateway sends besides: questions of its filters, further parts of answers, copies."""
        yield from self.screened.asked.items()
        routes = self.scenario.gateway.routes if self.has_gateway and self.scenario.gateway else {}
        for ask, stream in self.screened.streams.items():
            if route := routes.get(ask.target):
                yield from ((part.call, stream.rate) for part in route.aggregate)
            for key, share in self.destinations(ask.target).items():
                service = self.operations[key].service
                copy = copies.of_request(self.scenario, ask.target, service, has_gateway=self.has_gateway)
                if copy is not None:
                    yield copy.to, stream.rate * share * copy.share

    @cached_property
    def screened(self) -> Screened:
        """What the gateway's filters let through."""
        sources = {
            source.name: replace(source, peak=self.rate(source), answer_ns=self._answer_ns(source)) for source in self.sources
        }
        streams = offered(sources, {name: self.rate(source) for name, source in sources.items()})
        gateway = self.scenario.gateway if self.has_gateway else None
        filters = [cast("Filter", one.chosen) for one in gateway.filters] if gateway else []
        replicas = gateway.replicas if gateway else 1
        run = self.scenario.run
        when = When(demand.run_ns(self.scenario), *((run.time_zero, run.cold_start) if run is not None else ()))
        return screened(filters, ("gateway", "filters"), replicas, sources, streams, when)

    def destinations(self, target: str) -> dict[str, float]:
        """Operations that a source's request for `target` goes to, with their shares; empty where no route matches."""
        route = self.routes.get(target)
        shares = route.shares if route else {target: 1.0}
        return {key: part for key, part in shares.items() if key in self.operations}

    @cached_property
    def route_paths(self) -> tuple[str, ...]:
        """The paths of the gateway's routes."""
        return demand.route_paths(self.scenario)

    @cached_property
    def further_targets(self) -> frozenset[str]:
        """Whom filters ask, and where the gateway sends what no weight says: to a canary, a fallback, for a copy or a part of an answer."""
        return demand.further_targets(self.scenario)

    @property
    def has_unknown_rates(self) -> bool:
        """Whether a load's rate stands in a file of time stamps."""
        return any(source.users is None and not source.rate for source in self.sources)

    def rate(self, source: Source) -> float:
        """Requests per second at the peak; of a closed load at most users / (think time + least time of a request)."""
        if source.users is None:
            return source.rate
        least = self._answer_ns(source) + source.think_ns
        return source.users * NS_PER_S / least if least and not self.ignores_users else 0.0

    def _answer_ns(self, source: Source) -> float:
        """Least mean time of what a source asks for."""
        return sum(share * self.least_target_ns(target) for target, share in source.requests.items())

    def least_target_ns(self, target: str) -> float:
        """Least mean time of what a source asks for."""
        return sum(part * self.least_ns(key) for key, part in self.destinations(target).items())

    def least_ns(self, key: str) -> float:
        """Mean time that an operation takes at the least: its computing, and its calls as if nothing ever waited."""
        return self._least[key]

    @cached_property
    def _least(self) -> dict[str, float]:
        least: dict[str, float] = {}
        for key in reversed(self.order):
            least[key] = sum(_step_ns(step, least) for step in self.operations[key].steps)
        return least

    def held_ns(self, held: Transaction | Lookup) -> float:
        """Mean time that a transaction holds its connection, or that a cache loads a value, at the least."""
        return sum(_step_ns(step, self._least) for step in held.steps)

    def computing_ns(self, key: str) -> float:
        """Mean time that an operation computes, its calls left out."""
        return sum(_computing_ns(step) for step in self.operations[key].steps)

    def guarded(self) -> list[tuple[Layer, set[str]]]:
        """The retries that the scenario writes, each with the services that it retries."""
        by_path: dict[object, tuple[Layer, set[str]]] = {}
        for way in self.ways():
            for layer in way.hops[-1].layers:
                by_path.setdefault(layer.tries.path, (layer, set()))[1].add(way.hops[-1].target.service)
        return [pair for path, pair in by_path.items() if path]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All operations, callers before those whom they call. Without recursion: a chain may be longer than Python's stack."""
        done: dict[str, None] = {}
        for start in self.operations:
            pending = [] if start in done else [(start, self._called(start))]
            while pending:
                key, called = pending[-1]
                following = next((one for one in called if one not in done), None)
                if following is None:
                    done[key] = None
                    pending.pop()
                else:
                    pending.append((following, self._called(following)))
        return tuple(reversed(done))

    def _called(self, key: str) -> Iterator[str]:
        """Whom an operation calls, and who gets copies of that."""
        for call in calls_of(self.operations[key]):
            yield call.target
            if (copy := self._copy(call)) is not None:
                yield copy.to

    def ways(self) -> Iterator[Way]:
        """Every chain of hops from a source, the shorter before those that extend it; at most `MOST_WAYS` of `MOST_HOPS` together."""
        ways, hops = 0, 0
        for way in self._ways():
            ways, hops = ways + 1, hops + len(way.hops)
            if ways > MOST_WAYS or hops > MOST_HOPS:
                self.has_more_ways = True
                return
            yield way

    def _ways(self) -> Iterator[Way]:
        for source in self.sources:
            for target in source.requests:
                route = self.routes.get(target)
                for key in self.destinations(target):
                    service = self.operations[key].service
                    own = (
                        route.layer
                        if route and self.has_gateway
                        else reading.direct(self.scenario, f"load {source.name}", service)
                    )
                    pending = [iter([Way(source, (Hop(None, self.operations[key], (source.layer, own)),))])]
                    while pending:
                        way = next(pending[-1], None)
                        if way is None:
                            pending.pop()
                        else:
                            yield way
                            pending.append(self._extended(way))

    def _extended(self, way: Way) -> Iterator[Way]:
        """A chain with each call of its last operation added, once however often it is made.

        Nobody gives up or repeats a call for which nobody waits: no layer before it guards it.
        """
        last = way.hops[-1].target
        for call in {call.path: call for call in calls_of(last)}.values():
            before = way.hops if call.is_waited_for else tuple(replace(hop, layers=()) for hop in way.hops)
            yield Way(way.source, (*before, Hop(last, self.operations[call.target], call.layers)))


def calls_of(operation: Operation) -> Iterator[Call]:
    """All calls of an operation, those in parallel too."""
    for step in operation.steps:
        for one in step.calls if isinstance(step, Together) else (step,):
            if isinstance(one, Call):
                yield one


def _step_ns(step: Step, least: Mapping[str, float]) -> float:
    """Least mean time of a step, with that of the operations that it calls."""
    if isinstance(step, float):
        return step
    if isinstance(step, Together):
        times = sorted(_step_ns(one, least) for one in step.calls)
        return times[(step.need or len(times)) - 1]
    if not step.is_waited_for:
        return 0.0
    patience = min((layer.timeout_ns for layer in step.layers if layer.timeout_ns), default=0)
    return step.times * (min(least[step.target], patience) if patience else least[step.target])


def _computing_ns(step: Step) -> float:
    return step if isinstance(step, float) else 0.0
