"""What travels: a client's request, a call to a service, and an attempt of it at an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Cancelled
from meshsim.engines.reference.time.outcome import Outcome
from meshsim.flags import Flag
from meshsim.plan import NONE, Asker, OnCancel
from meshsim.randomness import ADDRESS, BODY, CREDENTIAL, TOKEN, uniform
from meshsim.records import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.destinations.endpoints import EndpointView
    from meshsim.engines.reference.proxies.sessions import Session
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Task

(
    REQUEST, ID, PARENT, ATTEMPT, CALLER, PROXY, SERVICE, OPERATION, INSTANCE, REQUEST_STARTED, SENT, ARRIVED, STARTED,
    FINISHED, ENDED, WORKED, WASTED, BACK_OFF, PROXY_NS, FILTER_NS, CONNECTION_NS, TLS_NS, INBOUND_NS, STATUS, GRPC_STATUS, FLAGS,
) = range(len(ATTEMPTS))  # fmt: skip

ANYBODY = Asker()

CALLER_GONE = Outcome(0, flags=int(Flag.DC))

CALLER_CLIENT = -1
CALLER_GATEWAY = -2
CALLER_WAYPOINT = -3


class Request:
    """What a client asks for; its call may be tried again by the client."""

    __slots__ = (
        "asker", "attempts", "consumer", "content_key", "is_write", "key", "number", "route", "row_number", "source", "started_ns", "tries", "user",
    )  # fmt: skip

    def __init__(
        self, source: int, number: int, user: int, key: int, route: int, consumer: int, started_ns: int, asker: Asker = ANYBODY
    ) -> None:
        self.asker = asker
        self.source = source
        self.number = number
        self.user = user
        self.key = key
        self.route = route
        self.consumer = consumer
        self.started_ns = started_ns
        self.content_key = NONE
        """Which of the load's keys it asks for; NONE where it has none."""
        self.is_write = False
        """Whether its method is neither GET nor HEAD."""
        self.row_number = 0
        self.tries = 0
        """Tries at the entry service so far, over all layers that retry, those that a full pool refused included."""
        self.attempts = 0
        """Those that were sent."""

    def aside(self, key: int, now_ns: int) -> Request:
        """The same request once more for something that no client waits for; its attempts have no request (-1)."""
        other = Request(self.source, self.number, self.user, key, self.route, self.consumer, now_ns, self.asker)
        other.row_number, other.content_key, other.is_write = NONE, self.content_key, self.is_write
        return other

    @property
    def kib(self) -> float:
        """Size of its body."""
        spread = self.asker.kib_spread
        return self.asker.kib if spread is None else spread.quantile(uniform(self.key, BODY)) / 1024

    @property
    def criticality(self) -> int:
        """How important it is; 0 is the most important."""
        return self.asker.criticality

    @property
    def address(self) -> int:
        """Number of the client's address: a virtual user keeps its own."""
        count = self.asker.addresses
        return self.asker.first_address + (self._drawn(count, ADDRESS) if count > 1 else 0)

    @property
    def credential(self) -> int:
        """Number of the key or token that it brings, NONE where it brings none."""
        asker = self.asker
        drawn = uniform(self.key, CREDENTIAL) if asker.missing_share or asker.bad_share else 1.0
        if drawn < asker.missing_share:
            return NONE
        number = self._drawn(asker.credentials, TOKEN) if asker.credentials > 1 else 0
        is_bad = drawn < asker.missing_share + asker.bad_share
        return asker.first_credential + number + (asker.credentials if is_bad else 0)

    @property
    def is_valid(self) -> bool:
        """Whether it brings a good one."""
        asker = self.asker
        share = asker.missing_share + asker.bad_share
        return not share or uniform(self.key, CREDENTIAL) >= share

    def _drawn(self, count: int, purpose: int) -> int:
        return self.user % count if self.user != NONE else int(uniform(self.key, purpose) * count)


class Call:
    """One call of a caller to an operation, over all its tries."""

    __slots__ = (
        "_first", "_tries", "answer_kib", "attempt", "back_off_ns", "caller", "connection_ns", "deadline_ns", "endpoint", "fallback_key",
        "filter_ns", "key", "last_row", "on_connection", "operation", "parent", "proxy", "proxy_ns", "request", "session", "tls_ns", "tried", "zone",
    )  # fmt: skip

    def __init__(self, request: Request, key: int, operation: int, caller: int, zone: int, parent: Job | None = None) -> None:
        self.request = request
        self.key = key
        self.operation = operation
        self.caller = caller
        self.zone = zone
        """Where the caller is."""
        self.parent = parent
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
        self.on_connection: Callable[[], None]
        """Of a try beside others: called when it has its connection."""
        self.tried: tuple[EndpointView, ...] = ()
        """Endpoints that earlier tries were sent to; kept by the first of tries beside each other, for all of them."""
        self.last_row: list[int] | None = None
        """Row of the latest attempt: a layer that decides on it adds its flag."""

    def beside(self, key: int, attempt: int) -> Call:
        """The same call for a try that may run beside others: with waits and an endpoint of its own."""
        other = Call(self.request, key, self.operation, self.caller, self.zone, self.parent)
        other.proxy, other.deadline_ns, other.attempt = self.proxy, self.deadline_ns, attempt
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


class Job:
    """An attempt as its instance sees it."""

    __slots__ = (
        "attempt", "caller", "deadline_ns", "has_worker", "instance", "is_abandoned", "is_queued", "key", "operation", "parent", "request",
        "row", "task", "way_back_ns",
    )  # fmt: skip

    def __init__(self, call: Call, row: list[int], instance: Instance, caller: Task, way_back_ns: int = 0) -> None:
        self.key = call.key
        self.request = call.request
        self.operation = call.operation
        self.attempt = row[ATTEMPT]
        self.parent = call.parent
        self.deadline_ns = call.deadline_ns
        self.row = row
        self.instance = instance
        self.caller = caller
        self.task: Task
        self.way_back_ns = way_back_ns
        """How long its answer travels."""
        self.is_abandoned = False
        """Whether the caller has gone: nobody waits for the answer."""
        self.is_queued = False
        self.has_worker = False

    def is_in_vain(self) -> bool:
        """Whether nobody will use the answer: the caller has gone, or the caller's caller."""
        job: Job | None = self
        while job is not None:
            if job.is_abandoned:
                return True
            job = job.parent
        return False

    def cancel(self) -> None:
        """The message that the caller has gone has reached the instance."""
        on_cancel = self.instance.on_cancel
        if on_cancel is OnCancel.STOP or (on_cancel is OnCancel.DROP_QUEUED and self.is_queued):
            self.task.interrupt(Cancelled(CALLER_GONE))
