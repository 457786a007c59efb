"""One layer of the engine by itself: tries whose lengths and answers are written down, a view of one destination, a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import made_up

from meshsim.engines.reference.destinations.place import Place
from meshsim.engines.reference.destinations.view import View
from meshsim.engines.reference.layers.timeout import TimeoutLayer, timed_out
from meshsim.engines.reference.time.clock import Clock, Interrupted
from meshsim.engines.reference.time.outcome import OK, Outcome, failure
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.refusals import Refusals
from meshsim.engines.reference.travel.request import Request
from meshsim.engines.reference.travel.row import ATTEMPT, BACK_OFF, ENDED, FLAGS, STATUS
from meshsim.flags import Flag
from meshsim.plan import Cluster, Limits, Retries
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.load_balancing import RoundRobin
from meshsim.policies.retry import CONDITIONS, BackOffState, Constant, RetryPolicy, RetryTokenBudgetState
from meshsim.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.handler import Handler

MS = 1_000_000
ERROR = failure(500, Flag.error, 0)
UNAVAILABLE = failure(503, Flag.error, 0)
NOT_FOUND = failure(404, Flag.error, 0)
TIMED_OUT = failure(504, Flag.UT, 0)
REFUSED = failure(503, Flag.UF, 0)


@dataclass
class Script:
    """Tries in order: how long each takes (ms), and its answer. A try that nobody has written takes for ever."""

    clock: Clock
    refusals: Refusals
    tries: list[tuple[float, Outcome]]
    connects_ms: float = 0.0
    """How long each waits for its connection."""
    started_ms: list[float] = field(default_factory=list)
    answered_ms: dict[int, float] = field(default_factory=dict)
    """By number from 1."""
    cancelled_ms: dict[int, float] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    def call(self, call: Call) -> Steps:
        number = len(self.started_ms) + 1
        self.started_ms.append(self.clock.now_ns / MS)
        self.calls.append(call)
        self.keys.append(call.key)
        length_ms, outcome = self.tries[number - 1] if number <= len(self.tries) else (1e9, OK)
        row = call.row(0, number)
        self.rows.append(row)
        try:
            if self.connects_ms:
                yield round(self.connects_ms * MS)
            if hasattr(call, "on_connection"):
                call.on_connection()
            yield round(length_ms * MS)
        except Interrupted as error:
            self.cancelled_ms[number] = self.clock.now_ns / MS
            row[STATUS], row[FLAGS] = error.outcome.status, error.outcome.flags
            raise
        finally:
            row[ENDED] = self.clock.now_ns
        self.answered_ms[number] = self.clock.now_ns / MS
        row[STATUS], row[FLAGS] = outcome.status, outcome.flags
        return outcome


class NotedView(View):
    """A view that writes down what it is told of attempts."""

    __slots__ = ("noted",)

    def notice(self, endpoint: Any, status: int, grpc_status: int, flags: int, rtt_ns: int) -> None:
        self.noted.append((self.clock.now_ns / MS, endpoint.index, status, Flag(flags), rtt_ns / MS))
        super().notice(endpoint, status, grpc_status, flags, rtt_ns)


class Bench:
    """A clock, a recorder and a view; layers are built on it and called."""

    def __init__(self, **cluster: Any) -> None:
        limits = cluster.pop("limits", {})
        self.clock = Clock()
        self.recorder = Recorder(())
        self.refusals = Refusals(self.clock, self.recorder, (0,))
        instances = [SimpleNamespace(index=index, zone=0, subset=-1, is_listed=True) for index in range(2)]
        every = {"max_connections": NO_LIMIT, "max_pending_requests": NO_LIMIT, "max_requests": NO_LIMIT, "max_retries": NO_LIMIT}
        made = Cluster(service=0, balancer=RoundRobin(), limits=Limits(**{**every, **limits}), **cluster)
        service = made_up.plan().services[0]
        self.view = NotedView(self.clock, made, service, instances, Place(99, 0), lambda *_: 0)  # type: ignore[arg-type]
        self.view.noted = []
        self.outcome: Outcome | None = None
        self.ended_ms = -1.0
        self.watched: dict[float, Any] = {}

    def script(self, *tries: tuple[float, Outcome], connects_ms: float = 0.0) -> Script:
        return Script(self.clock, self.refusals, list(tries), connects_ms)

    def call(self, key: int = 1234) -> Call:
        """A new call of a new request."""
        return Call(Request(0, 0, -1, key, 0, 0, self.clock.now_ns), key, 0, -2, 0)

    def run(self, layer: Handler, call: Call | None = None, *, cut_ms: float = 0.0, watch: Iterable[float] = ()) -> Outcome:
        """Call it and wait until nothing is left to happen.

        Args:
            layer: What is called.
            call: With what; a new one where absent.
            cut_ms: When a timeout around it ends the call; 0 for never.
            watch: When to look how many slots of the retry breaker are taken (`watched`).
        """
        made = TimeoutLayer(layer, self.clock, round(cut_ms * MS), timed_out(0)) if cut_ms else layer
        self.start(made.call(self.call() if call is None else call), self._end)
        for instant_ms in watch:
            self.clock.call_at(round(instant_ms * MS), partial(self._look, instant_ms))
        self.clock.run_all(lambda: None)
        assert self.clock.live == 0
        assert self.outcome is not None
        return self.outcome

    def start(self, steps: Steps, on_end: Any = None) -> None:
        """Start a task at the present instant: tasks run in the clock's events."""
        self.clock.call_at(self.clock.now_ns, lambda: self.clock.start(steps, on_end))

    def _look(self, instant_ms: float) -> None:
        self.watched[instant_ms] = self.view.retries.in_use

    def _end(self, outcome: Outcome | None) -> None:
        self.outcome, self.ended_ms = outcome, self.clock.now_ns / MS


