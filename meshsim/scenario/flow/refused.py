"""What share of its requests a rate limit refuses, burst, window and the way in which they arrive included.

There is theory for one bucket under Poisson arrivals at a constant rate (the loss of M/D/1/b: Tijms, "A First Course in Stochastic
Models", 2003), and none for all that a scenario can say: ramps, windows that begin by the time of day, several loads at one limit, users
who come back. So the limit's own policy is asked here by the arrivals of the very loads, as an engine would, but by nothing else; a test
holds it against the theory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, NamedTuple

from meshsim.randomness import ADDRESS, GATEWAY_PICK, PHASE, ROUTE, THINK_TIME, request_key, root_key, stream, uniform
from meshsim.units import NS_PER_S, since_1970_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshsim.arrivals import Profile, Segment
    from meshsim.policies.admission.admission import AdmissionState
    from meshsim.policies.filters.rate_limit_rule import RateLimitRule

ASKED = 6_000
"""How many requests are tried: at a share of 1/2 the standard error is 0.6 %."""
WORTH_SAYING = 0.01
"""A share below this is left to chance."""
SPARSE = 0.05
"""A share of evenly spaced requests that is about as random as Poisson arrivals."""
DAY_NS = 86_400 * NS_PER_S
_NAME = stream("what a limit refuses")


@dataclass(frozen=True)
class Askers:
    """Part of a load that comes to one limit."""

    profile: Profile | None
    """Of the whole load; None for users."""
    share: float
    """Of the load's requests, those that come to the limit."""
    users: int = 0
    between_ns: float = 0.0
    """Of a user, from an answer to the next request, and an answer's time, in the mean."""
    answer_ns: float = 0.0
    is_think_time_drawn: bool = False


