"""What every rate limit is asked."""

from __future__ import annotations

from typing import Any, ClassVar

from meshsim.own_policies import State, whole, yes_or_no
from meshsim.registry import Policy, family

REFUSED = -1
"""What `wait_ns` says where the request may not go on."""
NEVER = -1
"""What `retry_after_ns` says where waiting does not help."""


class AdmissionState(State):
    """Says whether one more may go on, and when. Time never runs backwards between two calls."""

    __slots__ = ()

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Whether the one that asks at `now_ns` may go on; what it takes is taken, and nothing where it may not."""
        raise NotImplementedError

    def wait_ns(self, now_ns: int, cost: int = 1) -> int:
        """As `admit`: 0 for go on, above 0 for go on after so long, `REFUSED` for no."""
        return 0 if self.admit(now_ns, cost) else REFUSED

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """How long until one more would be admitted if nobody else comes, 0 for now, `NEVER` for not at all; nothing is taken."""
        raise NotImplementedError

    def remaining(self, now_ns: int) -> int:
        """How many more may go on now, as X-RateLimit-Remaining tells it; nothing is taken."""
        raise NotImplementedError


@family(
    "admission",
    AdmissionState,
    admit=yes_or_no,
    wait_ns=whole(REFUSED, " for no"),
    retry_after_ns=whole(NEVER, " for never"),
    remaining=whole(0),
)
class Admission(Policy):
    """A rate limit; what it counts together has a state of its own."""

    delays: ClassVar[bool] = False
    """Whether its `wait_ns` may be above 0."""

    def build(self, **context: Any) -> AdmissionState:
        """One that has admitted nobody yet.

        Args:
            context: `time_zero_ns`, the time of day at time zero since 1970; `born_ns`, when the process began, below 0 for one that was
                there before the run; `begins`, date and time of time zero, empty where the scenario does not say it.
        """
        raise NotImplementedError

    def limit(self) -> int:
        """How many may go on at once at best, as X-RateLimit-Limit tells it."""
        raise NotImplementedError

    def per_second(self) -> float:
        """Requests per second in the long run."""
        raise NotImplementedError
