"""What a load balancer that hashes makes of priorities, panic, degraded hosts and zones.

Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (choosePriority), thread_aware_lb_impl.cc
(refresh, normalizeWeights, normalizeLocalityWeights).
"""

import pytest
from hosts import Host

from meshsim.policies.load_balancing import Endpoint, Maglev, RingHash
from meshsim.policies.load_balancing.hashing import weighed
from meshsim.policies.locality import IgnoreZones, LocalityDistribute, LocalityFailover, LocalityWeighted, ZoneAware
from meshsim.policies.locality.tables import by_hash
from meshsim.randomness import Draw

NAMES = ("a", "b", "c")


ILL, DEGRADED = {"is_healthy": False}, {"is_healthy": False, "is_degraded": True}


def tables(hosts, policy=None, panic=0.5, own_zone=0):
    return by_hash((policy or IgnoreZones()).build(zones=NAMES), hosts, own_zone, panic, 1.4)


def by_place(made):
    """The group of each of the hundred places that a hash may have."""
    return [made.choose_by(hash_key) for hash_key in range(700, 800)]


def test_the_hash_modulo_100_is_compared_with_the_loads():
    """Two of four are healthy in the first priority: it takes 70 %, the hashes that end in 0 to 69."""
    made = tables([Host(), Host(), Host(**ILL), Host(**ILL)] + [Host(priority=1)] * 4)

    assert made.groups == [[0, 1], [4, 5, 6, 7]]
    assert by_place(made) == [0] * 70 + [1] * 30


def test_a_table_of_a_priority_in_panic_has_all_of_its_hosts():
    """5 % and 65 % of 100 are healthy: the first is in panic and takes 8 %."""
    hosts = [Host(is_healthy=index < 5) for index in range(100)] + [
        Host(is_healthy=index < 65, priority=1) for index in range(100)
    ]
    made = tables(hosts)

    assert made.is_panic == [True, False]
    assert [len(group) for group in made.groups] == [100, 65]
    assert by_place(made).count(0) == 8


def test_degraded_hosts_are_in_no_table_and_their_share_meets_the_healthy_ones():
    """Of a quarter healthy and three quarters degraded, 35 % of the requests would go to healthy hosts: with a hash all do."""
    made = tables([Host()] + [Host(**DEGRADED)] * 3)

    assert made.groups == [[0]]
    assert by_place(made) == [0] * 100


def test_where_only_degraded_hosts_are_left_nobody_is_there_to_go_to():
    assert tables([Host(**DEGRADED)] * 4).groups == [[]]
    assert by_place(tables([Host(**DEGRADED)] * 4)) == [0] * 100


def test_without_panic_nobody_is_left_when_nobody_is_healthy():
    assert tables([Host(**ILL)] * 4, panic=0.0).groups == [[]]


def test_weights_of_localities_are_weights_in_one_table():
    """3 and 1 over two and four hosts: 1.5 and 0.25 each."""
    made = tables([Host(zone=0)] * 2 + [Host(zone=1)] * 4, LocalityWeighted(weights={"a": 3.0, "b": 1.0}))

    assert made.groups == [[0, 1, 2, 3, 4, 5]]
    assert made.weights == [[1.5, 1.5, 0.25, 0.25, 0.25, 0.25]]


def test_a_locality_keeps_its_whole_weight_whatever_becomes_of_its_hosts():
    """Unlike without a hash, where one of two counts 0.7 of it: a table takes the weights as they are written."""
    made = tables([Host(), Host(**ILL), Host(zone=1), Host(zone=1)], LocalityWeighted(weights={"a": 1.0, "b": 1.0}))

    assert made.groups == [[0, 2, 3]]
    assert made.weights == [[1.0, 0.5, 0.5]]


def test_weights_count_in_panic_too():
    made = tables([Host(), Host(**ILL), Host(zone=1, **ILL), Host(zone=1, **ILL)], LocalityWeighted(weights={"a": 3.0, "b": 1.0}))

    assert made.is_panic == [True]
    assert made.weights == [[1.5, 1.5, 0.5, 0.5]]


def test_hosts_of_a_zone_without_a_weight_are_left_out_even_where_no_others_are_healthy():
    made = tables([Host(**ILL), Host(zone=1), Host(zone=1)], LocalityWeighted(weights={"a": 1.0}))

    assert made.groups == [[]]


def test_weights_of_hosts_are_shares_of_their_zone():
    made = tables([Host(weight=3.0), Host(weight=1.0), Host(zone=1)], LocalityWeighted(weights={"a": 1.0, "b": 1.0}))

    assert made.weights == [[0.75, 0.25, 1.0]]


def test_a_distribution_is_of_the_callers_zone():
    policy = LocalityDistribute(distribute={"a": {"a": 80, "b": 20}, "b": {"*": 100}})
    hosts = [Host(zone=0), Host(zone=1), Host(zone=1)]

    assert tables(hosts, policy).weights == [[80.0, 10.0, 10.0]]
    assert tables(hosts, policy, own_zone=1).weights == [[1.0, 1.0, 1.0]]
    assert tables(hosts, policy, own_zone=2).weights == [[1.0, 1.0, 1.0]]


def test_zones_of_a_failover_are_priorities_and_zone_aware_routing_does_nothing():
    hosts = [Host(zone=0)] * 3 + [Host(zone=1)] * 3

    assert tables(hosts, LocalityFailover()).groups == [[0, 1, 2], [3, 4, 5]]
    assert tables(hosts, ZoneAware()).groups == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("policy", [Maglev(), RingHash(minimum_ring_size=8192)])
def test_a_table_gives_each_host_the_share_of_its_weight(policy):
    """0.6, 0.2 and 0.2. Maglev's shares are exact to a place in 65,537; a ring of 8,192 has a standard error of about 1 %."""
    endpoints = [Endpoint(index=index) for index in range(3)]
    made = policy.build(endpoints=weighed(endpoints, [3.0, 1.0, 1.0]), draw=Draw())
    counts = [0, 0, 0]
    for number in range(20_000):
        counts[made.pick(endpoints, Draw(), 0, number * 0x9E3779B97F4A7C15 % 2**64)] += 1

    assert [count / 20_000 for count in counts] == pytest.approx([0.6, 0.2, 0.2], abs=0.04)


def test_the_bound_on_an_endpoints_load_goes_by_its_weight_in_the_table():
    """Of 11 in flight and one more, 125 % are 15: 12 for the heavy one, which has eight, and 2 for a light one, which has three.

    By weights of their own it would be 5 for each, and the heavy one would be full.
    """
    endpoints = [Endpoint(index=index) for index in range(3)]
    made = Maglev(hash_balance_factor=125).build(endpoints=weighed(endpoints, [8.0, 1.0, 1.0]), draw=Draw())
    keys = {made.pick(endpoints, Draw(), 0, key): key for key in range(1000)}
    endpoints[0].in_flight, endpoints[1].in_flight = 8, 3

    assert made.pick(endpoints, Draw(), 0, keys[0]) == 0
    assert made.pick(endpoints, Draw(), 0, keys[1]) != 1