@dataclass(frozen=True)
class Counters:
    """The counters of a rule that these requests meet."""

    rule: RateLimitRule
    addresses: int
    """How many counters each replica has."""
    replicas: int
    """How many replicas count for themselves."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.addresses * self.replicas


class When(NamedTuple):
    """When a run begins, and how long it lasts."""

    run_ns: int
    time_zero: str | None = None
    """Date and time; None where each replication draws one."""
    is_cold: bool = False
    """Whether proxies start with the run."""


def refused_share(counters: Counters, askers: Sequence[Askers], when: When) -> float:
    """Share of the requests of the whole run that a limit refuses.

    Args:
        counters: The limit.
        askers: Who comes to it.
        when: When the run begins and how long it lasts; what it leaves open is drawn, as in runs.
    """
    run_ns = when.run_ns
    expected = sum(_expected(one, run_ns) for one in askers)
    if not expected:
        return 0.0
    kept = 1.0
    if expected > ASKED and counters.total > 1 and not any(one.users for one in askers):
        kept = max(1 / counters.total, ASKED / expected)  # the counters are alike: some of them tell of all
    chosen = Counters(counters.rule, max(1, round(counters.total * kept)), 1) if kept < 1 else counters
    asked = refused = late = late_refused = 0
    for number in range(ASKED):
        is_cut = False
        for is_late, is_refused in _ask(chosen, askers, kept, when, number):
            asked, refused = asked + 1, refused + is_refused
            late, late_refused = late + is_late, late_refused + (is_late and is_refused)
            if asked >= ASKED:
                is_cut = not number
                break
        if is_cut:  # the run is longer than what was tried: what holds in its later half, and what the burst leaves of it
            return max(late_refused / late if late else 0.0, _overflow(counters, askers, run_ns))
        if asked >= ASKED or not asked:
            break
    return refused / asked if asked else 0.0


def _ask(counters: Counters, askers: Sequence[Askers], kept: float, when: When, number: int) -> Iterator[tuple[bool, bool]]:
    """For each request whether it is one of the later ones, and whether it is refused."""
    root = root_key(0, number, _NAME)
    phase_ns = round(uniform(root, PHASE) * DAY_NS)
    zero_ns = phase_ns if when.time_zero is None else since_1970_ns(when.time_zero)
    clocks = {"time_zero_ns": zero_ns, "born_ns": 0 if when.is_cold else phase_ns, "begins": when.time_zero}
    policies: dict[int, AdmissionState] = {}
    cost, limit, answered = counters.rule.cost, counters.rule.limit, 0
    opens = [_arrivals(one, kept, root + index) for index, one in enumerate(askers) if one.profile is not None]
    heap: list[tuple[int, int, int, int]] = []
    for index, arrivals in enumerate(opens):
        if (first := next(arrivals, None)) is not None:
            heap.append((first[0], index, first[1], -1))
    users = [one for one in askers if one.profile is None and one.users]
    heap += [(0, len(opens) + index, user, 0) for index, one in enumerate(users) for user in range(one.users)]
    heapify(heap)
    while heap:
        now_ns, index, key, turn = heap[0]
        if now_ns >= when.run_ns:
            return
        of_request = key if turn < 0 else request_key(root ^ (index << 32 | key), turn)
        counter = int(uniform(of_request if turn < 0 else root + key, ADDRESS) * counters.addresses) * counters.replicas
        counter += int(uniform(of_request, GATEWAY_PICK) * counters.replicas)
        policy = policies.get(counter)
        if policy is None:
            policy = policies[counter] = limit.build(**clocks)
        is_admitted = policy.admit(now_ns, cost)
        answered += 1
        yield answered * 2 > ASKED, not is_admitted
        if turn < 0:
            following = next(opens[index], None)
            if following is None:
                heappop(heap)
            else:
                heapreplace(heap, (following[0], index, following[1], -1))
            continue
        one = users[index - len(opens)]
        heapreplace(heap, (now_ns + _pause_ns(one, of_request, is_admitted=is_admitted), index, key, turn + 1))


def _pause_ns(one: Askers, key: int, *, is_admitted: bool) -> int:
    """Until a user asks again."""
    think_ns = one.between_ns * (2 * uniform(key, THINK_TIME) if one.is_think_time_drawn else 1.0)
    return max(1_000_000, round(think_ns + one.answer_ns * is_admitted))


def _arrivals(one: Askers, kept: float, root: int) -> Iterator[tuple[int, int]]:
    """Instants and keys of the requests of an open load that come to the counters."""
    profile, share = one.profile, one.share * kept
    assert profile is not None  # noqa: S101 — users have none
    if share >= 1.0:
        return profile.arrive(root)
    if profile.is_poisson or share < SPARSE:
        segments = tuple(_scaled(segment, share) for segment in profile.segments)
        return replace(profile, segments=segments, is_poisson=True).arrive(root)
    return ((at_ns, key) for at_ns, key in profile.arrive(root) if uniform(key, ROUTE) < share)


def _scaled(segment: Segment, share: float) -> Segment:
    return segment._replace(from_rate=segment.from_rate * share, to_rate=segment.to_rate * share)


def _expected(one: Askers, run_ns: int) -> float:
    """Requests in the whole run."""
    if one.profile is None:
        each_ns = max(1e6, one.between_ns + one.answer_ns)
        return one.users * (1 + run_ns / each_ns)
    return one.share * one.profile.expected


def _overflow(counters: Counters, askers: Sequence[Askers], run_ns: int) -> float:
    """What would not fit if requests flowed evenly: share of all, with the burst that all counters have at the beginning."""
    limit, cost = counters.rule.limit, counters.rule.cost
    burst = level = limit.build().remaining(0) / cost * counters.total
    rate = limit.per_second() / cost * counters.total
    total = lost = 0.0
    steps = 500
    for step in range(steps):
        now_ns, seconds = (step + 0.5) * run_ns / steps, run_ns / steps / NS_PER_S
        comes = sum(one.share * _rate(one, now_ns) for one in askers) * seconds
        fits = level + rate * seconds
        lost += max(0.0, comes - fits)
        level = min(burst, max(0.0, fits - comes))
        total += comes
    return lost / total if total else 0.0


def _rate(one: Askers, now_ns: float) -> float:
    """Requests per second at an instant."""
    if one.profile is None:
        return one.users * NS_PER_S / max(1e6, one.between_ns + one.answer_ns)
    return one.profile.rate_at(now_ns)
