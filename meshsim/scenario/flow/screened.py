"""What the gateway's filters let through of what its loads ask for, in the long run and without chance: by source and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    ShedByCriticality,
)
from meshsim.scenario.flow.limits import UNKNOWN, Excess, Limit, Unknown, buckets, hold_back, per_second, rules_of, uncounted
from meshsim.scenario.flow.refused import Counters, When

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.policies.filters import Filter
    from meshsim.scenario.flow.demand import Source
    from meshsim.scenario.flow.reading import Path
    from meshsim.scenario.flow.streams import Ask, Stream
    from meshsim.scenario.sections.model import Scenario


AUTHENTICATING = (ApiKey, BasicAuth, JwtAuth, Oauth2Introspection, ExtAuthz)
"""Filters that refuse whoever brings no good credential."""
UNTOLD = (Cache, Authorization, AdaptiveConcurrency, AdmissionControl, Buffer, Fault, LimitConcurrency, ShedByCriticality)
"""Filters that answer or refuse a share of which a scenario says little."""


@dataclass
class Screened:
    """What has become of the asks."""

    streams: dict[Ask, Stream]
    excesses: list[Excess] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    """Whatever answers or refuses a share that the scenario does not tell: that is left in the streams."""
    asked: dict[str, float] = field(default_factory=dict)
    """Requests per second by service that filters ask for each request; those that remember answers are left out."""


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
                alone = Counters(rule, 1, 1 if isinstance(one, GlobalRateLimit) else replicas)
                found.unknown += uncounted(alone, where, sources, streams, when)
                continue
            for whose, count, asks in buckets(rule, sources, streams):
                counters = Counters(rule, count, 1 if isinstance(one, GlobalRateLimit) else replicas)
                is_synced = isinstance(one, GlobalRateLimit) and one.sync_interval is not None
                alone = Counters(rule, count, replicas) if is_synced else counters
                found.excesses += hold_back(
                    counters, alone, where, whose, [(sources[ask.source], streams[ask]) for ask in asks], when
                )
    return found


def _is_untold(one: Filter) -> bool:
    return isinstance(one, UNTOLD) and not (isinstance(one, Fault) and one.abort is None)


def _untold(one: Filter) -> str:
    does = "answers" if isinstance(one, Cache) else "refuses"
    return f"how many requests its {one.name} {does}"


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
