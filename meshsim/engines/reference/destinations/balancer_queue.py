"""The queue before a balancer: requests wait while no endpoint is ready, and fail fast when that has lasted."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Expired, Interrupted

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.roles import Balanced
    from meshsim.engines.reference.time.clock import Clock, Steps, Task
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.plan import BalancerQueue as Settings


class Place:
    """A request in the queue."""

    __slots__ = ("has_failed", "is_gone", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.has_failed = False
        self.is_gone = False


class BalancerQueue:
    """One view's queue, as Linkerd's.

    While no endpoint is ready requests wait, first come first served. The time until it fails fast is the queue's and not a request's: it
    begins when the first of the queue finds none ready, and anew for the next one whenever one was sent. When it is over all that wait
    fail at once, and so does whoever comes until an endpoint is ready. Who leaves keeps his place, so that the time goes on. Linkerd
    would even send him, into nothing; here the next one is sent in his place.

    A timeout over all tries does not end the wait: Linkerd enforces it at the endpoint, so that it counts when there is one, or when the
    queue fails. A client that goes leaves at once.

    Source: linkerd2-proxy 29637b6, linkerd/proxy/balance/queue/src/worker.rs (ready_pool_for_request, ready_or_failfast, drive) and
    failfast.rs; linkerd/stack/src/loadshed.rs; linkerd/app/outbound/src/http/endpoint.rs (EnforceTimeouts).
    """

    __slots__ = ("_clock", "_is_timed", "_places", "_settings", "_timer", "_view", "is_failing")

    def __init__(self, view: Balanced, settings: Settings) -> None:
        self._view = view
        self._clock: Clock = view.clock
        self._settings = settings
        self._places: deque[Place] = deque()
        self._timer = 0
        """Number of the time that runs: it fails fast only if that is still the latest when it is over."""
        self._is_timed = False
        self.is_failing = False

    @property
    def is_needed(self) -> bool:
        """Whether a request has to go through it: nobody is ready, or others wait already."""
        return bool(self._places) or self._view.is_empty

    @property
    def admits(self) -> bool:
        """Whether one more may wait; beside those of the queue itself one has been taken out of it and waits for an endpoint."""
        return not self.is_failing and len(self._places) <= self._settings.capacity

    @property
    def length(self) -> int:
        """How many wait."""
        return sum(not one.is_gone for one in self._places)

    def wait(self, deadline: Outcome | None) -> Steps:
        """Wait for one's turn at an endpoint that is ready: True, or False where it failed fast.

        Args:
            deadline: The outcome of the timeout that does not end the wait.
        """
        one = Place(self._clock.active)
        late: Expired | None = None
        self._places.append(one)
        while True:
            self._look_at_the_time()
            try:
                yield PARK
            except Interrupted as error:
                if not isinstance(error, Expired) or error.outcome is not deadline:
                    self._leave(one)
                    raise
                late = error
            if one.has_failed:
                break
            if one is self._places[0] and not self._view.is_empty:
                self._places.popleft()
                self._pass_on()
                break
        if late is not None:
            raise Expired(late.timer, late.outcome)
        return not one.has_failed

    def refreshed(self) -> None:
        """Who is ready has changed."""
        if not self._view.is_empty:
            self.is_failing = False
            if self._places:
                self._pass_on()

    def _pass_on(self) -> None:
        """The first who has not gone looks whether an endpoint is ready, in a step of his own: the balancer then knows of the one before."""
        self._is_timed = False
        while self._places:
            if not self._places[0].is_gone:
                self._places[0].task.wake()
                return
            self._places.popleft()

    def _leave(self, one: Place) -> None:
        one.is_gone = True
        if self._places and self._places[0] is one and not self._view.is_empty:  # it was his turn
            self._pass_on()

    def _look_at_the_time(self) -> None:
        """Let the time run, if it does not, for whoever waits now."""
        if self._is_timed or not self._view.is_empty:
            return
        self._is_timed = True
        self._timer = number = self._timer + 1
        self._clock.call_at(self._clock.now_ns + self._settings.failfast_ns, lambda: self._fail(number))

    def _fail(self, number: int) -> None:
        """The time is over: all who wait fail, and whoever comes until an endpoint is ready."""
        if not self._is_timed or number != self._timer:
            return
        self._is_timed, self.is_failing = False, True
        self._view.activity.failfasts += 1
        places, self._places = self._places, deque()
        for one in places:
            one.has_failed = True
            if not one.is_gone:
                one.task.wake()
