"""What stands between clients and the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.plan import NONE, Edge, EdgeTls
from meshsim.policies.edge import RandomReplica
from meshsim.scenario import effective
from meshsim.scenario.spread import order

if TYPE_CHECKING:
    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.gateway import EdgeTlsSection, GatewaySection
    from meshsim.scenario.sections.model import Scenario


def plan_edge(
    section: GatewaySection, scenario: Scenario, product: Product, zones: tuple[int, ...], *, is_struck: bool
) -> Edge | None:
    """None where nothing of it is asked for: clients' connections cost nothing then.

    Args:
        section: The gateway.
        scenario: All of it.
        product: What fills in the rest.
        zones: Of each replica.
        is_struck: Whether a fault takes replicas away.
    """
    timeout_ns = 0 if section.idle_timeout is None else effective.timeout_ns(section.idle_timeout)
    is_asked_for = (
        section.balancer is not None
        or section.tls is not None
        or section.max_connections is not None
        or timeout_ns
        or section.restarts
        or is_struck
        or any(load.requests_per_connection or load.bandwidth for load in scenario.load.values())
    )
    if not is_asked_for:
        return None
    readiness = section.readiness
    chosen: Any = None if section.balancer is None else section.balancer.chosen
    return Edge(
        balancer=chosen or RandomReplica(),
        tls=None if section.tls is None else _tls(section.tls, product),
        connection_ns=effective.of_proxy(section, "gateway", "connection_time", product),
        max_connections=NONE if section.max_connections is None else section.max_connections,
        idle_timeout_ns=timeout_ns,
        restarts=tuple((step.at, step.batch) for step in sorted(section.restarts, key=lambda step: step.at)),
        order=order(zones, (), len(zones)),
        startup_ns=section.startup_time,
        drain_ns=section.drain_time,
        readiness_ns=NONE if readiness is None else readiness.period * readiness.failure_threshold,
        readiness_period_ns=0 if readiness is None else readiness.period,
        readiness_successes=1 if readiness is None else readiness.success_threshold,
    )


def _tls(section: EdgeTlsSection, product: Product) -> EdgeTls:
    full_ns, resumed_ns = section.handshake_time, section.resumed_handshake_time
    return EdgeTls(
        round_trips=section.round_trips,
        handshake_ns=product.default("mesh.mtls.handshake_time").value if full_ns is None else full_ns,
        resumed_ns=product.default("mesh.mtls.resumed_handshake_time").value if resumed_ns is None else resumed_ns,
        resumes=section.session_resumption,
        shares_keys=section.shared_ticket_keys,
    )
