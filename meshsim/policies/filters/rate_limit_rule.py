"""One rule of a rate limit: whom it counts together, and how many may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from meshsim.own_policies import State
from meshsim.policies.admission.admission import Admission, AdmissionState
from meshsim.registry import Policy, SettingError, family, policy
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings

NO_MATCH = -1
"""What `RateLimitRule.index` says where the rule has nothing to do with the request."""
KeyPart = Literal["none", "consumer", "route", "address", "credential", "content"]
Key = KeyPart | tuple[KeyPart, ...]


class RateLimitRuleState(State):
    """The counters of one rule."""

    __slots__ = ("_clocks", "_consumers", "_parts", "_routes", "cost", "counters", "limit", "shadow")

    def __init__(self, settings: RateLimitRule, around: Surroundings) -> None:
        """Counters are made as keys come."""
        self.limit = settings.limit
        self.shadow = settings.shadow
        self.cost = settings.cost
        sizes = {
            "none": 1,
            "consumer": len(around.consumers),
            "route": len(around.routes) + 1,
            "address": around.addresses,
            "credential": around.credentials,
            "content": around.keys,
        }
        self._parts = tuple((part, max(1, sizes[part])) for part in settings.parts())
        self._routes = _numbers("routes", settings.routes, around.routes)
        self._consumers = _numbers("consumers", settings.consumers, around.consumers)
        self._clocks = {"time_zero_ns": around.time_zero_ns, "born_ns": around.born_ns, "begins": around.begins}
        self.counters: dict[int, AdmissionState] = {}
        """Those that have been asked for, by number."""

    def index(self, asked: Asked) -> int:
        """The number of the request's counter, or `NO_MATCH`."""
        if (self._routes and asked.route not in self._routes) or (self._consumers and asked.consumer not in self._consumers):
            return NO_MATCH
        index = 0
        for part, size in self._parts:
            value = _value(part, asked)
            if value == NO_MATCH:
                return NO_MATCH
            index = index * size + value
        return index

    def counter(self, index: int) -> AdmissionState:
        """The counter with this number."""
        counter = self.counters.get(index)
        if counter is None:
            counter = self.counters[index] = self.limit.build(**self._clocks)
        return counter


@family("rate_limit_rule", RateLimitRuleState)
class Rule(Policy):
    """Says which requests are counted together."""

    def build(self, *, around: Surroundings) -> RateLimitRuleState:
        """With numbers in place of names.

        Args:
            around: What its proxy knows.
        """
        raise NotImplementedError


@policy
class RateLimitRule(Rule):
    """Count requests with the same key together, and limit each of these counts.

    A request that lacks a part of the key is not counted at all: a limit by credential does not see who brings none. (Envoy skips a
    descriptor whose header is missing, NGINX an empty key; Kong falls back to the address: write a second rule for that.) Requests
    without a consumer, and those without a route, are counted together.

    Source: Envoy, api/envoy/config/route/v3/route_components.proto, RateLimit.Action; NGINX, ngx_http_limit_req_module.c; ratelimit,
    src/config/config_impl.go (shadow_mode).
    """

    limit: Admission
    """How many may pass: any policy of the family `admission`."""
    key: Key = "none"
    """What requests that are counted together have in common: `consumer`, `route`, client's `address`, `credential` (API key or token),
    `content` (what is asked for, or any header); several for each combination; `none` for all in one."""
    routes: tuple[str, ...] = ()
    """Only requests on these routes; all where absent."""
    consumers: tuple[str, ...] = ()
    """Only requests of these consumers; all where absent."""
    shadow: bool = False
    """Only count what would be refused, and refuse nothing."""
    cost: PositiveCount = 1
    """What one request takes: hits_addend, in Envoy."""

    def check(self) -> None:
        """Raise `SettingError` where nothing could ever match or pass."""
        parts = self.parts()
        if not parts or len(set(parts)) < len(parts) or ("none" in parts and len(parts) > 1):
            raise SettingError(
                "key", "write one part, or several different ones of consumer, route, address, credential, content"
            )
        if self.cost > self.limit.limit():
            raise SettingError("cost", f"must not be above the limit, {self.limit.limit():,}: nothing would ever pass")

    def build(self, *, around: Surroundings) -> RateLimitRuleState:
        """Counters are made as keys come."""
        return RateLimitRuleState(self, around)

    def parts(self) -> tuple[str, ...]:
        """What the key is made of."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key)


def _value(part: str, asked: Asked) -> int:
    """What a request has for one part of a key; `NO_MATCH` where it lacks it."""
    if part == "consumer":
        return asked.consumer
    if part == "route":
        return asked.route + 1
    if part == "address":
        return asked.address
    if part == "credential":
        return asked.credential
    if part == "content":
        return asked.content_key
    return 0


def _numbers(field: str, names: tuple[str, ...], known: tuple[str, ...]) -> frozenset[int]:
    for name in names:
        if name not in known:
            raise SettingError(field, f"there is no {name!r} (there are: {', '.join(filter(None, known))})")
    return frozenset(known.index(name) for name in names)
