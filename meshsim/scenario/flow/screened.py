"""What the gateway's filters let through of what its loads ask for, in the long run and without chance: by source and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.admission import FixedWindow, Quota
from meshsim.policies.filters import ApiKey, BasicAuth, Cache, ExtAuthz, GlobalRateLimit, JwtAuth, Oauth2Introspection, RateLimit
from meshsim.policies.filters.rate_limit_rule import RateLimitRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshsim.policies.admission import Admission
    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.demand import Source
    from meshsim.scenario.flow.reading import Path
    from meshsim.scenario.sections.model import Scenario

AUTHENTICATING = (ApiKey, BasicAuth, JwtAuth, Oauth2Introspection, ExtAuthz)
"""Filters that refuse whoever brings no good credential."""
UNKNOWN = frozenset({"credential", "content"})
"""Parts of a key of which a scenario does not say how many different ones meet in a second."""


class Ask(NamedTuple):
    """What one source asks for."""

    source: str
    target: str


@dataclass
class Stream:
    """Requests per second of one ask, by the credential that they bring."""

    good: float
    bad: float
    missing: float

    @property
    def rate(self) -> float:
        """All together."""
        return self.good + self.bad + self.missing

    def scale(self, share: float) -> None:
        """Let only this share go on, whatever they bring."""
        self.good, self.bad, self.missing = self.good * share, self.bad * share, self.missing * share


class Limit(NamedTuple):
    """A rate limit of all replicas together."""

    rate: float
    path: Path
    remedy: str


class Excess(NamedTuple):
    """A limit that is asked for more than it lets pass."""

    path: Path
    whose: str
    """Such as ` for consumer web`; empty for everybody's."""
    rate: float
    limit: float
    remedy: str


@dataclass
class Screened:
    """What has become of the asks."""

    streams: dict[Ask, Stream]
    excesses: list[Excess] = field(default_factory=list)
    is_known: bool = True
    """Whether no filter answers or refuses a share that a scenario does not tell."""
    asked: dict[str, float] = field(default_factory=dict)
    """Requests per second by service that filters ask for each request; those that remember answers are left out."""


def offered(sources: Mapping[str, Source], rates: Mapping[str, float]) -> dict[Ask, Stream]:
    """What comes to the gateway.

    Args:
        sources: By name.
        rates: Requests per second of each.
    """
    streams = {}
    for name, source in sources.items():
        bad = max(0.0, 1.0 - source.good - source.missing)
        for target, share in source.requests.items():
            rate = rates[name] * share
            streams[Ask(name, target)] = Stream(rate * source.good, rate * bad, rate * source.missing)
    return streams


def inbound_limits(scenario: Scenario, run_s: float) -> dict[str, Limit]:
    """The lowest rate limit of everybody at the sidecars of each service that has one, of all its replicas together."""
    limits: dict[str, Limit] = {}
    for name, inbound in (getattr(scenario.mesh, "inbound", None) or {}).items():
        for index, choice in enumerate(inbound.filters or ()):
            one = choice.chosen
            for rule in rules_of(one):
                if rule.parts() != ("none",) or rule.routes or rule.consumers:
                    continue
                rate = per_second(rule, run_s) * (1 if isinstance(one, GlobalRateLimit) else scenario.services[name].replicas)
                if name not in limits or rate < limits[name].rate:
                    limits[name] = Limit(rate, ("mesh", "inbound", name, "filters", index, one.name), _remedy(rule.limit))
    return limits


