"""How a call ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.flags import Flag

_GRPC_OF_HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""What a gRPC client makes of an HTTP status. Source: gRPC, doc/http-grpc-status-mapping.md; Envoy, grpc/status.cc."""
_GRPC_UNKNOWN = 2


class Outcome(NamedTuple):
    """How a call ended, as the layer above sees it."""

    status: int
    """HTTP status; 0 where the caller gave up."""
    grpc_status: int = NONE
    flags: int = 0
    origin: int = NONE
    """The service where a failure began."""
    origin_flags: int = 0

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
        return self._replace(status=200, grpc_status=grpc_status)


OK = Outcome(200)
GRPC_OK = Outcome(200, 0)


def failure(status: int, flag: Flag, service: int = NONE, grpc_status: int = NONE) -> Outcome:
    """A failure that begins here."""
    return Outcome(status, grpc_status, int(flag), service, int(flag))
