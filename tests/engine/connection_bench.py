"""The connections of one caller by themselves: requests whose lengths and answers are written down, instances that are only doors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import made_up

from meshsim.distributions import Constant
from meshsim.engines.reference.destinations.connections import ConnectionLayer
from meshsim.engines.reference.destinations.place import Place
from meshsim.engines.reference.destinations.transport import TransportLayer
from meshsim.engines.reference.destinations.view import View
from meshsim.engines.reference.layers.timeout import TimeoutLayer, timed_out
from meshsim.engines.reference.services.condition import Condition
from meshsim.engines.reference.time.clock import Cancelled, Clock
from meshsim.engines.reference.time.outcome import CALLER_GONE, OK, Outcome, failure
from meshsim.engines.reference.time.station import Station
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.network import Links
from meshsim.engines.reference.travel.refusals import Refusals
from meshsim.engines.reference.travel.request import Request
from meshsim.engines.reference.travel.row import FLAGS, STATUS
from meshsim.flags import Flag
from meshsim.plan import Cluster, Connections, Limits, Network, Tls
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.load_balancing import RoundRobin
from meshsim.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.distributions import Distribution
    from meshsim.engines.reference.time.clock import Steps, Task

MS = 1_000_000
BROKEN = failure(503, Flag.UC, 0)
TLS = Tls(round_trips=1, handshake_ns=3 * MS, resumed_ns=0, per_request_ns=0, per_kib_ns=0.0, rotations_ns=())
"""3 ms of a worker at each side."""
HTTP1 = Connections(
    is_http2=False,
    max_concurrent_streams=1,
    max_requests=0,
    max_age_ns=0,
    idle_timeout_ns=0,
    connect_timeout_ns=0,
    is_balanced=False,
    max_connections=NO_LIMIT,
    tls=None,
)
HTTP2 = replace(HTTP1, is_http2=True, max_concurrent_streams=100)
EVERY = {"max_connections": NO_LIMIT, "max_pending_requests": NO_LIMIT, "max_requests": NO_LIMIT, "max_retries": NO_LIMIT}


class Door(Condition):
    """An instance of which nothing is there but whether it lets anybody in."""

    def __init__(self, clock: Clock, index: int, sidecar_workers: int) -> None:
        super().__init__(may_crash=False)
        self.index, self.zone, self.subset = index, 0, -1
        self.sidecar = SimpleNamespace(station=Station(clock, sidecar_workers), connection_ns=0) if sidecar_workers else None


@dataclass
class Sent:
    """A request and what became of it; times in ms, -1 where it did not come to that."""

    length_ms: float
    answer: Outcome
    outcome: Outcome | None = None
    sent_ms: float = -1
    """When it had its connection."""
    ended_ms: float = -1
    instance: int = -1
    waited_ms: float = 0
    """For its connection."""
    tls_ms: float = 0
    call: Call | None = None
    task: Task | None = None
    takes_along: Sent | None = None
    """Another request that nobody waits for any more once this one is answered, in the same step."""

    @property
    def flags(self) -> Flag:
        assert self.outcome is not None
        return Flag(self.outcome.flags)


class Answers:
    """The innermost layer: each request takes as long, and is answered, as it says itself."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def call(self, call: Call) -> Steps:
        bench, endpoint = self._bench, call.endpoint
        sent = bench.sent[call.key]
        sent.sent_ms, sent.instance = bench.now_ms, endpoint.index
        sent.waited_ms, sent.tls_ms = call.connection_ns / MS, call.tls_ns / MS
        life = endpoint.instance.incarnation
        endpoint.in_flight += 1
        try:
            yield round(sent.length_ms * MS)
        finally:
            endpoint.in_flight -= 1
        return BROKEN if endpoint.instance.incarnation != life else sent.answer


@dataclass
class Caller:
    """One proxy, or one client without a proxy: its view, and the layers above its connections."""

    view: View
    layer: Any
    per_try: dict[float, Any] = field(default_factory=dict)


