"""What a proxy's filters make of a request: their verdicts, and all the waiting that they ask for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Expired, Interrupted, Timers
from meshsim.engines.reference.time.outcome import CALLER_LEFT, OK, Outcome
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.sidecar import Passing
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.policies.filters import Decision, Then, Verdict
from meshsim.randomness import FILTER, Draw, call_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Clock, Steps, Task
    from meshsim.engines.reference.time.station import Station
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.request import Request
    from meshsim.engines.reference.travel.sidecar import Incoming, Passed
    from meshsim.policies.filters import FilterState

SIDES = tuple(call_key(FILTER, side) for side in range(4))
"""Filters of one request at different proxies draw different numbers."""
ANSWERED = 1
"""Added to a side's purpose for what is drawn after the filter's service has answered."""


class Ask:
    """A filter's calls to a service of the scenario: an authorisation or rate-limit service, a key set.

    Their attempts have no request (-1), like those of mirrored copies: the time that the client's request waits for them is time in
    the proxy.
    """

    __slots__ = ("_caller", "_handler", "_operation", "_proxy", "_zone")

    def __init__(self, handler: Handler, operation: int, caller: int, zone: int, proxy: int) -> None:
        self._handler = handler
        self._operation = operation
        self._caller = caller
        self._zone = zone
        self._proxy = proxy

    def ask(self, call: Incoming, number: int) -> Steps:
        """The status of the answer: 0 where none came in time, 503 for a failure in gRPC's words."""
        key = call_key(call.key + FILTER, number)
        asking = Call(call.request.aside(call.request.started_ns), key, self._operation, self._caller, self._zone)
        asking.proxy = self._proxy
        outcome: Outcome = yield from self._handler.call(asking)
        if outcome.flags & Flag.UT:
            return 0
        return 503 if outcome.grpc_status > 0 else outcome.status


