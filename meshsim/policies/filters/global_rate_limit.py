"""Global rate limit, by a service that all proxies ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.admission.fixed_window import FixedWindow
from meshsim.policies.filters.filter import Decision, Filter, FilterState, Then, Verdict
from meshsim.policies.filters.rate_limit_rule import RateLimitRule
from meshsim.policies.filters.rate_limit_rules import Rules
from meshsim.policies.filters.synced_rules import SyncedRules
from meshsim.registry import SettingError, policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

ASK = Verdict(then=Then.ASK)
FAILED_OPEN = Verdict(decision=Decision.FAILED_OPEN)


@policy
class GlobalRateLimit(Filter):
    """Answer 429 (flag RL) where a rate-limit service says that all proxies together have let enough through.

    Each request waits for the service's answer. Where that does not come within `timeout`, or is an error, the request goes on
    uncounted: a rate-limit service that is slow or down is no rate limit. `failure_mode_deny` turns that round, and makes it an outage.

    With `sync_interval` a proxy counts by itself, as Kong with `policy: redis` and a sync_rate: it asks for a key's count once, adds what
    it admits, tells the service after the interval, and asks again with the next request. Meanwhile no proxy knows of what the others
    admit, so that together they overshoot: up to (replicas - 1) x their rate x about twice the interval, up to replicas x limit where
    that is a whole window.

    The counters are the service's, one set for all proxies. It counts as it answers: what nobody waits for any more is not counted.

    Source: Envoy, source/extensions/filters/http/ratelimit/ratelimit.cc and api/envoy/extensions/filters/http/ratelimit/v3/
    rate_limit.proto; ratelimit, src/limiter/base_limiter.go (local cache); Kong, kong/plugins/rate-limiting/policies/init.lua (redis).
    """

    service: str
    """The rate-limit service: one of the scenario's, or `service/operation`."""
    rules: tuple[RateLimitRule, ...]
    """Limits, of all replicas together; the strictest wins."""
    timeout: Duration = 20_000_000
    """How long to wait for the service, 20ms as in Envoy; Kong waits 2s for Redis."""
    failure_mode_deny: bool = False
    """Refuse requests while the service gives no answer (fail closed)."""
    status_on_error: Annotated[int, Ge(400), Le(599)] = 500
    """The answer to what is refused because of that."""
    status: Annotated[int, Ge(400), Le(599)] = 429
    """The answer to what is too much."""
    headers: bool = False
    """Whether the answer says when to come again (Retry-After, X-RateLimit-Reset), in whole seconds."""
    near_cache: bool = False
    """Keep in each proxy which keys are over the limit, and until when, and do not ask for these; the ratelimit service has such a cache
    for its store, Envoy has none."""
    sync_interval: Duration | None = None
    """From the first request that a proxy counts by itself until it tells the service; asks for each request where absent (Kong's -1)."""

    def check(self) -> None:
        """Raise `SettingError` where settings do not go together."""
        if not self.rules:
            raise SettingError("rules", "write one at least: without, nothing is limited")
        for rule in self.rules:
            rule.check()
        if self.timeout <= 0:
            raise SettingError("timeout", "must be longer than 0s")
        if self.sync_interval is None:
            return
        if self.sync_interval <= 0:
            raise SettingError("sync_interval", "must be longer than 0s; leave it out to ask for each request")
        if self.near_cache:
            raise SettingError("near_cache", "does not go with `sync_interval`, which keeps all counts in the proxy")
        if not all(isinstance(rule.limit, FixedWindow) for rule in self.rules):
            raise SettingError(
                "sync_interval", "goes with `fixed_window` only: other limits are not sums of what proxies have counted"
            )

    def build(self, *, around: Surroundings) -> GlobalRateLimitState:
        """The service's counters, which the first of the replicas makes, and nothing in the proxy."""
        return GlobalRateLimitState(self, around)


class GlobalRateLimitState(FilterState):
    """The service's counters, and what one proxy knows of them."""

    draws = False
    delays = True

    def __init__(self, settings: GlobalRateLimit, around: Surroundings) -> None:
        """The service's counters, which the first of the replicas makes, and nothing in the proxy."""
        self.near_cache = settings.near_cache
        shared = around.shared
        rules = tuple(rule.build(around=around) for rule in settings.rules)
        self.counted: Rules = shared.setdefault("rules", Rules(rules, settings.status, has_headers=settings.headers))
        self._synced = None
        if settings.sync_interval is not None:
            self._synced = SyncedRules(rules, self.counted, shared, settings.sync_interval, around.time_zero_ns)
        self._until_ns: dict[tuple[int, int], int] = {}
        """Until when a rule's counter refuses, by the numbers of both."""
        self._matching = rules
        self._failed = (
            Verdict(settings.status_on_error, int(Flag.RLSE), decision=Decision.FAILED_CLOSED)
            if settings.failure_mode_deny
            else FAILED_OPEN
        )

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """Ask, unless the proxy knows the answer."""
        if self._synced is not None:
            return self._synced.judge(now_ns, asked) or ASK
        if self._until_ns:
            for number, rule in enumerate(self._matching):
                after_ns = self._until_ns.get((number, rule.index(asked)), 0) - now_ns
                if after_ns > 0:
                    self.counted.limited[number] += 1
                    return self.counted.limit_verdict(number, after_ns)
        return ASK

    def answered(self, now_ns: int, asked: Asked, status: int, draw: Draw) -> Verdict:  # noqa: ARG002
        """What the counters say, if the service has answered."""
        if not 200 <= status < 300:
            return self._failed
        if self._synced is not None:
            return self._synced.read(now_ns, asked)
        verdict = self.counted.ask(now_ns, asked)
        if self.near_cache and verdict.status:
            for number, index, after_ns in self.counted.refusing(now_ns, asked):
                self._until_ns[number, index] = now_ns + after_ns
        return verdict
