"""Before the gateway: the connections of clients to its replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.proxies.replicas import Cut
from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import LOST_AFTER_NS, failure
from meshsim.engines.reference.travel.call import CALLER_CLIENT
from meshsim.engines.reference.travel.network import ANSWER_WAY, CLIENT_WAY, REQUEST_WAY
from meshsim.flags import Flag
from meshsim.randomness import EDGE, HANDSHAKE, Draw, call_key

if TYPE_CHECKING:
    from meshsim.engines.reference.proxies.replicas import Replica, Replicas
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.request import Request
    from meshsim.plan import Edge

    Client = tuple[int, int, int]

WITHOUT_A_CONNECTION = failure(503, Flag.UF)
CUT_OFF = failure(503, Flag.UC)


class ClientConnection:
    """A connection of a client to a replica."""

    __slots__ = ("client", "idle_since_ns", "incarnation", "is_open", "replica", "requests")

    def __init__(self, client: Client, replica: Replica) -> None:
        self.client = client
        self.replica = replica
        self.incarnation = replica.incarnation
        self.is_open = True
        self.requests = 0
        self.idle_since_ns = -1
        """When its last request ended; -1 while it has one."""


class EdgeLayer:
    """A request goes over a connection to one replica of the gateway: one that its client has kept, or a new one.

    A new one takes a round trip for TCP, and those of TLS, for which a worker of the replica is held. A virtual user has one connection; the
    requests of an open load share as many as are needed at once, those of one address among themselves. A client that knows a
    session resumes it where the replica still has its key: tickets are encrypted with a key that each process makes for itself.

    Where a replica cannot be reached, whatever goes there is lost, and so are the answers to what is in it: the client waits until its own
    timeout, or for as long as TCP tries.

    HTTP/1.1: a client that gives up closes its connection. A replica that drains closes each connection after its next answer.

    Source: Envoy, docs "Draining", envoy/extensions/transport_sockets/tls/v3/tls.proto (session_ticket_keys: made by each process
    where none are given); RFC 8446, section 2.2.
    """

    __slots__ = ("_clock", "_draw", "_edge", "_idle", "_inner", "_links", "_refusals", "_replicas", "_sessions")

    def __init__(self, inner: Handler, refusals: Refusals, links: Links, edge: Edge, replicas: Replicas) -> None:
        self._inner = inner
        self._refusals = refusals
        self._clock = refusals.clock
        self._links = links
        self._edge = edge
        self._replicas = replicas
        self._idle: dict[Client, list[ClientConnection]] = {}
        self._sessions: dict[Client, tuple[int, int]] = {}
        """What each client resumes: a replica and which process of it."""
        self._draw = Draw()

    def call(self, call: Call) -> Steps:
        """What the gateway answers, or 503 with UF where there is no connection, with UC where the replica ends meanwhile."""
        request = call.request
        client = request.source, request.user, request.address
        connection: ClientConnection | None = self._kept(client)
        if connection is None:
            connection = yield from self._connect(call, client)
        if connection is None:
            return WITHOUT_A_CONNECTION
        replica, clock = connection.replica, self._clock
        call.proxy = replica.index
        task = clock.active
        replica.tasks[task] = None
        is_kept = False
        try:
            if replica.is_unreachable:
                yield LOST_AFTER_NS
                return CUT_OFF
            if request.asker.kib_ns and request.kib:
                yield round(request.kib * request.asker.kib_ns)
            outcome: Outcome = yield from self._inner.call(call)
            if replica.is_unreachable:
                yield LOST_AFTER_NS
                return CUT_OFF
            if request.asker.kib_ns and call.answer_kib:
                yield round(call.answer_kib * request.asker.kib_ns)
            is_kept = True
        except Cut:
            outcome = CUT_OFF
        finally:
            replica.tasks.pop(task, None)
            self._give_back(connection, request, is_kept=is_kept)
        return outcome

    def _kept(self, client: Client) -> ClientConnection | None:
        """The connection that was used last and is open still."""
        idle = self._idle.get(client)
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.incarnation == connection.replica.incarnation:
                connection.idle_since_ns = -1
                return connection
        return None

    def _connect(self, call: Call, client: Client) -> Steps:
        """A new connection, or None where it was refused."""
        clock, request = self._clock, call.request
        began_ns = clock.now_ns
        replica = self._replicas.pick(request.address, self._draw.at(call.key, EDGE))
        try:
            if replica is None:
                return None
            if replica.is_unreachable:
                yield LOST_AFTER_NS
                return None
            replica.arriving += 1
            try:
                trip_ns = self._trip_ns(call, replica, 0)
                if trip_ns:
                    yield trip_ns
            finally:
                replica.arriving -= 1
            if not replica.accept():
                return None
            connection = ClientConnection(client, replica)
            try:
                yield from self._handshake(call, client, replica)
            except Interrupted:
                replica.close(connection.incarnation)
                raise
            if connection.incarnation != replica.incarnation:
                return None
            return connection
        finally:
            call.connection_ns = clock.now_ns - began_ns
            self._refusals.lose(call, CALLER_CLIENT)

    def _handshake(self, call: Call, client: Client, replica: Replica) -> Steps:
        """The replica's work for a new connection; the round trips of TLS, and the work for that."""
        tls = self._edge.tls
        if self._edge.connection_ns:
            yield from replica.station.hold(self._edge.connection_ns)
        if tls is None:
            return
        began_ns = self._clock.now_ns
        trips_ns = sum(self._trip_ns(call, replica, 1 + number) for number in range(tls.round_trips))
        known = self._sessions.get(client)
        is_resumed = tls.resumes and known is not None and (tls.shares_keys or known == (replica.index, replica.incarnation))
        replica.handshakes += 1
        replica.resumed += is_resumed
        try:
            if trips_ns:
                yield trips_ns
            yield from replica.station.hold(tls.resumed_ns if is_resumed else tls.handshake_ns)
        finally:
            call.tls_ns = self._clock.now_ns - began_ns
        self._sessions[client] = replica.index, replica.incarnation

    def _trip_ns(self, call: Call, replica: Replica, number: int) -> int:
        """There and back."""
        key = call_key(call.key + HANDSHAKE, number)
        there_ns = self._links.latency_ns(key, CLIENT_WAY + REQUEST_WAY, call.zone, replica.zone)
        return there_ns + self._links.latency_ns(key, CLIENT_WAY + ANSWER_WAY, replica.zone, call.zone)

    def _give_back(self, connection: ClientConnection, request: Request, *, is_kept: bool) -> None:
        """Keep the connection for another request, or close it."""
        connection.requests += 1
        replica, most = connection.replica, request.asker.requests_per_connection
        if not is_kept or replica.is_draining or connection.requests == most or connection.incarnation != replica.incarnation:
            connection.is_open = False
            replica.close(connection.incarnation)
            return
        connection.idle_since_ns = since_ns = self._clock.now_ns
        self._idle.setdefault(connection.client, []).append(connection)
        if self._edge.idle_timeout_ns:
            self._clock.call_at(since_ns + self._edge.idle_timeout_ns, lambda: self._time_out(connection, since_ns))

    def _time_out(self, connection: ClientConnection, since_ns: int) -> None:
        """Close a connection that has had no request since."""
        if connection.is_open and connection.idle_since_ns == since_ns:
            connection.is_open = False
            connection.replica.close(connection.incarnation)
