"""Peak EWMA: the corners that make it Linkerd's or Finagle's."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from meshsim.policies.load_balancing import NO_HASH, Endpoint, PeakEwma
from meshsim.randomness import LOAD_BALANCER, Draw
from meshsim.units import NS_PER_MS, NS_PER_S


def hosts_of(in_flight):
    hosts = [Endpoint(index=index) for index in range(len(in_flight))]
    for host, count in zip(hosts, in_flight, strict=True):
        host.in_flight = count
    return hosts


def built(policy, hosts):
    return policy.build(endpoints=hosts, draw=Draw())


def picks(policy, hosts, count=3000):
    draw = Draw()
    return Counter(policy.pick(hosts, draw.at(key, LOAD_BALANCER), 0, NO_HASH) for key in range(count))


def test_a_round_trip_is_compared_with_what_looking_has_left_of_the_estimate():
    """Both products let the estimate fall whenever they look: 100 ms have become 36.8 when 50 ms come in, so that it jumps up to 50.

    Without the look the 50 ms would be below the estimate of 100, and it would fall to 68.4.
    """
    hosts = hosts_of([0])
    looked, unseen = built(PeakEwma(decay="1s"), hosts), built(PeakEwma(decay="1s"), hosts)
    for policy in (looked, unseen):
        policy.done(hosts[0], 0, 100 * NS_PER_MS, False)  # noqa: FBT003
    looked.cost(hosts[0], NS_PER_S)
    for policy in (looked, unseen):
        policy.done(hosts[0], NS_PER_S, 50 * NS_PER_MS, False)  # noqa: FBT003

    assert looked.cost(hosts[0], NS_PER_S) == 50 * NS_PER_MS
    assert unseen.cost(hosts[0], NS_PER_S) == pytest.approx(68.394 * NS_PER_MS, rel=1e-4)


def test_looking_twice_lets_it_fall_no_faster_than_looking_once():
    hosts = hosts_of([0])
    often, once = built(PeakEwma(), hosts), built(PeakEwma(), hosts)
    for tenth in range(1, 10):
        often.cost(hosts[0], tenth * NS_PER_S)

    assert often.cost(hosts[0], 10 * NS_PER_S) == pytest.approx(once.cost(hosts[0], 10 * NS_PER_S), rel=1e-12)


def test_among_endpoints_that_have_never_answered_the_penalty_still_counts_what_is_in_flight():
    hosts = hosts_of([9, 1])

    assert set(picks(built(PeakEwma(penalty=True), hosts), hosts, 200)) == {1}


def test_a_failure_counts_as_long_as_it_took():
    """Neither product asks how an attempt ended: an endpoint that fails at once looks fast and draws requests."""
    hosts = hosts_of([0, 0])
    policy = built(PeakEwma(), hosts)
    policy.done(hosts[0], 5 * NS_PER_S, NS_PER_MS, True)  # noqa: FBT003
    policy.done(hosts[1], 5 * NS_PER_S, 50 * NS_PER_MS, False)  # noqa: FBT003

    assert {policy.pick(hosts, Draw().at(key, 1), 5 * NS_PER_S, NO_HASH) for key in range(50)} == {0}


@pytest.mark.parametrize("choice_count", [2, 3, 4])
def test_the_endpoints_drawn_are_different_ones_and_every_set_of_them_is_as_likely(choice_count):
    """Costs in the order of the numbers: the pick is the least number of the set, whose odds are counted. Five standard errors."""
    hosts = hosts_of([0, 1, 2, 3, 4])
    found = picks(built(PeakEwma(choice_count=choice_count), hosts), hosts, 10_000)
    sets = list(combinations(range(5), choice_count))
    for index in range(5):
        odds = sum(min(one) == index for one in sets) / len(sets)
        assert abs(found[index] / 10_000 - odds) <= 5 * (odds * (1 - odds) / 10_000) ** 0.5


def test_an_endpoint_that_joins_starts_from_the_default_and_the_others_keep_what_is_known():
    hosts = hosts_of([0, 0, 0])
    policy = built(PeakEwma(), hosts[:2])
    policy.done(hosts[0], 0, 80 * NS_PER_MS, False)  # noqa: FBT003
    policy.update(hosts, Draw())

    assert [policy.cost(host, 0) / NS_PER_MS for host in hosts] == [80, 30, 30]
