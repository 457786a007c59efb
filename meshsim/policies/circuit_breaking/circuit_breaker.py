"""The closed, open and half-open breaker of resilience4j."""

from __future__ import annotations

from typing import Any, Literal

from meshsim.own_policies import State, yes_or_no
from meshsim.policies.circuit_breaking.window import NS_PER_S, Window
from meshsim.registry import Policy, SettingError, family, policy
from meshsim.units import Duration, PositiveCount, Share

CLOSED, OPEN, HALF_OPEN = 0, 1, 2


class BreakerState(State):
    """Holds calls back while they would fail. It belongs to one caller's view of one destination."""

    __slots__ = ("opened", "rejected", "state")

    def __init__(self) -> None:
        """Closed."""
        self.state = CLOSED
        """`CLOSED`, `OPEN` or `HALF_OPEN`."""
        self.opened = 0
        """How often it has opened."""
        self.rejected = 0
        """How many calls it has held back."""

    def admit(self, now_ns: int) -> bool:
        """Whether a call may go on; one that may is to be followed by `done` or `cancelled`."""
        raise NotImplementedError

    def done(self, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: FBT001
        """A call that was admitted has ended."""

    def cancelled(self) -> None:
        """A call that was admitted has no outcome: its caller has gone."""


@family("circuit_breaker", BreakerState, admit=yes_or_no)
class Breaker(Policy):
    """Says when calls are held back. Each caller's view of a destination has a breaker of its own."""

    def build(self, **context: Any) -> BreakerState:
        """A closed one.

        Args:
            context: `time_zero_ns`, time of day at time zero, since 1970.
        """
        raise NotImplementedError


@policy
class CircuitBreaker(Breaker):
    """Hold calls back for a time once too many of the last ones failed or were slow; then let a few through to see.

    It opens when the failure rate is at or above the threshold, not only above it, and never before `minimum_number_of_calls` (at
    most the window) have ended. While it is open calls fail at once and are not recorded. After the wait the next call makes it half
    open: so many calls are let through, and their rates decide. Calls whose caller has gone are not counted.

    Source: resilience4j, io.github.resilience4j.circuitbreaker.CircuitBreakerConfig and internal.CircuitBreakerStateMachine.
    """

    sliding_window_type: Literal["count_based", "time_based"] = "count_based"
    """Whether the window is of calls or of seconds."""
    sliding_window_size: PositiveCount = 100
    """Calls, or seconds where it is `time_based`."""
    minimum_number_of_calls: PositiveCount = 100
    """Calls in the window below which it does not open; of a window of calls, its size at most."""
    failure_rate_threshold: Share = 0.5
    """Share of failures at which it opens."""
    slow_call_rate_threshold: Share = 1.0
    """Share of slow calls at which it opens."""
    slow_call_duration_threshold: Duration = 60_000_000_000
    """A call that takes longer is slow."""
    wait_duration_in_open_state: Duration = 60_000_000_000
    """How long it stays open."""
    permitted_number_of_calls_in_half_open_state: PositiveCount = 10
    """Calls that are let through to see."""
    max_wait_duration_in_half_open_state: Duration = 0
    """How long it may stay half open before it opens again; 0 for as long as those calls take."""

    def check(self) -> None:
        """Raise `SettingError` where resilience4j would refuse the settings."""
        for name in ("failure_rate_threshold", "slow_call_rate_threshold"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingError(name, "must be above 0% and at most 100%")

    def build(self, time_zero_ns: int = 0, **_: object) -> CircuitBreakerState:
        """Closed, with nothing seen."""
        return CircuitBreakerState(self, time_zero_ns)


class CircuitBreakerState(BreakerState):
    """Closed, open or half open, and the outcomes that decide it."""

    __slots__ = (
        "_least",
        "_permitted",
        "_probes",
        "_since_ns",
        "_window",
        "failure_rate_threshold",
        "max_wait_duration_in_half_open_state",
        "permitted_number_of_calls_in_half_open_state",
        "slow_call_duration_threshold",
        "slow_call_rate_threshold",
        "wait_duration_in_open_state",
    )

    def __init__(self, settings: CircuitBreaker, time_zero_ns: int) -> None:
        """Closed, with nothing seen."""
        super().__init__()
        self.failure_rate_threshold = settings.failure_rate_threshold
        self.slow_call_rate_threshold = settings.slow_call_rate_threshold
        self.slow_call_duration_threshold = settings.slow_call_duration_threshold
        self.wait_duration_in_open_state = settings.wait_duration_in_open_state
        self.permitted_number_of_calls_in_half_open_state = settings.permitted_number_of_calls_in_half_open_state
        self.max_wait_duration_in_half_open_state = settings.max_wait_duration_in_half_open_state
        is_timed = settings.sliding_window_type == "time_based"
        self._least = (
            settings.minimum_number_of_calls if is_timed else min(settings.minimum_number_of_calls, settings.sliding_window_size)
        )
        self._window = Window(settings.sliding_window_size, is_timed=is_timed, zero_ns=time_zero_ns % NS_PER_S)
        self._probes = Window(settings.permitted_number_of_calls_in_half_open_state, is_timed=False)
        self._permitted = 0
        self._since_ns = 0

    def admit(self, now_ns: int) -> bool:
        """Whether a call may go on; one that may is to be followed by `done` or `cancelled`."""
        if self.state == OPEN:
            if now_ns - self._since_ns < self.wait_duration_in_open_state:
                self.rejected += 1
                return False
            self._become(HALF_OPEN, now_ns)
        if self.state == HALF_OPEN:
            longest_ns = self.max_wait_duration_in_half_open_state
            if longest_ns and now_ns - self._since_ns >= longest_ns:
                self._become(OPEN, now_ns)
                self.rejected += 1
                return False
            if not self._permitted:
                self.rejected += 1
                return False
            self._permitted -= 1
        return True

    def done(self, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: FBT001
        """A call that was admitted has ended; one that was admitted before the breaker opened counts for nothing then."""
        is_slow = rtt_ns > self.slow_call_duration_threshold
        if self.state == CLOSED:
            self._window.add(now_ns, is_failure, is_slow)
            if self._is_over(self._window, self._least):
                self._become(OPEN, now_ns)
        elif self.state == HALF_OPEN and self._probes.calls < self.permitted_number_of_calls_in_half_open_state:
            self._probes.add(now_ns, is_failure, is_slow)
            least = min(self._least, self.permitted_number_of_calls_in_half_open_state)
            if self._probes.calls >= least:
                self._become(OPEN if self._is_over(self._probes, least) else CLOSED, now_ns)

    def cancelled(self) -> None:
        """A call that was admitted has no outcome: its caller has gone. Its place among the probes is free again."""
        if self.state == HALF_OPEN and self._permitted < self.permitted_number_of_calls_in_half_open_state:
            self._permitted += 1

    def _is_over(self, window: Window, least: int) -> bool:
        if window.calls < least:
            return False
        return (
            window.failures >= self.failure_rate_threshold * window.calls
            or window.slow >= self.slow_call_rate_threshold * window.calls
        )

    def _become(self, state: int, now_ns: int) -> None:
        self.state, self._since_ns = state, now_ns
        self._window.clear()
        self._probes.clear()
        self._permitted = self.permitted_number_of_calls_in_half_open_state if state == HALF_OPEN else 0
        self.opened += state == OPEN
