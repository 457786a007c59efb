"""Leaky bucket, as NGINX has it."""

from __future__ import annotations

from typing import ClassVar

from meshsim.policies.admission.admission import NEVER, REFUSED, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_MS, Count, Rate

WHOLE = 1000
"""One request, in the thousandths that NGINX counts in."""


@policy
class LeakyBucket(Admission):
    """Hold requests up so that they leave at a rate, and refuse what comes on top of a burst.

    The excess is what has come beyond the rate. Up to `delay` it goes on at once, up to `burst` it waits until the rate has caught up
    with it, above it is refused. As `burst` counts only the excess, `burst` + 1 may come at once; and without a burst 10/s means that a
    second request within 100 ms is refused, not ten in any second. `nodelay` lets the whole burst go on at once: its places come back
    at the rate all the same. As in NGINX time counts in whole milliseconds and requests in thousandths, both rounded down.

    Source: NGINX, src/http/modules/ngx_http_limit_req_module.c (since 1.15.7), ngx_http_limit_req_lookup and _account; nginx.org,
    ngx_http_limit_req_module, limit_req.
    """

    delays: ClassVar[bool] = True

    rate: Rate
    """Requests per second that leave."""
    burst: Count = 0
    """Excess that is not refused."""
    delay: Count = 0
    """Excess that is not even held up."""
    nodelay: bool = False
    """Hold nothing up."""

    def check(self) -> None:
        """Raise `SettingError` for what NGINX would not count or not see."""
        if self.thousandths() < 1:
            raise SettingError("rate", "must be 0.001/s at least: NGINX counts in thousandths of a request per second")
        if self.nodelay and self.delay:
            raise SettingError("delay", "write `delay` or `nodelay`, which is a delay without end")

    def build(self, **_: object) -> LeakyBucketState:
        """An empty bucket, in which the first request is no excess."""
        return LeakyBucketState(self)

    def limit(self) -> int:
        """How many may come at once."""
        return self.burst + 1

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.rate

    def thousandths(self) -> int:
        """The rate as NGINX counts it, in thousandths of a request per second."""
        return int(round(self.rate * WHOLE, 6))


class LeakyBucketState(AdmissionState):
    """What is in the bucket."""

    __slots__ = ("_burst", "_delay", "_excess", "_last_ms", "_rate", "burst")

    def __init__(self, settings: LeakyBucket) -> None:
        """An empty bucket, in which the first request is no excess."""
        self.burst = settings.burst
        self._rate = settings.thousandths()
        """Thousandths per second, which NGINX rounds down: 1/min is 16."""
        self._burst = settings.burst * WHOLE
        self._delay = self._burst if settings.nodelay else settings.delay * WHOLE
        self._excess = -WHOLE
        self._last_ms = 0

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Whether it is not refused; it may be held up."""
        return self.wait_ns(now_ns, cost) != REFUSED

    def wait_ns(self, now_ns: int, cost: int = 1) -> int:
        """Add to the excess, and wait for what of it is beyond `delay`."""
        now_ms = now_ns // NS_PER_MS
        excess = self._leaked(now_ms) + cost * WHOLE
        if excess > self._burst:
            return REFUSED
        self._excess = excess
        self._last_ms = now_ms
        return 0 if excess <= self._delay else (excess - self._delay) * 1000 // self._rate * NS_PER_MS

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until it would not be refused."""
        if cost > self.burst + 1:
            return NEVER
        now_ms = now_ns // NS_PER_MS
        if self._leaked(now_ms) + cost * WHOLE <= self._burst:
            return 0
        to_leak = self._excess + cost * WHOLE - self._burst
        return (self._last_ms - (-to_leak * 1000 // self._rate)) * NS_PER_MS - now_ns

    def remaining(self, now_ns: int) -> int:
        """How many would not be refused."""
        return (self._burst - self._leaked(now_ns // NS_PER_MS)) // WHOLE

    def _leaked(self, now_ms: int) -> int:
        """The excess that is left; below 0 where the next request is none."""
        return max(-WHOLE, self._excess - self._rate * (now_ms - self._last_ms) // 1000)
