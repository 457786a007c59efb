"""Connections, encryption and discovery, resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.plan import Connections, Discovery, Tls
from meshsim.policies.admission import NO_LIMIT
from meshsim.scenario import effective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.distributions import Distribution
    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.connections import DiscoverySection, MtlsSection
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.traffic import TrafficSection


def plan_tls(section: MtlsSection | None, product: Product) -> Tls | None:
    """What mutual TLS costs; None without it."""
    if section is None:
        return None

    def value(name: str) -> int:
        written = getattr(section, name)
        default: int = product.default(f"mesh.mtls.{name}").value
        return default if written is None else written

    return Tls(
        round_trips=section.round_trips,
        handshake_ns=value("handshake_time"),
        resumed_ns=value("resumed_handshake_time") if section.session_resumption else 0,
        per_request_ns=value("time_per_request"),
        per_kib_ns=float(value("time_per_kib")),
        rotations_ns=tuple(sorted(section.certificate_rotation)),
    )


def plan_connections(
    entries: Mapping[str, TrafficSection],
    name: str,
    traffic: effective.Traffic,
    scenario: Scenario,
    product: Product,
    tls: Tls | None,
) -> Connections | None:
    """The connections to a service; None where making one takes no time and nothing tells them apart."""
    is_lost = any(fault.unreachable and fault.strikes(name) for fault in scenario.faults)
    section = traffic.connections
    if tls is None and not is_lost and not effective.writes_connections(entries, name):
        return None
    is_grpc = scenario.services[name].protocol == "grpc"
    protocol = None if section is None else section.protocol
    is_http2 = protocol == "http2" or (protocol is None and is_grpc)
    is_balanced = section is not None and section.balance == "connections"
    most = None if section is None else section.max_connections
    idle_ns = None if section is None else section.idle_timeout
    return Connections(
        is_http2=is_http2,
        max_concurrent_streams=traffic.max_concurrent_streams if is_http2 else 1,
        max_requests=0 if section is None else section.max_requests_per_connection,
        max_age_ns=0 if section is None else section.max_connection_duration or 0,
        idle_timeout_ns=(product.default("traffic.connections.idle_timeout").value or 0) if idle_ns is None else idle_ns,
        connect_timeout_ns=traffic.connect_timeout_ns,
        is_balanced=is_balanced,
        max_connections=(1 if is_http2 else NO_LIMIT) if most is None else most,
        tls=tls,
    )


def plan_discovery(section: DiscoverySection | None, product: Product) -> Discovery | None:
    """How callers learn of changes; None where they know at once."""
    if section is None:
        return None
    after, longest = section.debounce_after, section.debounce_max
    chosen: Any = None if section.propagation is None else section.propagation.chosen
    propagation: Distribution | None = None if chosen is None else chosen.build()
    return Discovery(
        debounce_ns=product.default("discovery.debounce_after").value if after is None else after,
        debounce_max_ns=product.default("discovery.debounce_max").value if longest is None else longest,
        propagation=propagation,
        dns_refresh_ns=section.dns_refresh or 0,
    )
