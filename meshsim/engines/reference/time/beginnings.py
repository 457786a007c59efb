"""What time it is as a run begins: by the clock on the wall, and by the timers of processes that were there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE
from meshsim.randomness import PHASE, mix, root_key, stream

if TYPE_CHECKING:
    from meshsim.plan import Plan

TIME_OF_DAY = stream("time of day")


class Beginnings:
    """Where in their periods clocks and timers stand at time zero: by chance, but for what the scenario says.

    The clock on the wall is the same for all. Each process has timers of its own, that began when it did.
    """

    __slots__ = ("_is_cold", "begins", "time_zero_ns")

    def __init__(self, plan: Plan, seed: int, replication: int) -> None:
        self._is_cold = plan.cold_start
        self.begins = plan.time_zero
        """Date and time of time zero, where the scenario says it; else empty."""
        self.time_zero_ns = plan.time_zero_ns if plan.time_zero_ns != NONE else root_key(seed, replication, TIME_OF_DAY) >> 4
        """Time of day at time zero, since 1970; drawn from 36 years where the scenario does not say it."""

    def of(self, key: int) -> int:
        """When the process with this key began, ns: up to 13 days before time zero, or at time zero in a cold start."""
        return 0 if self._is_cold else -(mix(key + PHASE) >> 14)
