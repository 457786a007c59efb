"""The whole plan from the whole scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.distributions import Constant, Distribution
from meshsim.plan import BARE, Cluster, Fault, Gateway, Mesh, Network, Plan, ProxyKind, Route, Stack
from meshsim.planning.index import Index, make_index
from meshsim.planning.loads import cumulated, plan_source
from meshsim.planning.services import place_zones, plan_effect, plan_operations, plan_service
from meshsim.planning.traffic import direct_cluster, plan_cluster, plan_retries
from meshsim.scenario import effective
from meshsim.scenario.defaults import Product, resolve

if TYPE_CHECKING:
    from meshsim.policies.filters import Filter
    from meshsim.scenario.model import Scenario


def make_plan(scenario: Scenario) -> Plan:
    """All that an engine needs to know of a scenario.

    Raises:
        ReplayError: A file of measurements that the scenario names does not hold what it should.
    """
    product = resolve(scenario.defaults)
    has_gateway = "gateway" in scenario.deployment
    has_mesh = "mesh" in scenario.deployment
    index = make_index(scenario, has_gateway_routes=scenario.gateway is not None)
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
                _filters(inbound[name].filters if name in inbound else ()),
            )
            for name in index.names.services
        ),
        operations=plan_operations(scenario, index),
        direct=tuple(direct_cluster(number) for number in range(len(index.names.services))),
        gateway=_gateway(scenario, index, product) if has_gateway else None,
        mesh=_mesh(scenario, index, product) if has_mesh else None,
        network=Network(_drawn(scenario.network.same_zone), _drawn(scenario.network.cross_zone)),
        faults=tuple(_fault(fault, scenario, index) for fault in scenario.faults),
        names=index.names,
    )


def _route(name: str, scenario: Scenario, index: Index, product: Product) -> Route:
    """A gateway's route, or without one the operation of that name."""
    if scenario.gateway is None:
        return Route((index.operations[name],) if name in index.operations else (), (1.0,), BARE)
    section = scenario.gateway.routes[name]
    weights = {section.to: 1.0} if isinstance(section.to, str) else section.to
    operations, shares = cumulated({index.operations[target]: float(weight) for target, weight in weights.items()})
    first = index.names.services[_service_of(operations[0], index)]
    traffic = effective.traffic(scenario.gateway.traffic, first, product)
    timeout_ns = traffic.timeout_ns if section.timeout is None else effective.timeout_ns(section.timeout)
    retries = traffic.retries if section.retries is None else effective.retries(section.retries, product)
    return Route(operations, shares, Stack(timeout_ns, plan_retries(retries)))


def _service_of(operation: int, index: Index) -> int:
    return index.services[index.names.operations[operation].partition("/")[0]]


def _gateway(scenario: Scenario, index: Index, product: Product) -> Gateway:
    section = scenario.gateway
    assert section is not None  # noqa: S101 — the loader refuses a deployment with a gateway but no `gateway:`
    reached = {
        target.partition("/")[0]
        for route in section.routes.values()
        for target in ([route.to] if isinstance(route.to, str) else route.to)
    }
    clusters: list[Cluster | None] = [
        plan_cluster(section.traffic, name, number, product)[0] if name in reached else None
        for number, name in enumerate(index.names.services)
    ]
    return Gateway(
        zones=place_zones(section, index),
        proxy=_proxy(section, "gateway", product),
        filters=_filters(section.filters),
        clusters=tuple(clusters),
    )


def _mesh(scenario: Scenario, index: Index, product: Product) -> Mesh:
    section = scenario.mesh
    entries = {} if section is None else section.traffic
    planned = [plan_cluster(entries, name, number, product) for number, name in enumerate(index.names.services)]
    return Mesh(
        proxy=_proxy(section, "mesh", product),
        clusters=tuple(cluster for cluster, _ in planned),
        stacks=tuple(stack for _, stack in planned),
    )


def _proxy(section: Any, where: str, product: Product) -> ProxyKind:
    workers = None if section is None else section.workers
    time = None if section is None else section.proxy_time
    default_ns = product.default(f"{where}.proxy_time").value
    default: Distribution | None = Constant(value=default_ns).build() if default_ns else None
    return ProxyKind(
        workers=product.default(f"{where}.workers").value if workers is None else workers,
        time=default if time is None else _drawn(time),
    )


def _drawn(time: Any) -> Distribution | None:
    """The distribution of a time, or None where it is always zero."""
    if time is None:
        return None
    drawn: Distribution = time.chosen.build()
    return None if isinstance(drawn, Constant) and drawn.mean_ns == 0 else drawn


def _filters(choices: Any) -> tuple[Filter, ...]:
    return tuple(choice.chosen for choice in choices or ())


def _fault(fault: Any, scenario: Scenario, index: Index) -> Fault:
    replicas = len(place_zones(scenario.services[fault.service], index))
    effect, amount = plan_effect(fault)
    return Fault(
        from_ns=fault.at,
        until_ns=fault.at + fault.for_,
        service=index.services[fault.service],
        instances=replicas if fault.replicas is None else fault.replicas,
        effect=effect,
        amount=amount,
    )
