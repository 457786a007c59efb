"""Services, their operations, and the steps of their scripts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.plan import NONE, ConnectionPool, HealthStatus, Lifecycle, OnCancel, Operation, Queue, Service, Step, StepKind
from meshsim.planning.asks import plan_asks
from meshsim.planning.caches import plan_caches
from meshsim.planning.cpu import plan_cpu
from meshsim.planning.errors import grpc_status, latency_of, table
from meshsim.planning.loads import key_shares
from meshsim.planning.places import places_of
from meshsim.planning.rollouts import plan_rollouts
from meshsim.planning.scaling import plan_autoscaling
from meshsim.planning.traffic import own_stack
from meshsim.policies.queueing import Fifo
from meshsim.randomness import FALLBACK, LOOKUP, call_key, stream
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.scripts import CachedStep, CallStep, LoopStep, ParallelStep, PublishStep, TransactionStep
from meshsim.scenario.sections.sizes import mean_kib, spread_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.distributions import Distribution
    from meshsim.plan import Autoscaling, Rollouts
    from meshsim.planning.errors import Tables
    from meshsim.planning.index import Index
    from meshsim.policies.filters import Filter
    from meshsim.replay import Table
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.services import QueueSection, ServiceSection
    from meshsim.scenario.sections.sizes import SizeSpread

_GRPC_STATUS_OF_ERROR = 14


def plan_service(
    name: str, section: ServiceSection, scenario: Scenario, index: Index, inbound: tuple[Filter, ...], tables: Tables
) -> Service:
    """One service as an engine takes it."""
    zones, subsets, order = places_of(section, index)
    lifecycle = _lifecycle(section, order, plan_autoscaling(section, scenario.autoscaler), plan_rollouts(section, tables))
    weights = section.load_balancing_weights or (1,)
    priorities = section.priorities or ()
    return Service(
        stream=stream(f"service {name}"),
        zones=zones,
        weights=tuple(float(weights[place % len(weights)]) for place in range(len(zones))),
        workers=section.threads,
        queue_limit=NONE if section.queue is None or section.queue.limit is None else section.queue.limit,
        is_async=section.is_async,
        on_cancel=OnCancel[section.on_cancel.upper()],
        is_grpc=section.protocol == "grpc",
        may_crash=lifecycle is not None or any(fault.crash and fault.strikes(name) for fault in scenario.faults),
        fails_at_once=_fails_at_once(name, section, scenario),
        cpu=plan_cpu(section.cpu),
        inbound=inbound,
        asks=plan_asks(inbound, index),
        lifecycle=lifecycle,
        subsets=subsets,
        priorities=tuple(priorities[place % len(priorities)] for place in range(len(zones))) if priorities else (),
        health=_health(section, len(zones)),
        queue=_queue(section.queue),
        addresses=tuple(section.addresses or ()),
        keeps_deadlines=section.deadline_propagation,
        connection_pools=tuple(_pools(section, index)),
        caches=tuple(plan_caches(section, index)),
    )


def _queue(section: QueueSection | None) -> Queue | None:
    """What is particular about a queue; None where nothing is."""
    if section is None:
        return None
    discipline: Any = Fifo() if section.discipline is None else section.discipline.chosen
    shedding: Any = None if section.shed is None else section.shed.chosen
    if type(discipline) is Fifo and shedding is None and section.max_wait is None:
        return None
    return Queue(discipline, NONE if section.max_wait is None else section.max_wait, shedding)


def _health(section: ServiceSection, count: int) -> tuple[int, ...]:
    """What discovery says of each place."""
    told = section.health_status
    if told is None or not (told.unhealthy or told.degraded):
        return ()
    status = {
        **dict.fromkeys(told.unhealthy, HealthStatus.UNHEALTHY),
        **dict.fromkeys(told.degraded, HealthStatus.DEGRADED),
    }
    return tuple(int(status.get(place, HealthStatus.HEALTHY)) for place in range(count))


def _fails_at_once(name: str, section: ServiceSection, scenario: Scenario) -> bool:
    """Whether an error of its own, or of a fault, may come without work."""
    own = [section.errors, *(operation.errors for operation in section.operations.values())]
    struck = [fault.errors for fault in scenario.faults if fault.strikes(name)]
    versions = [step.errors for step in section.rollouts]
    return any(errors is not None and errors.latency is not None for errors in (*own, *struck, *versions))


def _lifecycle(
    section: ServiceSection, order: tuple[int, ...], autoscaling: Autoscaling | None, rollouts: Rollouts | None
) -> Lifecycle | None:
    """How its instances come and go; None where they are there from the beginning to the end."""
    changes = section.scale or section.restarts or autoscaling is not None or rollouts is not None
    if not changes and section.readiness is None:
        return None
    readiness = section.readiness
    return Lifecycle(
        replicas=section.replicas,
        order=order,
        scale=tuple((step.at, step.replicas) for step in sorted(section.scale, key=lambda step: step.at)),
        restarts=tuple((step.at, step.batch) for step in section.restarts),
        startup_ns=section.startup_time,
        pre_stop_ns=section.pre_stop,
        grace_ns=section.termination_grace_period,
        readiness_ns=NONE if readiness is None else readiness.period * readiness.failure_threshold,
        readiness_period_ns=0 if readiness is None else readiness.period,
        readiness_successes=1 if readiness is None else readiness.success_threshold,
        autoscaling=autoscaling,
        rollouts=rollouts,
    )


def plan_operations(scenario: Scenario, index: Index, tables: Tables) -> tuple[Operation, ...]:
    """All operations, in the order of the index."""
    made, consumers = [], scenario.consumers
    for key in index.names.operations:
        service_name, _, operation_name = key.partition("/")
        section = scenario.services[service_name]
        body = section.operations[operation_name] if operation_name else section
        own = _own(section)
        errors = body.errors if body.errors is not None else section.errors
        replayed = None if errors is None or errors.replay is None else table(errors.replay, "ns", tables)
        is_grpc = section.protocol == "grpc"
        made.append(
            Operation(
                service=index.services[service_name],
                steps=tuple(_Script(index, tables, own, count(), count(), consumers).steps(body.script or ())),
                error_rate=0.0 if errors is None else errors.rate or 0.0,
                error_table=replayed,
                never_fails=replayed is None and (errors is None or not errors.rate),
                error_status=200 if is_grpc else (None if errors is None else errors.status) or 503,
                error_grpc_status=(
                    grpc_status(errors.grpc_status) if errors is not None and errors.grpc_status else _GRPC_STATUS_OF_ERROR
                )
                if is_grpc
                else NONE,
                request_kib=_kib(body.request_size, section.request_size),
                response_kib=_kib(body.response_size, section.response_size),
                response_spread=spread_of(section.response_size if body.response_size is None else body.response_size),
                retry_after_ns=NONE if errors is None or errors.retry_after is None else errors.retry_after,
                error_latency=None if errors is None else latency_of(errors),
            )
        )
    return tuple(made)


def _kib(own: int | SizeSpread | None, of_service: int | SizeSpread | None) -> float:
    """KiB of an operation's own size, or of its service's, in the mean."""
    return mean_kib(of_service if own is None else own)


def _pools(section: ServiceSection, index: Index) -> Iterator[ConnectionPool]:
    """The connection pools of each instance, by name."""
    for name, pool in sorted(section.connection_pools.items()):
        timeout_ns = pool.acquire_timeout if isinstance(pool.acquire_timeout, int) else NONE
        drawn = stream(f"connection pool {name}")
        yield ConnectionPool(index.connection_pools[name], drawn, pool.maximum_pool_size, timeout_ns, pool.waiters == "fifo")


class _Own(NamedTuple):
    """What a service has that its scripts name: numbers by name."""

    pools: dict[str, int]
    caches: dict[str, int]
    keys: dict[str, tuple[float, ...]]
    """Shares of the keys of those caches that have their own."""


def _own(section: ServiceSection) -> _Own:
    pools, caches = ({name: at for at, name in enumerate(sorted(one))} for one in (section.connection_pools, section.caches))
    return _Own(pools, caches, {name: key_shares(cache.keys) for name, cache in section.caches.items()})


@dataclass(frozen=True)
class _Script:
    """Makes steps of the items of one script.

    Places number all that draws, in order, those inside of others too. Variants are compared request by request, so what is wrapped around
    steps or added behind a call leaves the numbers of all others alone: a transaction has none, and a fallback counts by itself, from a
    number that hangs on its call's.
    """

    index: Index
    tables: Tables
    own: _Own
    places: Iterator[int]
    cached: Iterator[int]
    """Numbers of the steps that read through a cache, by themselves: what is wrapped in one keeps its place."""
    consumers: dict[str, str]
    """Of each queue, by operation."""
    keyed_as: tuple[tuple[float, ...], int] = ((), NONE)
    """Shares of keys, and who draws them, for a cache without any: those of the one around it."""

    def steps(self, items: Any) -> Iterator[Step]:
        """The steps; a call that is repeated is as many steps, and so is what a loop repeats."""
        for item in items:
            if isinstance(item, list | tuple):
                yield self._parallel(item, 0)
            elif isinstance(item, ParallelStep):
                yield self._parallel(item.parallel, item.need or 0)
            elif isinstance(item, LoopStep):
                for _ in range(item.loop):
                    yield from self.steps(item.script)
            elif isinstance(item, CallStep):
                yield from self._calls(item)
            elif isinstance(item, PublishStep):
                yield self._message(item)
            elif isinstance(item, TransactionStep):
                yield Step(
                    StepKind.TRANSACTION, NONE, steps=tuple(self.steps(item.script)), pool=self.own.pools[item.transaction]
                )
            elif isinstance(item, CachedStep):
                yield self._read_through(item)
            else:
                yield Step(StepKind.COMPUTE, next(self.places), time=_time(item.compute, self.tables))

    def _message(self, item: PublishStep) -> Step:
        place, consumer = next(self.places), self.consumers.get(item.publish)
        return Step(
            StepKind.PUBLISH,
            place,
            operation=NONE if consumer is None else self.index.operations[consumer],
            probability=1.0 if item.probability is None else item.probability,
            optional=item.optional,
            steps=self._fallback(item.fallback or (), place),
            is_waited_for=item.wait,
            queue=self.index.queues[item.publish],
        )

    def _read_through(self, item: CachedStep) -> Step:
        place, shares = next(self.cached), self.own.keys.get(item.cached, ())
        shares, drawn_at = keyed_as = (shares, place) if shares else self.keyed_as
        inside = replace(self, keyed_as=keyed_as)
        lookup = replace(inside, places=count(call_key(LOOKUP, place))).steps(item.lookup or ())
        return Step(
            StepKind.CACHED, place, steps=tuple(inside.steps(item.script)), lookup=tuple(lookup), cache=self.own.caches[item.cached],
            key_shares=shares, key_place=drawn_at,
        )  # fmt: skip

    def _parallel(self, calls: Iterable[CallStep], need: int) -> Step:
        place = next(self.places)
        made = tuple(step for one in calls for step in self._calls(one))
        return Step(StepKind.PARALLEL, place, calls=made, need=need if need < len(made) else 0)

    def _calls(self, item: CallStep) -> Iterator[Step]:
        for _ in range(item.repeat):
            call = _call(item, next(self.places), self.index)
            yield call._replace(steps=self._fallback(item.fallback, call.place)) if item.fallback else call

    def _fallback(self, items: Any, place: int) -> tuple[Step, ...]:
        """Steps behind a call; 64 bits to begin with, so that no two ranges meet."""
        return tuple(replace(self, places=count(call_key(FALLBACK, place)), cached=count(call_key(FALLBACK, place))).steps(items))


def _call(item: Any, place: int, index: Index) -> Step:
    return Step(
        StepKind.CALL,
        place,
        operation=index.operations[item.call],
        probability=1.0 if item.probability is None else item.probability,
        optional=bool(item.optional),
        is_waited_for=item.wait,
        stack=own_stack(item.timeout, item.retries),
    )


def _time(compute: Any, tables: Tables) -> Distribution | Table:
    if isinstance(compute, ReplayedTime):
        return table(compute.replay, compute.replay.unit, tables)
    distribution: Distribution = compute.chosen.build()
    return distribution