def screened(
    filters: Sequence[Filter], path: Path, replicas: int, sources: Mapping[str, Source], streams: dict[Ask, Stream]
) -> Screened:
    """Send the streams through the filters, in their order.

    Args:
        filters: As the scenario says.
        path: Where they stand.
        replicas: Of the proxy: each has limits of its own, but for global ones.
        sources: By name.
        streams: As they come; changed to what is left.
    """
    found = Screened(streams)
    for index, one in enumerate(filters):
        if isinstance(one, Cache):
            found.is_known = False
        if isinstance(one, ExtAuthz) or (isinstance(one, GlobalRateLimit) and one.sync_interval is None and not one.near_cache):
            found.asked[one.service] = found.asked.get(one.service, 0.0) + _rate_of(one, streams)
        if isinstance(one, AUTHENTICATING):
            _authenticate(one, streams)
        for rule in rules_of(one):
            if UNKNOWN & set(rule.parts()):
                found.is_known = False
                continue
            for whose, count, asks in _buckets(rule, sources, streams):
                lasts_s = max(sources[ask.source].lasts_s for ask in asks)
                limit = per_second(rule, lasts_s) * count * (1 if isinstance(one, GlobalRateLimit) else replicas)
                rate = sum(streams[ask].rate for ask in asks)
                if rate > limit:
                    found.excesses.append(Excess((*path, index, one.name), whose, rate, limit, _remedy(rule.limit)))
                    for ask in asks:
                        streams[ask].scale(limit / rate)
    return found


def rules_of(one: Filter) -> Iterator[RateLimitRule]:
    """The rules of a rate limit that refuse anything; none of other filters."""
    if isinstance(one, RateLimit) and one.token_bucket is not None:
        yield RateLimitRule(limit=one.token_bucket, key=one.key)
    elif isinstance(one, RateLimit | GlobalRateLimit):
        yield from (rule for rule in one.rules if not rule.shadow)


def per_second(rule: RateLimitRule, lasts_s: float) -> float:
    """What a rule lets pass of a load in the mean: its rate, or its first burst where the load is over before that is.

    A load across the end of a window may have two of them.
    """
    windows = 2 if isinstance(rule.limit, FixedWindow | Quota) else 1
    burst = windows * rule.limit.limit() / lasts_s if lasts_s else 0.0
    return max(rule.limit.per_second(), burst) / rule.cost


def _rate_of(one: ExtAuthz | GlobalRateLimit, streams: Mapping[Ask, Stream]) -> float:
    """Requests per second for which a filter asks."""
    if isinstance(one, GlobalRateLimit):
        return sum(stream.rate for stream in streams.values())
    met = (stream.rate for ask, stream in streams.items() if not one.routes or ask.target in one.routes)
    return sum(met) * one.filter_enabled


def _authenticate(one: Filter, streams: Mapping[Ask, Stream]) -> None:
    """Take out who brings no good credential."""
    routes: tuple[str, ...] = getattr(one, "routes", ())
    left = 1.0 - getattr(one, "filter_enabled", 1.0)
    for ask, stream in streams.items():
        if not routes or ask.target in routes:
            stream.bad *= left
            stream.missing *= 1.0 if getattr(one, "allow_missing", False) else left


def _buckets(
    rule: RateLimitRule, sources: Mapping[str, Source], streams: Mapping[Ask, Stream]
) -> Iterator[tuple[str, int, list[Ask]]]:
    """Whose they are, how many there are of them, and who asks them."""
    met: dict[tuple[str, ...], list[Ask]] = {}
    addresses: dict[tuple[str, ...], int] = {}
    for ask in streams:
        source = sources[ask.source]
        if (rule.routes and ask.target not in rule.routes) or (rule.consumers and source.consumer not in rule.consumers):
            continue
        words = {
            "none": "",
            "consumer": f" for consumer {source.consumer or '(none)'}",
            "route": f" for route {ask.target}",
            "address": f" from the addresses of {ask.source}",
        }
        key = tuple(words[part] for part in rule.parts())
        met.setdefault(key, []).append(ask)
        addresses[key] = source.addresses if "address" in rule.parts() else 1
    for key, asks in met.items():
        yield "".join(key), addresses[key], asks


def _remedy(limit: Admission) -> str:
    return "raise tokens_per_fill" if hasattr(limit, "tokens_per_fill") else "raise the limit"
