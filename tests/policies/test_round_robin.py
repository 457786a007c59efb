"""Round robin: turns, and weighted turns by earliest deadline."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import NO_HASH, RoundRobin
from meshsim.randomness import LOAD_BALANCER, Draw

NO_CHANCE = Scripted()


def test_endpoints_take_turns_from_the_random_start_on():
    hosts = endpoints([0, 0, 0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(2))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(7)] == [2, 0, 1, 2, 0, 1, 2]


def test_only_the_start_is_drawn_and_it_may_be_any_endpoint():
    hosts = endpoints([0, 0, 0, 0])
    starts = Counter()
    for proxy in range(4000):
        balancer = RoundRobin().build(endpoints=hosts, draw=Draw().at(proxy, LOAD_BALANCER))
        starts[balancer.pick(hosts, NO_CHANCE, 0, NO_HASH)] += 1

    assert sorted(starts) == [0, 1, 2, 3]
    assert all(abs(count - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5 for count in starts.values())


def test_a_retry_takes_a_turn_like_any_request():
    """The balancer is not told which pick is a retry: two requests with a retry each take four turns."""
    hosts = endpoints([0, 0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))

    first, retry_of_first, second, retry_of_second = (balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(4))

    assert (first, retry_of_first, second, retry_of_second) == (0, 1, 0, 1)


def test_how_busy_an_endpoint_is_does_not_matter():
    hosts = endpoints([900, 0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(4)] == [0, 1, 0, 1]


def test_each_proxy_takes_turns_of_its_own():
    hosts = endpoints([0, 0, 0])
    one = RoundRobin().build(endpoints=hosts, draw=Scripted(0))
    other = RoundRobin().build(endpoints=hosts, draw=Scripted(1))

    one.pick(hosts, NO_CHANCE, 0, NO_HASH)

    assert other.pick(hosts, NO_CHANCE, 0, NO_HASH) == 1


def test_equal_weights_that_are_not_one_are_plain_turns():
    hosts = endpoints([0, 0], weights=[5.0, 5.0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(1))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(4)] == [1, 0, 1, 0]


def test_weights_of_3_1_1_give_shares_of_60_20_20_spread_out_and_not_in_a_row():
    """Deadlines 1/3, 1, 1: host 0 at 1/3 and 2/3; at 1 hosts 1 and 2 were set before host 0 was set again.

    In the second round 5/3 + 1/3 is a little less than 2 in binary, as it is in Envoy, so host 0 goes first there.
    """
    hosts = endpoints([0, 0, 0], weights=[3.0, 1.0, 1.0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))

    turns = [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(10)]

    assert turns == [0, 0, 1, 2, 0, 0, 0, 0, 1, 2]
    assert Counter(turns) == {0: 6, 1: 2, 2: 2}


@pytest.mark.parametrize(("start", "first"), [(0, [0, 0, 1]), (1, [0, 1, 2]), (2, [1, 2, 0])])
def test_weighted_turns_begin_after_a_random_number_of_them(start, first):
    hosts = endpoints([0, 0, 0], weights=[3.0, 1.0, 1.0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(start))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(3)] == first


def test_shares_follow_the_weights_over_many_turns():
    weights = [10.0, 5.0, 1.0, 4.0]
    hosts = endpoints([0] * 4, weights=weights)
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))

    turns = Counter(balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(2000))

    assert all(abs(turns[index] - 100 * weight) <= 1 for index, weight in enumerate(weights))
