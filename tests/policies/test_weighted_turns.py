"""Turns by earliest deadline: what round robin and least request share, and what they keep when endpoints change."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.load_balancing import NO_HASH, Endpoint, LeastRequest, RoundRobin, SlowStart
from meshsim.policies.load_balancing.earliest_deadline import EarliestDeadline
from meshsim.randomness import LOAD_BALANCER, Draw
from meshsim.units import NS_PER_S

SLOWLY = SlowStart(slow_start_window="30s")


def hosts_of(weights, healthy_since_ns=None):
    hosts = [Endpoint(weight, index) for index, weight in enumerate(weights)]
    for index, time_ns in (healthy_since_ns or {}).items():
        hosts[index].healthy_since_ns = time_ns
    return hosts


def turns(balancer, hosts, count, now_ns=0):
    return [balancer.pick(hosts, Scripted(), now_ns, NO_HASH) for _ in range(count)]


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [1, 2, 4, 8], [8, 4, 2, 1], [1, 16, 1, 2], [2**number for number in range(8)]])
def test_a_round_of_as_many_turns_as_the_weights_add_up_to_gives_each_its_weight_exactly(weights):
    """Powers of two, whose inverses add up without rounding."""
    scheduler = EarliestDeadline(weights)
    for _ in range(3):
        taken = Counter(scheduler.take(weights[scheduler.peek()]) for _ in range(sum(weights)))

        assert [taken[index] for index in range(len(weights))] == weights


def test_equal_deadlines_go_in_the_order_in_which_they_were_set():
    scheduler = EarliestDeadline([1.0] * 5)

    assert [scheduler.take(1.0) for _ in range(10)] == [0, 1, 2, 3, 4] * 2


def test_the_weight_at_the_turn_decides_when_the_next_one_is():
    """Both are due at 1. The first is put back with a hundredth of its weight: due at 101, after a hundred turns of the other."""
    scheduler = EarliestDeadline([1.0, 1.0])

    assert [scheduler.take(0.01), *(scheduler.take(1.0) for _ in range(100))] == [0, *[1] * 100]
    assert scheduler.peek() == 0


def test_hundreds_of_endpoints_get_their_weights():
    weights = [1.0 + index % 7 for index in range(700)]
    hosts = hosts_of(weights)
    taken = Counter(turns(RoundRobin().build(endpoints=hosts, draw=Scripted(0)), hosts, 10 * 2800))

    assert all(abs(taken[index] - 10 * weight) <= 1 for index, weight in enumerate(weights))


def test_round_robin_goes_on_where_it_was_when_an_endpoint_joins_and_when_one_leaves():
    hosts = hosts_of([1.0] * 4)
    balancer = RoundRobin().build(endpoints=hosts[:3], draw=Scripted(1))
    assert turns(balancer, hosts[:3], 1) == [1]

    balancer.update(hosts, Scripted())
    assert turns(balancer, hosts, 3) == [2, 3, 0]
    balancer.update(hosts[:2], Scripted())
    assert turns(balancer, hosts[:2], 3) == [1, 0, 1]


def test_weights_that_become_different_and_equal_again_change_the_kind_of_turns():
    hosts = hosts_of([1.0, 1.0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))
    hosts[1].weight = 3.0
    balancer.update(hosts, Scripted())
    assert Counter(turns(balancer, hosts, 400)) == {0: 100, 1: 300}

    hosts[1].weight = 1.0
    balancer.update(hosts, Scripted())
    assert Counter(turns(balancer, hosts, 400)) == {0: 200, 1: 200}


def test_least_request_in_slow_start_takes_turns_and_goes_on_with_them_after_the_window_until_endpoints_change():
    """Envoy looks at slow start when it makes its scheduler, and never drops one: least request has no draws until the next change."""
    hosts = hosts_of([1.0] * 3, {2: 0})
    balancer = LeastRequest(slow_start=SLOWLY).build(endpoints=hosts[:2], draw=Scripted())
    assert balancer.pick(hosts[:2], Scripted(1, 1), 0, NO_HASH) == 1

    balancer.update(hosts, Scripted(0))
    assert Counter(turns(balancer, hosts, 210, NS_PER_S)) == pytest.approx({0: 100, 1: 100, 2: 10}, abs=1)
    assert Counter(turns(balancer, hosts, 300, 31 * NS_PER_S)) == pytest.approx({0: 100, 1: 100, 2: 100}, abs=10)

    balancer.update(hosts, Scripted())
    assert balancer.pick(hosts, Scripted(1, 2), 32 * NS_PER_S, NO_HASH) == 1


def test_in_slow_start_least_request_counts_requests_in_flight_too():
    """Weights 1 / (3 + 1) and 0.5 / 1: a third of the turns for the busy one."""
    hosts = hosts_of([1.0] * 2, {1: 0})
    hosts[0].in_flight = 3
    balancer = LeastRequest(slow_start=SLOWLY).build(endpoints=hosts, draw=Scripted(0))

    assert Counter(turns(balancer, hosts, 600, 15 * NS_PER_S))[0] == pytest.approx(200, abs=2)


def test_the_windows_end_is_what_a_longer_window_puts_off():
    hosts = hosts_of([1.0] * 2, {1: 0})

    def share(window):
        balancer = RoundRobin(slow_start=SlowStart(slow_start_window=window)).build(endpoints=hosts, draw=Scripted(0))
        return Counter(turns(balancer, hosts, 600, 15 * NS_PER_S))[1] / 600

    assert share("15s") == 0.5
    assert share("30s") == pytest.approx(1 / 3, abs=0.01)
    assert share("60s") == pytest.approx(1 / 5, abs=0.01)


def test_a_further_change_does_not_send_an_endpoint_that_is_half_warm_back_to_the_beginning():
    """Both are read at the first pick after the change: one at half its weight is due after two rounds, not after ten."""
    hosts = hosts_of([1.0] * 4, {2: 0, 3: 15 * NS_PER_S})
    balancer = RoundRobin(slow_start=SLOWLY).build(endpoints=hosts[:3], draw=Scripted(0))
    balancer.update(hosts, Scripted())

    first = turns(balancer, hosts, 9, 15 * NS_PER_S)

    assert first.count(2) == 1 or first.count(2) == 2
    assert first.index(2) <= 5
    assert 3 not in first


@pytest.mark.parametrize("policy", [RoundRobin(), LeastRequest()])
def test_without_slow_start_a_new_endpoint_has_its_share_at_once(policy):
    hosts, draw = hosts_of([1.0] * 4, {3: 0}), Draw()
    balancer = policy.build(endpoints=hosts, draw=draw.at(1, 1))

    picks = Counter(balancer.pick(hosts, draw.at(key, LOAD_BALANCER), 0, NO_HASH) for key in range(4000))

    assert picks[3] == pytest.approx(1000, abs=5 * 750**0.5)
