"""Connections between proxies and instances, and their encryption."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import Field, model_validator

from meshsim.scenario.sections.types import Duration, Section, TimeDistribution
from meshsim.scenario.sections.wording import mistake
from meshsim.units import PositiveCount


class ConnectionsSection(Section):
    """How connections to the instances of a service are made and kept. Without it and without mTLS they take no time."""

    protocol: Literal["http1", "http2"] | None = None
    """`http1`: one request at a time on a connection; `http2`: many. http2 for gRPC services where absent."""
    max_concurrent_streams: Annotated[int, Ge(1), Le(2**31 - 1)] | None = None
    """Requests at once on one HTTP/2 connection."""
    max_requests_per_connection: Annotated[int, Ge(0), Le(2**32 - 1)] = 0
    """Requests on one connection in its life; 0 for no limit, 1 for no reuse."""
    max_connection_duration: Duration | None = None
    """A connection older than this takes no further request; no limit where absent."""
    idle_timeout: Duration | None = None
    """A connection without a request for so long is closed; 1h in Envoy."""
    balance: Literal["requests", "connections"] = "requests"
    """Whether an instance is chosen for each request, or once for each connection (layer 4, as kube-proxy does)."""
    max_connections: PositiveCount | None = None
    """With `balance: connections`: how many connections a caller keeps; 1 of HTTP/2, no limit of HTTP/1.1 where absent."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_connections is not None and self.balance == "requests":
            raise mistake("goes with `balance: connections`; else write circuit_breakers.max_connections", "max_connections")
        if self.max_concurrent_streams is not None and self.protocol == "http1":
            raise mistake("HTTP/1.1 has one request on a connection at a time; write `protocol: http2`", "max_concurrent_streams")
        return self


class MtlsSection(Section):
    """Mutual TLS between the proxies of the mesh, the gateway included."""

    handshake_time: Duration | None = None
    """Time that a full handshake holds a worker of the proxy, at each side."""
    resumed_handshake_time: Duration | None = None
    """The same of a resumed one."""
    session_resumption: bool = True
    """Whether a proxy that had a connection to an instance before resumes the session."""
    round_trips: Annotated[int, Ge(0), Le(10)] = 1
    """Round trips of the handshake, after TCP's own: 1 in TLS 1.3, 2 in TLS 1.2."""
    time_per_request: Duration | None = None
    """Time for each request and its answer, at each side, whatever their sizes."""
    time_per_kib: Duration | None = None
    """Time for each KiB of request and answer, at each side; see `request_size` and `response_size` of services."""
    certificate_rotation: list[Duration] = Field(default_factory=list)
    """When certificates change and all connections are made anew."""


class DiscoverySection(Section):
    """How callers learn of instances that come and go. Without it they know at once."""

    debounce_after: Duration | None = None
    """istiod waits until there has been no change for so long; 100ms in Istio."""
    debounce_max: Duration | None = None
    """But not longer than this; 10s in Istio."""
    propagation: TimeDistribution | None = None
    """From the push until a proxy has it, for each proxy and push; none where absent."""
    dns_refresh: Duration | None = None
    """In place of pushes each caller asks DNS so often: its refresh rate, or the records' time to live."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        pushes = [name for name in ("debounce_after", "debounce_max", "propagation") if getattr(self, name) is not None]
        if self.dns_refresh is not None and pushes:
            raise mistake(f"callers that ask DNS get no pushes; leave out `dns_refresh` or `{pushes[0]}`", "dns_refresh")
        if self.dns_refresh == 0:
            raise mistake("must be longer than 0s, such as 30s", "dns_refresh")
        return self
