"""CFS bandwidth control: a quota of processor time in each period."""

from __future__ import annotations

from math import ceil

NS_PER_US = 1000
LEAST_QUOTA_US = 1000
PERIODS_OF_AN_IDLE_GROUP = 2
"""How often the timer of a group that has become idle still fires: once to mark it idle, once more to find it so and stop."""


def quota_ns(milli_cpu: int, period_ns: int) -> int:
    """Processor time that a container with this limit gets in each period: whole microseconds, one millisecond at least.

    Args:
        milli_cpu: The limit, in thousandths of a core.
        period_ns: Of the quota, ns.

    Source: Kubernetes, pkg/kubelet/cm/helpers_linux.go (MilliCPUToQuota, MinQuotaPeriod).
    """
    return max(LEAST_QUOTA_US, milli_cpu * (period_ns // NS_PER_US) // 1000) * NS_PER_US


class Bandwidth:
    """What a container may still use of its quota, and how long it has stood still for want of it.

    A container of many threads uses its quota on as many cores at once and then stands still until the period ends. Periods follow one
    another from a random instant on, whatever the container does. With each the quota comes on top of what is left, but there is never
    more than the quota and the burst: without a burst what was left is lost. What was used in excess is owed.

    The kernel hands the quota on in slices of 5 ms to each processor's queue and may leave up to 1 ms of one there; it notices at a
    tick that a queue has none left. Here there is one pool, which is exact to the nanosecond.

    Source: Linux, Documentation/scheduler/sched-bwc.rst; kernel/sched/fair.c (init_cfs_bandwidth for the random offset,
    __refill_cfs_bandwidth_runtime for quota and burst, do_sched_cfs_period_timer for what is counted, throttle_cfs_rq and
    unthrottle_cfs_rq for the time, which adds up over the processors whose queue stands still).
    """

    __slots__ = (
        "_at_ns", "_burst_ns", "_is_throttled", "_period_ns", "_quota_ns", "_unseen", "left_ns", "periods", "refill_ns",
        "throttled_ns", "throttled_periods",
    )  # fmt: skip

    def __init__(self, quota_ns: int, period_ns: int, burst_ns: int, began_ns: int) -> None:
        self._quota_ns = quota_ns
        self._period_ns = period_ns
        self._burst_ns = burst_ns
        self._at_ns = 0
        """Until when everything is accounted for."""
        self.refill_ns = began_ns % period_ns or period_ns
        """When the present period ends."""
        self.left_ns: float = quota_ns
        """Processor time that may be used until then; below 0 it is owed."""
        self._is_throttled = False
        """Whether it has stood still in the present period."""
        self._unseen = PERIODS_OF_AN_IDLE_GROUP
        """How many periods the timer has not seen it run in."""
        self.periods = 0
        """Periods that have ended while the group was in use: `nr_periods`."""
        self.throttled_periods = 0
        """Of them, those in which it stood still: `nr_throttled`."""
        self.throttled_ns: float = 0
        """For how long its processors have stood still, all together: `throttled_time`."""

    @property
    def stands_still(self) -> bool:
        """Whether nothing may run until the period ends."""
        return self.left_ns <= 0

    def exhausted_ns(self, cores: float) -> int:
        """When so many cores at work will have used up what is left."""
        return self._at_ns + ceil(self.left_ns / cores)

    def counted(self, now_ns: int, cores: float) -> tuple[float, int, int]:
        """`throttled_ns`, `periods` and `throttled_periods` up to now, with so many cores in demand since the last `advance`."""
        if cores:
            standing_ns = now_ns - self._at_ns if self.left_ns <= 0 else 0
            return self.throttled_ns + cores * standing_ns, self.periods, self.throttled_periods
        ended = self._ended(now_ns)
        throttled = self.throttled_periods + (self._is_throttled if ended else 0)
        return self.throttled_ns, self.periods + self._seen(ended), throttled

    def advance(self, now_ns: int, cores: float) -> int:
        """Let time pass, with so many cores in demand all the while: for how much of it they could run, ns."""
        ran_ns = 0
        if not cores:
            self._rest(now_ns)
            return 0
        while self._at_ns < now_ns:
            self._unseen = 0
            until_ns = min(now_ns, self.refill_ns)
            if self.left_ns > 0:
                until_ns = min(until_ns, self.exhausted_ns(cores))
                ran_ns += until_ns - self._at_ns
                self.left_ns -= cores * (until_ns - self._at_ns)
            else:
                self._is_throttled = True
                self.throttled_ns += cores * (until_ns - self._at_ns)
            self._at_ns = until_ns
            if until_ns == self.refill_ns:
                self._refill(1)
        return ran_ns

    def _rest(self, now_ns: int) -> None:
        """Let time pass while nothing runs."""
        self._at_ns = now_ns
        if ended := self._ended(now_ns):
            self._refill(ended)

    def _ended(self, now_ns: int) -> int:
        """How many periods have ended by now."""
        return 0 if now_ns < self.refill_ns else 1 + (now_ns - self.refill_ns) // self._period_ns

    def _seen(self, ended: int) -> int:
        """Of periods in a row without any work, how many the timer counts."""
        return min(ended, PERIODS_OF_AN_IDLE_GROUP - self._unseen)

    def _refill(self, times: int) -> None:
        """So many periods end, and others begin."""
        self.refill_ns += times * self._period_ns
        self.left_ns = min(self.left_ns + times * self._quota_ns, self._quota_ns + self._burst_ns)
        seen = self._seen(times)
        self._unseen += seen
        self.periods += seen
        self.throttled_periods += self._is_throttled
        self._is_throttled = False
