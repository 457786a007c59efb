"""The API gateway: its filters and routes, and what stands between clients and its replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le
from pydantic import Field

from meshsim.scenario.sections.proxies import ProxySection
from meshsim.scenario.sections.routes import RouteSection
from meshsim.scenario.sections.services import PlacedSection, ReadinessSection, RestartStep
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import FilterChoice, TrafficSection
from meshsim.scenario.sections.types import Choice, Duration, Name, Section, choice_of

if TYPE_CHECKING:
    EdgeBalancerChoice = Choice
else:
    EdgeBalancerChoice = choice_of("edge_balancer")


class EdgeTlsSection(Section):
    """TLS between clients and the gateway."""

    handshake_time: Duration | None = None
    """Time that a full handshake holds a worker of the replica; that of `mesh.mtls` where absent."""
    resumed_handshake_time: Duration | None = None
    """The same of a resumed one."""
    round_trips: Annotated[int, Ge(0), Le(10)] = 1
    """Round trips of the handshake, after TCP's own: 1 in TLS 1.3, 2 in TLS 1.2."""
    session_resumption: bool = True
    """Whether a client that has had a connection before resumes its session."""
    shared_ticket_keys: bool = False
    """Whether all replicas can read a session's ticket, after a restart too; else only the process that made it."""


class GatewaySection(ProxySection, PlacedSection):
    """The API gateway."""

    filters: list[FilterChoice] = Field(default_factory=list)
    """What a request passes first, in order."""
    routes: Annotated[dict[Name, RouteSection], Field(min_length=1)]
    """Where requests go, by the name of the route."""
    balancer: EdgeBalancerChoice | None = None
    """Which replica a client's new connection goes to; each request goes to a random one where absent."""
    tls: EdgeTlsSection | None = None
    """TLS with clients; none where absent."""
    max_connections: Annotated[int, Ge(1), Le(10_000_000)] | None = None
    """Connections of clients at each replica; further ones are refused (503, flag UF). No limit where absent."""
    idle_timeout: Timeout | None = None
    """How long a client's connection is kept without a request; for ever where absent."""
    restarts: list[RestartStep] = Field(default_factory=list)
    """Rolling restarts of the replicas."""
    startup_time: Duration = 0
    """From the start of a replica's process to its taking connections."""
    drain_time: Duration = 0
    """Before a replica ends: the balancer sends it no new connections (clients that have looked up its address still come), and it closes
    each after its next answer; what is in it at the end is cut (UC)."""
    readiness: ReadinessSection | None = None
    """The probe by which the balancer notices that a fault has crashed a replica or cut it off; without it, the balancer goes on sending
    new connections there."""
    traffic: dict[str, TrafficSection] = Field(default_factory=dict)
    """What the gateway does for the calls to a service; `*` for all. A route's own timeout and retries come first."""
