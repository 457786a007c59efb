"""How a call ended."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from meshsim.flags import Flag
from meshsim.plan import NONE

_GRPC_OF_HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""What a gRPC client makes of an HTTP status. Source: gRPC, doc/http-grpc-status-mapping.md; Envoy, grpc/status.cc."""
_GRPC_UNKNOWN = 2
_GRPC_DEADLINE_EXCEEDED = 4
"""Of who waited in vain for an endpoint. Source: linkerd2-proxy 29637b6, linkerd/app/core/src/errors/respond.rs (gateway_timeout)."""
_NO_HOST = int(Flag.UH)


class Outcome(NamedTuple):
    """How a call ended, as the layer above sees it."""

    status: int
    """HTTP status; 0 where the caller gave up."""
    grpc_status: int = NONE
    flags: int = 0
    origin: int = NONE
    """The service where a failure began."""
    origin_flags: int = 0
    retry_after_ns: int = NONE
    """When the answer says to come again; NONE where it says nothing."""

    @property
    def is_failure(self) -> bool:
        """Whether the caller did not get what it asked for."""
        return self.status >= 400 or self.status == 0 or self.grpc_status > 0

    def flagged(self, flag: int) -> Outcome:
        """The same outcome with one more flag."""
        return self._replace(flags=self.flags | flag)

    def as_grpc(self) -> Outcome:
        """The same as a gRPC client sees it: a local HTTP answer becomes a gRPC status under HTTP 200."""
        if self.grpc_status >= 0 or self.status == 0:
            return self
        grpc_status = 0 if self.status < 400 else _GRPC_OF_HTTP.get(self.status, _GRPC_UNKNOWN)
        if self.status == 504 and self.flags & _NO_HOST:
            grpc_status = _GRPC_DEADLINE_EXCEEDED
        return self._replace(status=200, grpc_status=grpc_status)


LOST_AFTER_NS = 924_600_000_000
"""How long TCP sends again what nobody acknowledges before it gives up: Linux' tcp_retries2 of 15, 924.6 s."""
OK = Outcome(200)
GRPC_OK = Outcome(200, 0)
CALLER_GONE = Outcome(0, flags=int(Flag.DC))
CALLER_LEFT = Outcome(0)
"""What a filter is told of a request whose caller did not wait for the answer."""


GRPC_FAILURES = (2, 4, 8, 13, 14, 15)
"""gRPC statuses that are the server's fault: unknown, deadline-exceeded, resource-exhausted, internal, unavailable, data-loss."""


def is_servers_fault(outcome: Outcome) -> bool:
    """Whether an outcome tells of trouble at the server: 5xx, no answer, or the like in gRPC. A 4xx does not."""
    return outcome.status >= 500 or outcome.status == 0 or outcome.grpc_status in GRPC_FAILURES


@cache
def failure(status: int, flag: Flag, service: int = NONE, grpc_status: int = NONE) -> Outcome:
    """A failure that begins here."""
    return Outcome(status, grpc_status, int(flag), service, int(flag))
