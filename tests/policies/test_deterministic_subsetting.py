"""Deterministic subsetting: whose settings the engine sees, who gets whom, and what a change keeps."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.load_balancing import (
    NO_HASH,
    DeterministicSubsetting,
    Endpoint,
    LeastReportedLoad,
    LeastRequest,
    PeakEwma,
    Random,
    RingHash,
    RoundRobin,
)
from meshsim.randomness import Draw
from meshsim.registry import SettingError
from meshsim.units import NS_PER_S


def hosts_of(count):
    return [Endpoint(index=index) for index in range(count)]


def subset(hosts, client=0, size=3, inner=None):
    policy = DeterministicSubsetting(subset_size=size, load_balancer=inner or RoundRobin())
    return policy.build(endpoints=hosts, draw=Draw().at(client, 1), client=client, clients=100)


def reached(balancer, hosts, count=40):
    return {hosts[balancer.pick(hosts, Draw().at(key, 1), 0, NO_HASH)].index for key in range(count)}


def test_what_the_inner_policy_needs_is_asked_for_before_anything_is_built():
    """Whoever decides whether outcomes and reports are passed on has the settings only."""
    plain = DeterministicSubsetting(load_balancer=RoundRobin())
    latency = DeterministicSubsetting(load_balancer=PeakEwma())
    reports = DeterministicSubsetting(load_balancer=LeastReportedLoad(report_interval="250ms"))

    assert (plain.observes, plain.reads_reports) == (False, False)
    assert (latency.observes, latency.reads_reports) == (True, False)
    assert (reports.observes, reports.reads_reports, reports.report_interval) == (False, True, NS_PER_S // 4)


def test_outcomes_reach_the_inner_policy():
    """Two endpoints, of which one has answered in 1 s: peak EWMA goes to the other, whose estimate is still 30 ms."""
    hosts = hosts_of(2)
    balancer = subset(hosts, size=2, inner=PeakEwma())
    balancer.done(hosts[0], 0, NS_PER_S, False)  # noqa: FBT003

    assert reached(balancer, hosts) == {1}


def test_settings_of_the_inner_policy_are_checked():
    with pytest.raises(SettingError):
        DeterministicSubsetting(load_balancer=PeakEwma(decay=0)).check()


def test_the_inner_policy_picks_by_what_it_sees_of_the_subset():
    hosts = hosts_of(12)
    own = reached(subset(hosts, inner=Random()), hosts)
    idle = max(own)
    for host in hosts:
        host.in_flight = 5 * (host.index != idle)

    assert reached(subset(hosts, inner=LeastRequest(selection_method="full_scan")), hosts) == {idle}


def test_a_hash_decides_inside_of_the_subset():
    hosts = hosts_of(12)
    balancer = subset(hosts, inner=RingHash())

    assert len({balancer.pick(hosts, Scripted(), 0, 77) for _ in range(5)}) == 1
    assert {balancer.pick(hosts, Scripted(), 0, key << 50) for key in range(200)} == reached(subset(hosts, inner=Random()), hosts)


def test_a_round_of_proxies_deals_out_all_endpoints_and_the_next_round_deals_differently():
    """Site Reliability Engineering, chapter 20: four subsets of three make a round of twelve."""
    hosts = hosts_of(12)
    subsets = [frozenset(reached(subset(hosts, client), hosts)) for client in range(8)]

    assert set().union(*subsets[:4]) == set().union(*subsets[4:]) == set(range(12))
    assert sum(map(len, subsets[:4])) == 12
    assert set(subsets[:4]) != set(subsets[4:])


def test_endpoints_left_over_in_one_round_have_their_turn_in_others():
    """Eleven endpoints in threes: two are left over in each round, others each time; of 300 proxies each serves 300 x 3 / 11, about 82.

    A round leaves an endpoint out with odds 2/11: of 100 rounds 18.2 with a standard deviation of 3.9, five of which are 19.
    """
    hosts = hosts_of(11)
    counts = Counter(index for client in range(300) for index in reached(subset(hosts, client), hosts, 9))

    assert sum(counts.values()) == 900
    assert all(abs(counts[index] - 900 / 11) < 19.3 for index in range(11))


def test_a_larger_subset_reaches_more():
    hosts = hosts_of(12)

    assert [len(reached(subset(hosts, size=size), hosts)) for size in (1, 4, 12, 50)] == [1, 4, 12, 12]


def test_when_an_endpoint_leaves_everybody_picks_among_those_that_are_left():
    hosts = hosts_of(12)
    for client in range(8):
        balancer = subset(hosts, client)
        left = hosts[:5] + hosts[6:]
        balancer.update(left, Draw().at(client, 2))

        found = reached(balancer, left)
        assert len(found) == 3
        assert 5 not in found