class Screen:
    """The filters of one proxy, and who waits for them."""

    __slots__ = (
        "_clock", "_draw", "_draws", "_judges", "_station", "_waiting", "asks", "decided", "filters", "is_plain", "replaces", "works_on_answers",
    )  # fmt: skip

    def __init__(self, clock: Clock, station: Station, filters: tuple[FilterState, ...]) -> None:
        self._clock = clock
        self._station = station
        self.filters = filters
        """Built for this proxy."""
        self.is_plain = not any(one.observes or one.delays or one.works_on_answers for one in filters)
        """Whether they answer at once and want to hear nothing afterwards."""
        self.works_on_answers = any(one.works_on_answers for one in filters)
        self.replaces = any(one.replaces for one in filters)
        self.asks: dict[int, Ask] = {}
        """How each filter that has a service calls it, by the filter's number."""
        self.decided: dict[tuple[int, int, int, int, int], int] = {}
        """Decisions since whoever counts them looked last: by filter, decision, rule, route and consumer."""
        self._judges = [(number, one.judge) for number, one in enumerate(filters)]
        self._draw = Draw()
        self._draws = any(one.draws for one in filters)
        self._waiting: dict[tuple[int, int], deque[Task]] = {}
        """Tasks that wait for what another request has gone to fetch, by filter and key."""

    def renew(self, filters: tuple[FilterState, ...]) -> None:
        """Take others in the place of its filters, of the same kinds."""
        self.filters = filters
        self._judges = [(number, one.judge) for number, one in enumerate(filters)]

    def judge(self, call: Incoming, side: int) -> Outcome | None:
        """The first filter's answer that is not "go on", or None; only where it `is_plain`."""
        now_ns, request = self._clock.now_ns, call.request
        draw = self._draw.at(call.key, SIDES[side]) if self._draws else self._draw
        decided = self.decided
        for number, judge in self._judges:
            verdict = judge(now_ns, request, draw)
            key = number, verdict.decision, verdict.rule, request.route, request.consumer  # `_count`, without a call
            decided[key] = decided.get(key, 0) + 1
            if verdict.status:
                return _answer(verdict)
        return None

    def screen(self, call: Incoming, side: int, passed: Passed, send: Callable[[Call], Steps] | None = None) -> Steps:
        """As `judge`, with everything that takes time.

        Args:
            call: The request.
            side: Which of the proxies on its way this is.
            passed: Takes the filters that `tell` and `replaced` are about.
            send: Sends a copy on in the background.
        """
        clock, request = self._clock, call.request
        for number, one in enumerate(self.filters):
            verdict: Verdict = yield from self._settle(number, one, call, side, send)
            self._count(number, verdict.decision, request, verdict.rule)
            if (one.observes or one.replaces) and not verdict.status:
                passed.append(Passing(number, one, clock.now_ns, verdict.key))
            if verdict.status:
                return _answer(verdict)
        return None

    def tell(self, passed: Passed, outcome: Outcome, request: Request) -> None:
        """Let the filters know what became of a request that they let pass."""
        now_ns = self._clock.now_ns
        for one in passed:
            one.filter.done(now_ns, now_ns - one.since_ns, request, outcome.status, outcome.grpc_status, outcome.flags)
            self._release(one.number, one.key)

    def replaced(self, request: Request, outcome: Outcome, passed: Passed) -> Outcome:
        """What the client gets: the outcome, or in place of a failure what a filter has kept.

        Only a filter that the request has passed is asked: who was refused before a cache has nothing from it.
        """
        for one in passed:
            if one.filter.replaces:
                status = one.filter.answer_instead(self._clock.now_ns, request, outcome.status, outcome.grpc_status)
                if status:
                    self._count(one.number, Decision.STALE, request)
                    return Outcome(status) if status < 400 else outcome._replace(status=status, grpc_status=NONE)
        return outcome

    def answer_kib(self, kib: float) -> float:
        """The size of an answer that has passed them, the last filter first."""
        for one in reversed(self.filters):
            kib = one.answer_kib(kib)
        return kib

    def work_on_answer(self, call: Call, outcome: Outcome, kib: float) -> Steps:
        """Hold a worker for what filters do with the answer."""
        work_ns: int = sum(one.answer_work_ns(call.request, outcome.status, kib) for one in self.filters if one.works_on_answers)
        if work_ns:
            yield from self._station.hold(work_ns)

    def _settle(self, number: int, one: FilterState, call: Incoming, side: int, send: Callable[[Call], Steps] | None) -> Steps:
        """A filter's last word, after all work, delays, questions and waits."""
        clock, request, key = self._clock, call.request, call.key + number
        verdict = one.judge(clock.now_ns, request, self._draw.at(key, SIDES[side]))
        has_waited = False
        while True:
            if verdict.then is Then.REFRESH:  # before the work, in which the caller may leave
                self._start_refresh(number, one, call, verdict.key, send)
            try:
                if verdict.work_ns:
                    yield from self._station.hold(verdict.work_ns)
                if verdict.delay_ns and verdict.then is not Then.WAIT:
                    yield verdict.delay_ns
            except Interrupted:
                self._give_up(number, one, call, verdict, side)
                raise
            if verdict.then is Then.WAIT:
                has_waited = True
                is_over = yield from self._wait(number, verdict.key, verdict.delay_ns)
                draw = self._draw.at(key, SIDES[side])
                verdict = (one.judge if is_over else one.give_up_waiting)(clock.now_ns, request, draw)
                continue
            if verdict.then is not Then.ASK:
                break
            verdict = yield from self._ask(number, one, call, verdict.key, side)
        if has_waited and verdict.decision is Decision.HIT:
            return verdict._replace(decision=Decision.COALESCED)
        return verdict

    def _give_up(self, number: int, one: FilterState, call: Incoming, verdict: Verdict, side: int) -> None:
        """The caller has left before what its verdict says was done: others may wait for that, and the filter counts on it."""
        now_ns, request = self._clock.now_ns, call.request
        if verdict.then is Then.ASK:
            one.answered(now_ns, request, CALLER_LEFT.status, self._draw.at(call.key + number, SIDES[side] + ANSWERED))
        elif one.observes and not verdict.status and verdict.then is Then.NOTHING:
            one.done(now_ns, 0, request, CALLER_LEFT.status, NONE, 0)
        else:
            return
        self._release(number, verdict.key)

    def _ask(self, number: int, one: FilterState, call: Incoming, key: int, side: int) -> Steps:
        """What the filter makes of its service's answer; others may have waited for that."""
        status = 0
        try:
            status = yield from self.asks[number].ask(call, number)
        finally:
            draw = self._draw.at(call.key + number, SIDES[side] + ANSWERED)
            verdict = one.answered(self._clock.now_ns, call.request, status, draw)
            self._release(number, key)
        return verdict

    def _wait(self, number: int, key: int, limit_ns: int) -> Steps:
        """Wait until what another request went for is there; whether it was in time."""
        clock = self._clock
        task = clock.active
        waiting = self._waiting.setdefault((number, key), deque())
        waiting.append(task)
        timer = Timers(clock, limit_ns).start(OK) if limit_ns else None
        try:
            yield PARK
        except Interrupted as error:
            waiting.remove(task)
            if isinstance(error, Expired) and error.timer is timer:
                return False
            raise
        finally:
            if timer is not None:
                timer.task = None
        return True

    def _release(self, number: int, key: int) -> None:
        for task in self._waiting.pop((number, key), ()):
            task.wake()

    def _start_refresh(
        self, number: int, one: FilterState, call: Incoming, key: int, send: Callable[[Call], Steps] | None
    ) -> None:
        now_ns = self._clock.now_ns
        if send is None:
            one.done(now_ns, 0, call.request, 0, NONE, 0)
            return
        copy = Call(call.request.aside(now_ns), call.key, call.operation, call.caller, call.zone)
        self._clock.start(self._refresh(Passing(number, one, now_ns, key), copy, send))

    def _refresh(self, passing: Passing, copy: Call, send: Callable[[Call], Steps]) -> Steps:
        """A task: fetch anew what has been answered from the old."""
        outcome = CALLER_LEFT
        try:
            outcome = yield from send(copy)
        finally:
            self.tell([passing], outcome, copy.request)

    def _count(self, number: int, decision: int, request: Request, rule: int = NONE) -> None:
        key = number, decision, rule, request.route, request.consumer
        self.decided[key] = self.decided.get(key, 0) + 1


def _answer(verdict: Verdict) -> Outcome:
    return Outcome(verdict.status, NONE, verdict.flags, NONE, verdict.flags, verdict.retry_after_ns)
