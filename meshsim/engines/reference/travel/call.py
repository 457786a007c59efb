"""What travels: a call to a service, over all its tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.row import ATTEMPT, ID
from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.request import Request
    from meshsim.engines.reference.travel.server import Job
    from meshsim.engines.reference.travel.session import Session

CALLER_CLIENT = -1
CALLER_GATEWAY = -2
CALLER_WAYPOINT = -3


class Call:
    """One call of a caller to an operation, over all its tries."""

    __slots__ = (
        "_first", "_tries", "answer_kib", "attempt", "back_off_ns", "caller", "connection_ns", "deadline_ns", "endpoint", "fallback_key",
        "filter_ns", "key", "last_row", "marks", "on_connection", "operation", "parent", "proxy", "proxy_ns", "request", "session", "step",
        "tls_ns", "tried", "zone",
    )  # fmt: skip

    def __init__(self, request: Request, key: int, operation: int, caller: int, zone: int, parent: Job | None = None) -> None:
        self.request = request
        self.key = key
        self.operation = operation
        self.caller = caller
        self.zone = zone
        """Where the caller is."""
        self.parent = parent
        self.step = NONE
        """Place of the step of its parent's script that makes it; NONE where no script does."""
        self.proxy = NONE
        self.attempt = 1
        """Number of the try, for the innermost layer that retries."""
        self._tries = 0
        self._first: Call | None = None
        """The call that this is a further try of, beside others; it counts them all."""
        self.back_off_ns = self.proxy_ns = self.filter_ns = self.connection_ns = self.tls_ns = 0
        """What has gone by since the try before: a wait, the caller's proxy and of that its filters, the wait for a connection and of
        that for its TLS."""
        self.answer_kib = 0.0
        """Size of the answer that its client takes in, where that takes time."""
        self.fallback_key = NONE
        """Key of the call to its route's fallback, where that has answered."""
        self.deadline_ns = NONE
        """When the last of those who wait for it gives up, as far as the call knows; NONE without any."""
        self.endpoint: EndpointView
        self.session: Session | None = None
        """Which endpoint its first try should go to; None for whichever."""
        self.marks: int
        """Flags that it keeps however it ends; set by a race, which alone needs it."""
        self.on_connection: Callable[[], None]
        """Of a try beside others: called when it has its connection."""
        self.tried: tuple[EndpointView, ...] = ()
        """Endpoints that earlier tries were sent to; kept by the first of tries beside each other, for all of them."""
        self.last_row: list[int] | None = None
        """Row of the latest attempt: a layer that decides on it adds its flag."""

    def beside(self, key: int, attempt: int) -> Call:
        """The same call for a try that may run beside others: with waits and an endpoint of its own."""
        other = Call(self.request, key, self.operation, self.caller, self.zone, self.parent)
        other.proxy, other.deadline_ns, other.attempt, other.step = self.proxy, self.deadline_ns, attempt, self.step
        other._first = self.first
        return other

    @property
    def first(self) -> Call:
        """The call that this is a further try of beside others, or itself."""
        return self._first or self

    def row(self, service: int, attempt_id: int) -> list[int]:
        """A new attempt's row, to be filled in as it goes."""
        request, parent = self.request, self.parent
        if parent is None:  # tries of the client and of the gateway are counted together
            request.tries = number = request.tries + 1
        else:
            counter = self._first or self  # not `first`: this is the hot path
            counter._tries = number = counter._tries + 1  # noqa: SLF001 — one of its own kind
        row = [
            request.row_number, attempt_id, NONE if parent is None else parent.row[ID], number, self.caller, self.proxy,
            service, self.operation, NONE, request.started_ns, NONE, NONE, NONE, NONE, NONE, 0, 0, self.back_off_ns, self.proxy_ns,
            self.filter_ns, self.connection_ns, self.tls_ns, 0, 200, NONE, 0,
        ]  # fmt: skip
        self.last_row = row
        return row


class CallApart(Call):
    """A call of the gateway beside the route's own: a part of the answer, or the fallback. Its tries are counted by themselves.

    They go on where the client tries again: the second time is no first try.
    """

    __slots__ = ("place",)

    def __init__(self, request: Request, key: int, operation: int, caller: int, zone: int, place: int) -> None:
        super().__init__(request, key, operation, caller, zone)
        self.place = place
        """Which of the calls beside the route's own it is."""

    def beside(self, key: int, attempt: int) -> Call:
        """The same call for a try that may run beside others."""
        other = CallApart(self.request, key, self.operation, self.caller, self.zone, self.place)
        other.proxy, other.deadline_ns, other.attempt = self.proxy, self.deadline_ns, attempt
        other._first = self.first
        return other

    def row(self, service: int, attempt_id: int) -> list[int]:
        """A new attempt's row."""
        request = self.request
        tries = request.tries_apart[self.place] = request.tries_apart.get(self.place, 0) + 1
        row = super().row(service, attempt_id)
        request.tries -= 1
        row[ATTEMPT] = tries
        return row
