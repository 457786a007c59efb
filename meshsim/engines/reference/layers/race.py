"""Tries of one call side by side: who is on the way, what is waited for, and who wins."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.layers.retrying import TIMED_OUT, seen, stop, tried, wait_ns
from meshsim.engines.reference.time.at_once import end, make, run
from meshsim.engines.reference.time.clock import PARK, Cancelled, Interrupted, Overdue
from meshsim.engines.reference.time.outcome import CALLER_GONE, is_servers_fault
from meshsim.engines.reference.travel.row import FLAGS
from meshsim.flags import Flag
from meshsim.randomness import BACK_OFF, attempt_key

if TYPE_CHECKING:
    from meshsim.engines.reference.layers.rules import Rules
    from meshsim.engines.reference.time.clock import Steps, Task
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler

STATUS_OF_TIMEOUT = 504


class Entrant:
    """One try of a race."""

    __slots__ = ("beside", "call", "has_timed_out", "holds_slot", "is_retried", "sent_ns", "task")

    def __init__(self, call: Call, sent_ns: int) -> None:
        self.call = call
        self.sent_ns = sent_ns
        self.task: Task
        self.has_timed_out = False
        """Whether its per-try timeout has passed: it runs on, but the host has been blamed for it."""
        self.is_retried = False
        """Whether another one has been asked for in its place then: its own failure asks for no more."""
        self.holds_slot = False
        self.beside: Call | None = None
        """The try that was on its way when it was sent, the latest of them; None where none was."""


class Race:
    """The tries of one call."""

    __slots__ = (
        "_after_timeout", "_alarms", "_attempt", "_call", "_clock", "_failed", "_first_key", "_hedges", "_is_parked", "_layer", "_out", "_posted",
        "_previous_ns", "_task", "_waiting", "_waits_since_ns",
    )  # fmt: skip

    def __init__(self, layer: Rules, call: Call) -> None:
        self._layer = layer
        self._call = call
        self._clock = layer.refusals.clock
        self._first_key = call.key
        self._attempt = 0
        self._hedges = 0
        self._previous_ns = 0
        self._waits_since_ns = 0
        self._after_timeout = False
        """Whether the last further try was asked for by a timeout."""
        self._out: list[Entrant] = []
        self._alarms: list[Task] = []
        self._waiting = False
        """Whether a retry is in its back-off."""
        self._is_parked = False
        """Whether the race's own task waits for something to happen: what happens in a step of its own it sees there."""
        self._posted: deque[tuple[str, Entrant | None, Outcome | None]] = deque()
        self._task: Task
        self._failed: Call
        """The try that a retry is due for."""

    @property
    def _retries(self) -> int:
        """How many of the tries are retries: a hedge after a delay does not use them up."""
        return self._attempt - 1 - self._hedges

    def run(self) -> Steps:
        """The outcome."""
        self._task = self._clock.active
        self._call.marks = 0
        budget = None if self._layer.view is None else self._layer.view.token_budget
        if budget is not None:
            budget.deposit(self._clock.now_ns)
        self._send(0)
        try:
            while True:
                while not self._posted:
                    self._is_parked = True
                    yield PARK
                    self._is_parked = False
                kind, one, outcome = self._posted.popleft()
                decided = self._on(kind, one, outcome)
                if decided is not None:
                    if budget is not None and not decided.is_failure:
                        budget.succeeded(self._clock.now_ns, self._attempt > 1, self._after_timeout)
                    return decided.flagged(self._call.marks) if self._call.marks else decided
        except Interrupted as error:
            self._end(error.outcome, cancels=True)
            raise
        finally:
            for alarm in self._alarms:
                alarm.interrupt(Cancelled(CALLER_GONE))

    def _on(self, kind: str, one: Entrant | None, outcome: Outcome | None) -> Outcome | None:
        """Something has happened: the outcome of the race where that decides it."""
        if kind == "answer":
            assert one is not None  # noqa: S101 — an answer is somebody's
            return self._answered(one, outcome)
        if kind == "retry":
            self._waiting = False
            self._send(self._clock.now_ns - self._waits_since_ns, holds_slot=True)
            self._layer.count_retry(self._failed)
        elif kind == "timeout" and one in self._out:
            assert one is not None  # noqa: S101 — it is in the list
            self._timed_out(one)
        elif kind == "hedge" and one in self._out and self._hedges < self._layer.hedging.max_hedges and self._admits(one):
            self._hedges += 1
            self._send(0, holds_slot=True)
        return None

    def _answered(self, one: Entrant, outcome: Outcome | None) -> Outcome | None:
        self._out.remove(one)
        if outcome is None:  # cancelled from outside of the race
            return None
        self._call.last_row = one.call.last_row
        if hasattr(one.call, "endpoint"):
            self._call.endpoint, self._call.operation = one.call.endpoint, one.call.operation
        if self._layer.policy.is_retriable(outcome.status, outcome.grpc_status, seen(outcome, self._layer.visible)):
            return self._lost(one, outcome)
        hedging, latencies = self._layer.hedging, self._layer.latencies
        if not hedging.on_per_try_timeout and is_servers_fault(outcome) and (self._out or self._waiting):
            return None
        if latencies is not None and not outcome.is_failure:
            for each in (one, *self._out):
                latencies.add(self._clock.now_ns - each.sent_ns)
        if one.beside is not None:
            self._layer.count_win(one.beside)
        self._end(CALLER_GONE, cancels=hedging.cancels)
        return outcome

    def _lost(self, one: Entrant, outcome: Outcome) -> Outcome | None:
        """A try has failed: try again if that is due; the failure counts where nothing else is on its way."""
        layer, policy = self._layer, self._layer.policy
        if self._waiting:
            return None
        others = bool(self._out)
        if one.is_retried and others:
            return None
        if self._retries >= policy.num_retries:
            return None if others else stop(self._call, outcome, Flag.URX)
        if not self._admits(one, after_timeout=bool(outcome.flags & TIMED_OUT)):
            return None if others else stop(self._call, outcome, Flag.UO)
        self._wait(one, wait_ns(policy, outcome, self._retries + 1, self._previous_ns, layer.draw.at(one.call.key, BACK_OFF)))
        return None

    def _timed_out(self, one: Entrant) -> None:
        """The per-try timeout of a try has passed: ask for another, and let it run on; its slot goes to that one."""
        layer, policy, view = self._layer, self._layer.policy, self._layer.view
        one.has_timed_out = True
        endpoint = getattr(one.call, "endpoint", None)
        if view is not None and endpoint is not None:
            view.notice(endpoint, STATUS_OF_TIMEOUT, -1, TIMED_OUT, self._clock.now_ns - one.sent_ns)
        self._release(one)
        if self._waiting:
            return
        is_used_up = self._retries >= policy.num_retries
        if is_used_up or not self._admits(one, after_timeout=True):  # the access log has it on what succeeds then, too
            flag = Flag.URX if is_used_up else Flag.UO
            self._call.marks |= flag
            if one.call.last_row is not None:
                one.call.last_row[FLAGS] |= flag
            return
        one.is_retried = True
        self._wait(one, policy.back_off.wait_ns(self._retries + 1, self._previous_ns, layer.draw.at(one.call.key, BACK_OFF)))

    def _wait(self, one: Entrant, length_ns: int) -> None:
        self._waiting, self._previous_ns, self._failed = True, length_ns, one.call
        self._waits_since_ns = self._clock.now_ns
        self._alarm(length_ns, "retry", None)

    def _send(self, wait_before_ns: int, *, holds_slot: bool = False) -> None:
        """A try, in a task of its own."""
        self._attempt += 1
        first, layer = self._attempt == 1, self._layer
        call = self._call.beside(attempt_key(self._first_key, layer.layer, self._attempt), self._attempt)
        call.back_off_ns = wait_before_ns
        if first:
            call.back_off_ns, call.proxy_ns = self._call.back_off_ns, self._call.proxy_ns
        one = Entrant(call, self._clock.now_ns)
        one.holds_slot = holds_slot and layer.view is not None
        if self._out:
            one.beside = self._out[-1].call
            layer.count_hedge(one.beside)
        self._out.append(one)
        if layer.timeout_ns:
            call.on_connection = lambda: self._connected(one)
        one.task = make(self._clock, _try(layer.inner, call), lambda outcome: self._ended(one, outcome))
        run(one.task)
        delay_ns = layer.delay_ns()
        if delay_ns and self._hedges < layer.hedging.max_hedges:
            self._alarm(delay_ns, "hedge", one)

    def _connected(self, one: Entrant) -> None:
        """A try has its connection: its per-try timeout begins."""
        if one in self._out:
            self._alarm(self._layer.timeout_ns, "timeout", one)

    def _ended(self, one: Entrant, outcome: Outcome | None) -> None:
        """A try has ended, while the race is on or after it. What leads back to it is cut: nobody collects cycles in a run."""
        one.task.on_end = None
        if self._layer.timeout_ns:
            del one.call.on_connection
        self._release(one)
        if one in self._out:
            self._post("answer", one, outcome)

    def _alarm(self, delay_ns: int, kind: str, one: Entrant | None) -> None:
        def ring() -> Steps:
            try:
                yield from self._layer.sleep(delay_ns)
            except Interrupted:
                return
            self._post(kind, one, None)

        if not delay_ns:
            self._post(kind, one, None)
            return
        self._alarms.append(self._clock.start(ring()))

    def _post(self, kind: str, one: Entrant | None, outcome: Outcome | None) -> None:
        self._posted.append((kind, one, outcome))
        if self._is_parked:
            self._task.wake()

    def _end(self, outcome: Outcome, *, cancels: bool) -> None:
        """No try matters any more."""
        view = self._layer.view
        if self._waiting and view is not None:
            view.retries.done()
        self._waiting = False
        left, self._out = self._out, []
        for one in left:
            if cancels:
                end(one.task, Overdue(outcome) if one.has_timed_out else Cancelled(outcome))

    def _admits(self, one: Entrant, *, after_timeout: bool = False) -> bool:
        view = self._layer.view
        if view is not None and not view.admits_retry(after_timeout, tried(one.call)):
            return False
        self._after_timeout = after_timeout
        return True

    def _release(self, one: Entrant) -> None:
        if one.holds_slot and self._layer.view is not None:
            one.holds_slot = False
            self._layer.view.retries.done()


def _try(inner: Handler, call: Call) -> Steps:
    """One try; None where it was cancelled."""
    try:
        return (yield from inner.call(call))
    except Cancelled:
        return None
