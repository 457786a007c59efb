"""One connection, and what it takes to open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Expired
from meshsim.engines.reference.time.outcome import OK
from meshsim.engines.reference.travel.network import HANDSHAKE_WAY, REQUEST_WAY
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps, Task
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.network import Links
    from meshsim.plan import Connections, Tls


UNANSWERED_AFTER_NS = 131_000_000_000
"""How long TCP asks for a connection when nobody answers: Linux' tcp_syn_retries of 6, 131 s (networking/ip-sysctl.rst)."""


class Connection:
    """A connection of one proxy to one endpoint."""

    __slots__ = (
        "endpoint",
        "era",
        "idle_since_ns",
        "incarnation",
        "is_draining",
        "opened_ns",
        "served",
        "streams",
        "tls_from_ns",
    )

    def __init__(self, endpoint: EndpointView, era: int) -> None:
        self.endpoint = endpoint
        self.incarnation = endpoint.instance.incarnation
        """Which life of the instance it was made to."""
        self.era = era
        """Raised whenever the connections that are open are to close: by new certificates, and by a health that fails."""
        self.streams = 0
        """Requests on it."""
        self.served = 0
        """Requests so far."""
        self.opened_ns = self.idle_since_ns = 0
        self.tls_from_ns = NONE
        """When its TLS handshake began; NONE without one."""
        self.is_draining = False
        """Whether it takes no further request."""

    def is_usable(self, settings: Connections, era: int, now_ns: int) -> bool:
        """Whether a request may be sent on it."""
        if self.is_draining or self.era != era or self.incarnation != self.endpoint.instance.incarnation:
            return False
        if settings.max_age_ns and now_ns - self.opened_ns >= settings.max_age_ns:
            return False
        return not (settings.idle_timeout_ns and not self.streams and now_ns - self.idle_since_ns >= settings.idle_timeout_ns)

    def has_room(self, settings: Connections) -> bool:
        """Whether another stream fits on it."""
        return self.streams < settings.max_concurrent_streams

    def take(self, settings: Connections) -> None:
        """A request goes on it."""
        self.streams += 1
        self.served += 1
        if settings.max_requests and self.served >= settings.max_requests:
            self.is_draining = True

    def tls_ns(self, waited_ns: int) -> int:
        """How much of a wait that ends with its opening was for its TLS handshake."""
        return 0 if self.tls_from_ns == NONE else min(waited_ns, max(0, self.opened_ns - self.tls_from_ns))


class Waiter:
    """A request that waits for a connection."""

    __slots__ = ("connection", "has_failed", "is_answered", "is_gone", "is_parked", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.connection: Connection | None = None
        self.has_failed = False
        """Whether no connection could be made."""
        self.is_answered = False
        self.is_gone = False
        self.is_parked = False
        """Whether its task has gone to sleep over it: one that is answered at once never does."""


class Dialler:
    """Opens the connections of one view.

    TCP takes a round trip, TLS its own, and both take a worker's time of the proxies at both ends: of the caller's own, and of the
    sidecar or node proxy of the instance. A session that was had before with the same life of an instance may be resumed. An
    instance that is down refuses after the first round trip, one that cannot be reached does not answer at all.

    Source: RFC 9293, section 3.5; RFC 8446, section 2; Envoy, source/common/conn_pool/conn_pool_base.cc.
    """

    __slots__ = ("_clock", "_links", "_sessions", "_settings", "_trips", "_view")

    def __init__(self, view: View, links: Links, settings: Connections) -> None:
        self._view = view
        self._clock = view.clock
        self._links = links
        self._settings = settings
        self._sessions = [NONE] * len(view.endpoints)
        """By endpoint: the life of the instance with which there has been a session."""
        self._trips = 0

    def forget(self) -> None:
        """Certificates have changed: no session can be resumed."""
        self._sessions = [NONE] * len(self._sessions)

    def dial(self, connection: Connection) -> Steps:
        """Open a connection; whether it is open."""
        activity = self._view.activity_of(connection.endpoint)
        timeout_ns = self._settings.connect_timeout_ns
        timers = self._clock if self._view.ticks is None else self._view.ticks
        timer = timers.timers(timeout_ns).start(OK) if timeout_ns else None
        try:
            is_open = yield from self._shake_hands(connection)
        except Expired as expired:
            if expired.timer is not timer:
                raise
            activity.connect_timeouts += 1
            return False
        finally:
            if timer is not None:
                timer.task = None
        if not is_open:
            return False
        activity.opened += 1
        connection.opened_ns = connection.idle_since_ns = self._clock.now_ns
        return True

    def _shake_hands(self, connection: Connection) -> Steps:
        """TCP, then TLS; whether the instance answered to the end."""
        endpoint, instance, tls = connection.endpoint, connection.endpoint.instance, self._settings.tls
        activity = self._view.activity_of(endpoint)
        if instance.is_unreachable:
            yield UNANSWERED_AFTER_NS
            activity.connect_timeouts += 1
            return False
        proxy = self._view.proxy
        if proxy is not None and proxy.connection_ns:
            yield from proxy.station.hold(proxy.connection_ns)
        round_trip_ns = self._round_trip_ns(endpoint)
        if round_trip_ns:
            yield round_trip_ns
        if instance.is_down:
            activity.connect_failures += 1
            return False
        connection.incarnation = instance.incarnation
        sidecar = instance.sidecar
        if sidecar is not None and sidecar.connection_ns:
            yield from sidecar.station.hold(sidecar.connection_ns)
        if tls is not None:
            connection.tls_from_ns = self._clock.now_ns
            yield from self._encrypt(endpoint, tls)
        is_open = not instance.is_down and connection.incarnation == instance.incarnation
        activity.connect_failures += not is_open
        return is_open

    def _encrypt(self, endpoint: EndpointView, tls: Tls) -> Steps:
        instance, view = endpoint.instance, self._view
        is_resumed = bool(tls.resumed_ns) and self._sessions[endpoint.index] == instance.incarnation
        work_ns = tls.resumed_ns if is_resumed else tls.handshake_ns
        activity = view.activity_of(endpoint)
        activity.handshakes += 1
        activity.resumed += is_resumed
        if view.proxy is not None and work_ns:
            yield from view.proxy.station.hold(work_ns)
        trips_ns = sum(self._round_trip_ns(endpoint) for _ in range(tls.round_trips))
        if trips_ns:
            yield trips_ns
        if work_ns:
            sidecar = instance.sidecar
            if sidecar is None:
                yield work_ns
            else:
                yield from sidecar.station.hold(work_ns)
        self._sessions[endpoint.index] = instance.incarnation

    def _round_trip_ns(self, endpoint: EndpointView) -> int:
        """There and back; drawn anew for each round trip where latencies are drawn."""
        if endpoint.latency_ns != NONE:
            return 2 * endpoint.latency_ns
        self._trips += 1
        key = self._view.luck + self._trips
        return sum(self._links.latency_ns(key, HANDSHAKE_WAY + way, self._view.zone, endpoint.zone) for way in (REQUEST_WAY, 1))
