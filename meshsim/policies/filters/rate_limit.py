"""Local rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from meshsim.flags import Flag
from meshsim.policies.admission.token_bucket import TokenBucket
from meshsim.policies.filters.filter import PASS, Filter, Verdict
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

LIMITED = Verdict(429, int(Flag.RL))


@policy
class RateLimit(Filter):
    """Answer 429 (flag RL) where a token bucket is empty.

    The bucket is local to one proxy, shared by its workers: ten replicas of a gateway admit ten times the rate. The answer
    carries x-envoy-ratelimited, so that no Envoy retries it unless `envoy-ratelimited` is among its retry conditions.

    Source: Envoy 1.40, source/extensions/filters/http/local_ratelimit/local_ratelimit.cc.
    """

    draws: ClassVar[bool] = False

    token_bucket: TokenBucket
    """Rate and burst."""
    key: Literal["none", "consumer", "route"] = "none"
    """One bucket for all, or one for each consumer or route (descriptors, in Envoy)."""

    def set_up(self, consumers: int, routes: int) -> None:
        """A full bucket for each key."""
        count = {"none": 1, "consumer": consumers, "route": routes}[self.key]
        self._buckets = [self.token_bucket.build() for _ in range(count)]
        self._by_consumer = self.key == "consumer"
        self._by_route = self.key == "route"

    def judge(self, now_ns: int, consumer: int, route: int, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 429 with RL."""
        index = consumer if self._by_consumer else route if self._by_route else 0
        return PASS if self._buckets[index].admit(now_ns) else LIMITED
