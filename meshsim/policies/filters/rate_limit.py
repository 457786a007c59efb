"""Local rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from meshsim.policies.admission.token_bucket import TokenBucket
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.policies.filters.rate_limit_rule import Key, RateLimitRule
from meshsim.policies.filters.rate_limit_rules import RL, Rules
from meshsim.registry import SettingError, policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class RateLimit(Filter):
    """Answer 429 (flag RL) where a token bucket is empty, or any of several rules has had enough.

    The counters are local to one proxy, shared by its workers: ten replicas of a gateway admit ten times the rate. The answer
    carries x-envoy-ratelimited, so that no Envoy retries it unless `envoy-ratelimited` is among its retry conditions.

    Of several rules the strictest wins, and a request that one refuses takes nothing from the others, as in NGINX, Kong and, but for the
    rule that refuses, the ratelimit service. Envoy's local rate limit takes from its buckets one after the other until one refuses: what
    the ones before gave is lost, and `consume: in_order` does that in the order of the rules (Envoy sorts its own by rate, the slowest
    first).

    Source: Envoy 1.40, source/extensions/filters/http/local_ratelimit/local_ratelimit.cc and
    source/extensions/filters/common/local_ratelimit/local_ratelimit_impl.cc, requestAllowed; NGINX, ngx_http_limit_req_module.c; Kong,
    kong/plugins/rate-limiting/handler.lua; ratelimit, src/redis/fixed_cache_impl.go, DoLimit.
    """

    token_bucket: TokenBucket | None = None
    """Rate and burst; the short form of a single rule."""
    key: Key = "none"
    """One bucket for all, or one for each consumer, route, address, credential or content key (descriptors, in Envoy), or for each
    combination of several."""
    rules: tuple[RateLimitRule, ...] = ()
    """Several limits in place of `token_bucket` and `key`."""
    consume: Literal["if_all_admit", "in_order"] = "if_all_admit"
    """Whether rules take anything from a request that another one refuses."""
    status: Annotated[int, Ge(400), Le(599)] = 429
    """The answer to what is too much; NGINX's default is 503."""
    headers: bool = False
    """Whether the answer says when to come again (Retry-After, X-RateLimit-Reset), in whole seconds."""
    time: Duration = 0
    """How long a worker is at work for each request. Envoy's filter takes next to nothing; Kong's plugin took 17us where Kong alone
    took 126us, by its published benchmarks."""

    def check(self) -> None:
        """Raise `SettingError` where it would limit nothing, or by two things."""
        if (self.token_bucket is None) == (not self.rules):
            raise SettingError("token_bucket", "write either `token_bucket` or `rules`")
        if self.rules and self.key != "none":
            raise SettingError("key", "goes with `token_bucket`; each of the rules has a key of its own")
        for rule in self.all_rules():
            rule.check()

    def build(self, *, around: Surroundings) -> RateLimitState:
        """Full buckets, and nothing counted."""
        return RateLimitState(self, around)

    def all_rules(self) -> tuple[RateLimitRule, ...]:
        """The rules, or the one that the short form stands for."""
        return self.rules if self.token_bucket is None else (RateLimitRule(limit=self.token_bucket, key=self.key),)


class RateLimitState(FilterState):
    """The counters of one proxy."""

    draws = False

    def __init__(self, settings: RateLimit, around: Surroundings) -> None:
        """Full buckets, and nothing counted."""
        self.time = settings.time
        rules = settings.all_rules()
        self.delays = bool(settings.time) or any(rule.limit.delays and not rule.shadow for rule in rules)
        self.counted = Rules(
            tuple(rule.build(around=around) for rule in rules),
            settings.status,
            is_in_order=settings.consume == "in_order",
            has_headers=settings.headers,
        )
        """The rules with their counters; not asked where there is only a token bucket by consumer or route."""
        counts = {"none": 1, "consumer": len(around.consumers), "route": len(around.routes) + 1}
        is_short = (
            settings.token_bucket is not None
            and isinstance(settings.key, str)
            and settings.key in counts
            and not settings.headers
            and not settings.time
        )
        self._buckets = [rules[0].limit.build() for _ in range(counts[str(settings.key)])] if is_short else []
        """By consumer or route, for the limit that most scenarios have: this is asked for every request."""
        self._by_consumer = settings.key == "consumer"
        self._by_route = settings.key == "route"
        self._limited = Verdict(settings.status, RL, decision=Decision.LIMITED, rule=0)

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, a delay, or 429 with RL."""
        if not self._buckets:
            verdict = self.counted.ask(now_ns, asked)
            return verdict._replace(work_ns=self.time) if self.time else verdict
        index = asked.consumer if self._by_consumer else asked.route if self._by_route else 0
        return PASS if self._buckets[index].admit(now_ns) else self._limited
