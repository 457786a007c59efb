"""Rate limits on the way of the streams: what they refuse, and where nobody can say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.admission import FixedWindow, Quota
from meshsim.policies.filters import GlobalRateLimit, RateLimit
from meshsim.policies.filters.rate_limit_rule import RateLimitRule
from meshsim.scenario.flow.refused import WORTH_SAYING, Askers, Counters, When, refused_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.policies.admission import Admission
    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.demand import Source
    from meshsim.scenario.flow.reading import Path
    from meshsim.scenario.flow.streams import Ask, Stream


UNKNOWN = frozenset({"credential", "content"})
"""Parts of a key of which a scenario does not say how many different ones meet in a second."""


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


def hold_back(
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


def uncounted(
    alone: Counters, path: Path, sources: Mapping[str, Source], streams: Mapping[Ask, Stream], when: When
) -> Iterator[Unknown]:
    """A rule of which nobody knows how many counters it has; nothing where one for all would do, or where it counts nobody."""
    rule = alone.rule
    if "content" in rule.parts() and not any(source.has_keys for source in sources.values()):
        return
    counted = [ask for ask in streams if _is_counted(rule, ask, sources)]
    asked = [_askers(sources[ask.source], streams[ask].rate) for ask in counted]
    if refused_share(alone, asked, when) >= WORTH_SAYING:
        words = " and ".join(part for part in rule.parts() if part in UNKNOWN)
        yield Unknown(path, f"how many requests its limit by {words} refuses", is_limit=True)


def _is_counted(rule: RateLimitRule, ask: Ask, sources: Mapping[str, Source]) -> bool:
    """Whether a rule has to do with such requests."""
    is_routed = not rule.routes or ask.target in rule.routes
    return is_routed and (not rule.consumers or sources[ask.source].consumer in rule.consumers)


def _askers(source: Source, rate: float) -> Askers:
    """Those of a load that come to a limit, so many of them a second at the peak."""
    share = min(1.0, rate / source.peak) if source.peak else 0.0
    if source.users is None:
        return Askers(source.profile, share if source.profile is not None else 0.0)
    users = round(source.users * share)
    return Askers(None, 1.0, users, source.think_ns, source.answer_ns, is_think_time_drawn=source.is_think_time_drawn)


def buckets(
    rule: RateLimitRule, sources: Mapping[str, Source], streams: Mapping[Ask, Stream]
) -> Iterator[tuple[str, int, list[Ask]]]:
    """Whose they are, how many there are of them, and who asks them."""
    met: dict[tuple[str, ...], list[Ask]] = {}
    addresses: dict[tuple[str, ...], int] = {}
    for ask in streams:
        source = sources[ask.source]
        if not _is_counted(rule, ask, sources):
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
