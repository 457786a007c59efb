"""The whole plan from the whole scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshsim.plan import BARE, NONE, Canary, HashOn, Network, Part, Persistence, Plan, Route
from meshsim.planning.faults import plan_faults
from meshsim.planning.index import Index, make_index
from meshsim.planning.loads import cumulated, plan_source
from meshsim.planning.prices import plan_prices
from meshsim.planning.proxies import drawn, filters, plan_direct, plan_gateway, plan_mesh
from meshsim.planning.queues import plan_queues
from meshsim.planning.rules import plan_rule
from meshsim.planning.services import plan_operations, plan_service
from meshsim.planning.traffic import traffic_stack
from meshsim.scenario import effective
from meshsim.scenario.defaults import Product, resolve
from meshsim.units import since_1970_ns

if TYPE_CHECKING:
    from meshsim.planning.errors import Tables
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.routes import CanarySection, SessionPersistenceSection


def make_plan(scenario: Scenario) -> Plan:
    """All that an engine needs to know of a scenario.

    Raises:
        ReplayError: A file of measurements that the scenario names does not hold what it should.
    """
    product = resolve(scenario.defaults)
    has_gateway = "gateway" in scenario.deployment
    has_mesh = "mesh" in scenario.deployment
    index = make_index(scenario, has_gateway_routes=scenario.gateway is not None)
    tables: Tables = {}
    faults, breakdowns = plan_faults(scenario, index, tables)
    inbound = scenario.mesh.inbound if has_mesh and scenario.mesh is not None else {}
    return Plan(
        duration_ns=scenario.run.duration,
        warm_up_ns=scenario.run.warm_up,
        interval_ns=scenario.run.interval,
        sources=tuple(plan_source(name, scenario, index) for name in index.names.sources),
        routes=tuple(_route(name, scenario, index, product) for name in index.names.routes),
        services=tuple(
            plan_service(
                name,
                scenario.services[name],
                scenario,
                index,
                filters(inbound[name].filters if name in inbound else ()),
                tables,
            )
            for name in index.names.services
        ),
        operations=plan_operations(scenario, index, tables),
        direct=plan_direct(scenario, index),
        gateway=plan_gateway(scenario, index, product) if has_gateway else None,
        mesh=plan_mesh(scenario, index, product) if has_mesh else None,
        network=Network(drawn(scenario.network.same_zone), drawn(scenario.network.cross_zone)),
        faults=faults,
        breakdowns=breakdowns,
        names=index.names,
        time_zero=scenario.run.time_zero or "",
        time_zero_ns=NONE if scenario.run.time_zero is None else since_1970_ns(scenario.run.time_zero),
        cold_start=scenario.run.cold_start,
        prices=plan_prices(scenario, index.names.services),
        queues=plan_queues(scenario, index),
    )


def _route(name: str, scenario: Scenario, index: Index, product: Product) -> Route:
    """A gateway's route, or without one the operation of that name."""
    if scenario.gateway is None:
        return Route((index.operations[name],) if name in index.operations else (), (1.0,), BARE)
    section = scenario.gateway.routes[name]
    weights = {index.operations[target]: float(weight) for target, weight in section.destinations.items()}
    operations, shares = cumulated(weights, keep=() if section.canary is None else (index.operations[section.canary.to],))
    stack = traffic_stack(effective.route_traffic(scenario.gateway, section, product), index)
    if len(operations) > 1:
        stack = replace(stack, subsets=(), shares=())
    return Route(
        operations,
        shares,
        replace(stack, persistence=_persistence(section.session_persistence)),
        sticky=HashOn.NOTHING if section.sticky is None else HashOn[section.sticky.upper()],
        canary=None if section.canary is None else _canary(section.canary, index),
        fallback=NONE if section.fallback is None else index.operations[section.fallback],
        has_own_clusters=effective.cluster_per(scenario.gateway, section, product) != "service",
        cluster=plan_rule(section, (operations, shares), scenario, index, product),
        max_kib=0.0 if section.max_body is None else section.max_body / 1024,
        parts=tuple(
            Part(index.operations[part.call], part.optional, replace(stack, timeout_ns=_own(part.timeout, stack.timeout_ns)))
            for part in section.aggregate
        ),
    )


def _persistence(section: SessionPersistenceSection | None) -> Persistence | None:
    if section is None:
        return None
    return Persistence(HashOn[section.of.upper()], section.absolute_timeout or 0, section.strict)


def _own(timeout: Any, otherwise_ns: int) -> int:
    return otherwise_ns if timeout is None else effective.timeout_ns(timeout)


def _canary(section: CanarySection, index: Index) -> Canary:
    """A schedule of weights, with the limits of the analysis."""
    analysis, operation = section.analysis, index.operations[section.to]
    steps = tuple((step.weight, step.pause) for step in section.steps)
    if analysis is None:
        return Canary(operation, section.start, steps)
    return Canary(
        operation,
        section.start,
        steps,
        interval_ns=analysis.interval,
        min_success_rate=analysis.min_success_rate or 0.0,
        max_p99_ns=analysis.max_p99 or 0,
        min_requests=analysis.min_requests,
        threshold=analysis.threshold,
        holds=analysis.hold,
    )
