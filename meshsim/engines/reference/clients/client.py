"""Clients: open loads that come whatever happens, and closed ones that wait for each answer."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.call import CALLER_CLIENT, Call
from meshsim.engines.reference.travel.request import Request
from meshsim.plan import NONE
from meshsim.randomness import CONTENT_KEY, ROUTE, THINK_TIME, uniform, user_request_key
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.plan import Source
    from meshsim.recorder import Recorder


class Client:
    """One load: sends requests and writes their rows."""

    __slots__ = ("_askers", "_clock", "_handler", "_index", "_recorder", "_root", "_source", "_started")

    def __init__(
        self, clock: Clock, recorder: Recorder, source: Source, index: int, root: int, handler: Handler, started: Counter
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._source = source
        self._askers = source.askers or (source.asker,) * len(source.routes)
        self._index = index
        self._root = root
        self._handler = handler
        self._started = started
        """Numbers the requests of all loads together."""

    def begin(self, until_ns: int) -> None:
        """Start the load's processes."""
        if self._source.arrivals is not None:
            self._clock.start(self._arrive(until_ns))
        most, shared = self._source.iterations, Iterations(self._source.iterations)
        for user, intervals in enumerate(self._source.users):
            if intervals:
                left = shared if self._source.shares_iterations else Iterations(most)
                self._clock.start(self._use(user, intervals, until_ns, left if most else None))

    def _arrive(self, until_ns: int) -> Steps:
        """One request after the other, without waiting for answers."""
        clock, source = self._clock, self._source
        assert source.arrivals is not None  # noqa: S101 — `begin` has looked
        for number, (time_ns, key) in enumerate(source.arrivals.arrive(self._root)):
            if time_ns >= until_ns:
                return
            if time_ns > clock.now_ns:
                yield time_ns - clock.now_ns
            clock.start(self._send(number, NONE, key))

    def _use(self, user: int, intervals: tuple[tuple[int, int], ...], until_ns: int, left: Iterations | None) -> Steps:
        """One virtual user: request, answer, think, and again, while it is at work and there is something left to do."""
        clock, think_time = self._clock, self._source.think_time
        iteration = 0
        for from_ns, to_ns in intervals:
            if from_ns >= until_ns:
                return
            if from_ns > clock.now_ns:
                yield from_ns - clock.now_ns
            while clock.now_ns < min(to_ns, until_ns):
                if left is not None and not left.take():
                    return
                key = user_request_key(self._root, user, iteration)
                began_ns = clock.now_ns
                yield from self._send(iteration, user, key)
                iteration += 1
                pause_ns = 0 if think_time is None else round(think_time.quantile(uniform(key, THINK_TIME)))
                if clock.now_ns == began_ns and not pause_ns:  # an answer in no time: without this no time would ever pass
                    pause_ns = NS_PER_MS
                if clock.now_ns + pause_ns >= until_ns:
                    return
                if pause_ns:
                    yield pause_ns

    def _send(self, number: int, user: int, key: int) -> Steps:
        """One request, from the first byte to the outcome."""
        source, clock = self._source, self._clock
        place = 0 if len(source.routes) == 1 else bisect_right(source.shares, uniform(key, ROUTE))
        request = Request(
            self._index, number, user, key, source.routes[place], source.consumer, clock.now_ns, self._askers[place]
        )
        request.row_number, request.is_write = self._started.next(), source.writes[place]
        if source.key_shares:
            request.content_key = source.keys[bisect_right(source.key_shares, uniform(key, CONTENT_KEY))]
        call = Call(request, key, NONE, CALLER_CLIENT, source.zone)
        outcome: Outcome = yield from self._handler.call(call)
        self._recorder.requests.append(
            [
                request.row_number, self._index, number, user, request.route, request.started_ns, clock.now_ns,
                outcome.status, outcome.grpc_status, outcome.flags, request.attempts, outcome.origin, outcome.origin_flags,
            ]
        )  # fmt: skip


class Iterations:
    """How many requests are left to one user, or to all users of a load.

    Source: k6, lib/executor/per_vu_iterations.go and shared_iterations.go: who is free takes the next one.
    """

    __slots__ = ("_left",)

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self) -> bool:
        """Whether there was one more."""
        self._left -= 1
        return self._left >= 0


class Counter:
    """Numbers requests in the order in which they start."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> int:
        """The next number."""
        number = self.count
        self.count = number + 1
        return number
