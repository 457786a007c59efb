"""The cluster of a gateway's route, where its destinations have one together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.plan import Backend, Cluster
from meshsim.planning.proxies import mesh_tls
from meshsim.planning.traffic import plan_cluster
from meshsim.policies.load_balancing import Hashing
from meshsim.scenario import effective

if TYPE_CHECKING:
    from meshsim.planning.index import Index
    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.routes import RouteSection

Weighted = tuple[tuple[int, ...], tuple[float, ...]]
"""Operations, and the upper bounds of their cumulated shares."""


def plan_rule(route: RouteSection, weighted: Weighted, scenario: Scenario, index: Index, product: Product) -> Cluster | None:
    """One cluster whose localities are the route's destinations; None where each of them is a cluster.

    So they are also where two of them are one service, and where some speak gRPC and others do not: a cluster knows a host once, and
    speaks one protocol. Settings are those of the first destination by name.

    Source: Envoy Gateway, internal/xds/translator/cluster.go (buildXdsClusterLoadAssignment, buildLocalityLbConfig),
    internal/ir/xds.go (NeedsClusterPerSetting); for the hash, its issue 9775.
    """
    assert scenario.gateway is not None  # noqa: S101 — it has the route
    operations, bounds = weighted
    names = [index.names.operations[operation].partition("/")[0] for operation in operations]
    protocols = {scenario.services[name].protocol for name in names}
    if effective.cluster_per(scenario.gateway, route, product) != "rule" or len(names) == 1 or len(protocols) > 1:
        return None
    if len(set(names)) < len(names):
        return None
    first, caller = effective.first_destination(route), effective.caller_of_route(route)
    cluster, _ = plan_cluster(scenario.gateway.traffic, first, scenario, index, product, caller, mesh_tls(scenario, product))
    weights = [bound - before for bound, before in zip(bounds, (0.0, *bounds[:-1]), strict=True)]
    backends = tuple(
        Backend(index.services[name], operation, weight)
        for name, operation, weight in zip(names, operations, weights, strict=True)
    )
    return replace(
        cluster,
        service=backends[0].service,
        backends=backends,
        weighs_backends=not isinstance(cluster.balancer, Hashing),
        locality=None,
    )