class Bench:
    """Instances of one service, 1 ms away, and callers of it."""

    def __init__(
        self,
        settings: Connections = HTTP1,
        *,
        instances: int = 1,
        workers: int = 0,
        sidecar_workers: int = 0,
        callers: int = 1,
        latency: Distribution | None = None,
        limits: dict[str, int] | None = None,
        **changes: Any,
    ) -> None:
        """Set it up.

        Args:
            settings: The connections' settings.
            instances: Of the called service.
            workers: Of each caller's own proxy; 0 for none.
            sidecar_workers: Of the sidecar at each instance; 0 for none.
            callers: Each with a view of its own.
            latency: One way; 1 ms where absent.
            limits: Circuit breakers.
            changes: To the settings.
        """
        self.clock = Clock()
        self.recorder = Recorder(())
        self.refusals = Refusals(self.clock, self.recorder, (0,))
        self.doors = [Door(self.clock, index, sidecar_workers) for index in range(instances)]
        self.settings = replace(settings, **changes)
        self.links = Links(Network(Constant(value=MS) if latency is None else latency, None))
        self.sent: dict[int, Sent] = {}
        self._limits = Limits(**{**EVERY, **(limits or {})})
        self._service = made_up.plan(replicas=instances).services[0]
        self.callers = [self._caller(number, workers) for number in range(callers)]
        self.view = self.callers[0].view
        self.activity = self.view.activity

    def _caller(self, number: int, workers: int) -> Caller:
        cluster = Cluster(service=0, balancer=RoundRobin(), limits=self._limits, connections=self.settings)
        place = Place(1 + number, 0, number, (1,), self._proxy(workers) if workers else None)
        view = View(self.clock, cluster, self._service, self.doors, place, self.links.constant_ns)  # type: ignore[arg-type]
        return Caller(view, self.layer(view, 0))

    def _proxy(self, workers: int) -> Any:
        return SimpleNamespace(station=Station(self.clock, workers), ticks=None, connection_ns=0)

    def layer(self, view: View, per_try_ms: float) -> Any:
        inner: Any = Answers(self)
        if per_try_ms:
            inner = TimeoutLayer(inner, self.clock, round(per_try_ms * MS), timed_out(0))
        kind: Any = TransportLayer if self.settings.is_balanced else ConnectionLayer
        return kind(inner, view, self.links, self.refusals, self.settings)

    @property
    def now_ms(self) -> float:
        return self.clock.now_ns / MS

    def send(
        self,
        at_ms: float = 0,
        length_ms: float = 10,
        *,
        to: int = 0,
        caller: int = 0,
        cut_ms: float = 0,
        per_try_ms: float = 0,
        answer: Outcome = OK,
    ) -> Sent:
        """A request.

        Args:
            at_ms: When.
            length_ms: From its having a connection until its answer.
            to: The instance that the load balancer has picked; without meaning at layer 4.
            caller: Whose.
            cut_ms: A timeout around it, the wait for a connection included; 0 for none.
            per_try_ms: The same of what comes after that wait.
            answer: The answer.
        """
        key = len(self.sent) + 1
        made = self.sent[key] = Sent(length_ms, answer)
        one = self.callers[caller]
        if per_try_ms and per_try_ms not in one.per_try:
            one.per_try[per_try_ms] = self.layer(one.view, per_try_ms)
        layer = one.per_try[per_try_ms] if per_try_ms else one.layer
        if cut_ms:
            layer = TimeoutLayer(layer, self.clock, round(cut_ms * MS), timed_out(0))
        self.at(at_ms, partial(self._start, layer, key, to, one.view, made))
        return made

    def _start(self, layer: Any, key: int, to: int, view: View, sent: Sent) -> None:
        call = Call(Request(0, 0, -1, key, 0, 0, self.clock.now_ns), key, 0, -2, 0)
        if not self.settings.is_balanced:
            call.endpoint = view.endpoints[to]
        sent.call, sent.task = call, self.clock.start(layer.call(call), partial(self._end, sent))

    def cancel(self, at_ms: float, *requests: Sent) -> None:
        """Whoever waits for these requests goes, in one and the same step."""

        def go() -> None:
            for one in requests:
                assert one.task is not None
                one.task.interrupt(Cancelled(CALLER_GONE))

        self.at(at_ms, go)

    def _end(self, sent: Sent, outcome: Outcome | None) -> None:
        sent.outcome, sent.ended_ms = outcome, self.now_ms
        if sent.takes_along is not None:
            sent.takes_along.task.interrupt(Cancelled(CALLER_GONE))

    def at(self, at_ms: float, what: Callable[[], Any]) -> None:
        """Do something at an instant, before the requests of that instant that are written down later."""
        self.clock.call_at(round(at_ms * MS), what)

    def run(self) -> None:
        """Until nothing is left to happen; then nothing may be held any more."""
        self.clock.run_all(lambda: None)
        assert self.clock.live == 0
        for caller in self.callers:
            view = caller.view
            assert (view.requests.in_use, view.pending.in_use) == (0, 0)
            assert view.activity.opened - view.activity.closed == view.connections.in_use
            assert sum(endpoint.open for endpoint in view.endpoints) == view.connections.in_use
            stations = [
                one
                for one in (view.proxy and view.proxy.station, *(door.sidecar and door.sidecar.station for door in self.doors))
                if one
            ]
            assert all(station.busy == station.queued == 0 for station in stations)

    def refused(self) -> list[tuple[int, Flag]]:
        """Status and flags of the attempts that were never sent."""
        return [(row[STATUS], Flag(row[FLAGS])) for row in self.recorder.attempts]