class Noting(BackOffState):
    """Waits that are written down, and what was asked for them."""

    def __init__(self, *waits_ms: float) -> None:
        self.waits_ms = list(waits_ms)
        self.asked: list[tuple[int, float]] = []
        self.drawn: list[float] = []

    def wait_ns(self, retry: int, previous_ns: int, draw: Any) -> int:
        self.asked.append((retry, previous_ns / MS))
        self.drawn.append(draw.uniform())
        return round(self.waits_ms.pop(0) * MS)


class NotingBudget(RetryTokenBudgetState):
    """A budget that says what it was told."""

    def __init__(self, tokens: int = 99) -> None:
        self.tokens = tokens
        self.told: list[tuple[Any, ...]] = []

    def build(self, **_: Any) -> NotingBudget:
        return self

    def deposit(self, now_ns: int) -> None:
        self.told.append(("deposit", now_ns / MS))

    def succeeded(self, now_ns: int, is_retry: bool = False, is_timeout: bool = False) -> None:  # noqa: FBT001, FBT002
        self.told.append(("succeeded", now_ns / MS, is_retry, is_timeout))

    def withdraw(self, now_ns: int, is_timeout: bool) -> bool:  # noqa: FBT001
        self.told.append(("withdraw", now_ns / MS, is_timeout))
        self.tokens -= 1
        return self.tokens >= 0


def policy(num_retries: int = 2, *retry_on: str, back_off_ms: float = 5, **settings: Any) -> RetryPolicy:
    conditions = 0
    for name in retry_on or ("5xx",):
        conditions |= CONDITIONS[name]
    made = {"back_off": Constant(interval=round(back_off_ms * MS)).build(), "avoids_previous_hosts": False, "max_reselections": 0}
    return RetryPolicy(num_retries, conditions, (), **{**made, **settings})


def retries(num_retries: int = 2, *retry_on: str, per_try_ms: float = 0, **settings: Any) -> Retries:
    return Retries(policy(num_retries, *retry_on, **settings), round(per_try_ms * MS))


def numbers(script: Script) -> list[int]:
    """Numbers of the tries, as their rows tell them."""
    return [row[ATTEMPT] for row in script.rows]


def back_offs_ms(script: Script) -> list[float]:
    return [row[BACK_OFF] / MS for row in script.rows]


def flags(row: list[int]) -> Flag:
    return Flag(row[FLAGS])
