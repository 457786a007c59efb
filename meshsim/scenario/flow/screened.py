"""What the gateway's filters let through of what its loads ask for, in the long run and without chance: by source and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.admission import FixedWindow, Quota
from meshsim.policies.filters import (
    AdaptiveConcurrency,
    AdmissionControl,
    ApiKey,
    Authorization,
    BasicAuth,
    Buffer,
    Cache,
    ExtAuthz,
    Fault,
    GlobalRateLimit,
    JwtAuth,
    LimitConcurrency,
    Oauth2Introspection,
    RateLimit,
    ShedByCriticality,
)
from meshsim.policies.filters.rate_limit_rule import RateLimitRule
from meshsim.scenario.flow.refused import WORTH_SAYING, Askers, Counters, When, refused_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshsim.policies.admission import Admission
    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.demand import Source
    from meshsim.scenario.flow.reading import Path
    from meshsim.scenario.sections.model import Scenario

AUTHENTICATING = (ApiKey, BasicAuth, JwtAuth, Oauth2Introspection, ExtAuthz)
"""Filters that refuse whoever brings no good credential."""
UNTOLD = (Cache, Authorization, AdaptiveConcurrency, AdmissionControl, Buffer, Fault, LimitConcurrency, ShedByCriticality)
"""Filters that answer or refuse a share of which a scenario says little."""
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
    rule: RateLimitRule
    replicas: int
    """How many count for themselves."""


class Excess(NamedTuple):
    """A limit that refuses some of what it is asked."""

    path: Path
    whose: str
    """Such as ` for consumer web`; empty for everybody's."""
    rate: float
    """Requests per second at the peak."""
    limit: float
    """What passes of them per second in the mean."""
    refused: float
    """Share of the requests of the whole run."""
    least: float
    """The same where proxies tell each other of what they count, and have not done so yet."""
    limit_of: Admission


class Unknown(NamedTuple):
    """A filter that answers or refuses a share that a scenario does not tell."""

    path: Path
    why: str
    """What nobody knows, in words."""
    is_limit: bool = False
    """Whether it is a rate limit."""


@dataclass
class Screened:
    """What has become of the asks."""

    streams: dict[Ask, Stream]
    excesses: list[Excess] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    """Whatever answers or refuses a share that the scenario does not tell: that is left in the streams."""
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
                    count = 1 if isinstance(one, GlobalRateLimit) else scenario.services[name].replicas
                    limits[name] = Limit(rate, ("mesh", "inbound", name, "filters", index, one.name), rule, count)
    return limits


def inbound_unknown(scenario: Scenario) -> list[Unknown]:
    """Filters at the sidecars of services that let an unknown share pass."""
    found = []
    for name, inbound in (getattr(scenario.mesh, "inbound", None) or {}).items():
        for index, choice in enumerate(inbound.filters or ()):
            path = ("mesh", "inbound", name, "filters", index, choice.chosen.name)
            is_partial = any(rule.parts() != ("none",) or rule.routes or rule.consumers for rule in rules_of(choice.chosen))
            if is_partial:
                found.append(Unknown(path, f"how many requests its {choice.chosen.name} refuses", is_limit=True))
            elif _is_untold(choice.chosen) or isinstance(choice.chosen, AUTHENTICATING):
                found.append(Unknown(path, _untold(choice.chosen)))
    return found


def screened(
    filters: Sequence[Filter], path: Path, replicas: int, sources: Mapping[str, Source], streams: dict[Ask, Stream], when: When
) -> Screened:
    """Send the streams through the filters, in their order.

    Args:
        filters: As the scenario says.
        path: Where they stand.
        replicas: Of the proxy: each has limits of its own, but for global ones.
        sources: By name.
        streams: As they come; changed to what is left.
        when: When the run begins and how long it lasts.
    """
    found = Screened(streams)
    for index, one in enumerate(filters):
        if _is_untold(one):
            found.unknown.append(Unknown((*path, index, one.name), _untold(one)))
        if isinstance(one, ExtAuthz) or (isinstance(one, GlobalRateLimit) and one.sync_interval is None and not one.near_cache):
            found.asked[one.service] = found.asked.get(one.service, 0.0) + _rate_of(one, streams)
        if isinstance(one, AUTHENTICATING):
            _authenticate(one, streams)
        for rule in rules_of(one):
            where = (*path, index, one.name)
            if UNKNOWN & set(rule.parts()):
                found.unknown += _uncounted(rule, where, sources)
                continue
            for whose, count, asks in _buckets(rule, sources, streams):
                counters = Counters(rule, count, 1 if isinstance(one, GlobalRateLimit) else replicas)
                is_synced = isinstance(one, GlobalRateLimit) and one.sync_interval is not None
                alone = Counters(rule, count, replicas) if is_synced else counters
                found.excesses += _hold_back(
                    counters, alone, where, whose, [(sources[ask.source], streams[ask]) for ask in asks], when
                )
    return found


def _hold_back(
    counters: Counters, alone: Counters, path: Path, whose: str, asks: list[tuple[Source, Stream]], when: When
) -> Iterator[Excess]:
    """Take out of the streams what a limit refuses of them.

    Args:
        counters: Its counters.
        alone: Those of proxies that know nothing of each other for a while.
        path: Where it stands.
        whose: Whose requests they are, in words.
        asks: Who asks.
        when: When the run begins and how long it lasts.
    """
    rate = sum(stream.rate for _, stream in asks)
    asked = [_askers(source, stream.rate) for source, stream in asks]
    refused = refused_share(counters, asked, when)
    least = refused if alone is counters else refused_share(alone, asked, when)
    passes = per_second(counters.rule, max(source.lasts_s for source, _ in asks)) * counters.total
    if refused >= WORTH_SAYING:
        limit = counters.rule.limit.per_second() / counters.rule.cost * counters.total
        yield Excess(path, whose, rate, limit, refused, least, counters.rule.limit)
    for _, stream in asks if rate else ():
        stream.scale(passes / rate if passes < rate else 1.0 - refused)


def _uncounted(rule: RateLimitRule, path: Path, sources: Mapping[str, Source]) -> Iterator[Unknown]:
    """A rule of which nobody knows how many counters it has; nothing where it counts nobody."""
    if "content" not in rule.parts() or any(source.has_keys for source in sources.values()):
        words = " and ".join(part for part in rule.parts() if part in UNKNOWN)
        yield Unknown(path, f"how many requests its limit by {words} refuses", is_limit=True)


def _askers(source: Source, rate: float) -> Askers:
    """Those of a load that come to a limit, so many of them a second at the peak."""
    share = min(1.0, rate / source.peak) if source.peak else 0.0
    if source.users is None:
        return Askers(source.profile, share if source.profile is not None else 0.0)
    users = round(source.users * share)
    return Askers(None, 1.0, users, source.think_ns, source.answer_ns, is_think_time_drawn=source.is_think_time_drawn)


def _is_untold(one: Filter) -> bool:
    return isinstance(one, UNTOLD) and not (isinstance(one, Fault) and one.abort is None)


def _untold(one: Filter) -> str:
    does = "answers" if isinstance(one, Cache) else "refuses"
    return f"how many requests its {one.name} {does}"


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
