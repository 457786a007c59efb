"""Client-side weighted round robin: what it remembers of reports, and how turns go on when weights change."""

from __future__ import annotations

from collections import Counter

import pytest

from meshsim.policies.load_balancing import NO_HASH, ClientSideWeightedRoundRobin, Endpoint
from meshsim.randomness import Draw
from meshsim.units import NS_PER_MS, NS_PER_S

AT_ONCE = ClientSideWeightedRoundRobin(blackout_period=0)


def hosts_of(rates, reported_ns=0):
    hosts = [Endpoint(index=index) for index in range(len(rates))]
    for host, rate in zip(hosts, rates, strict=True):
        report(host, rate, reported_ns)
    return hosts


def report(host, rate, now_ns, utilisation=0.5, errors=0.0):
    host.reported_ns, host.request_rate, host.utilisation, host.error_rate = now_ns, rate, utilisation, errors


def built(policy, hosts, seed=1):
    return policy.build(endpoints=hosts, draw=Draw().at(seed, 2))


def shares(balancer, hosts, now_ns, count=1200):
    picks = Counter(balancer.pick(hosts, Draw(), now_ns, NO_HASH) for _ in range(count))
    return [picks[index] / count for index in range(len(hosts))]


def test_an_endpoint_without_a_weight_has_the_mean():
    hosts = hosts_of([300, 100, 0])

    assert shares(built(AT_ONCE, hosts), hosts, NS_PER_S) == pytest.approx([3 / 6, 1 / 6, 2 / 6], abs=0.01)


def test_one_weight_alone_is_none():
    hosts = hosts_of([300, 0, 0])

    assert shares(built(AT_ONCE, hosts), hosts, NS_PER_S) == pytest.approx([1 / 3] * 3, abs=0.01)


def test_a_report_of_no_work_is_passed_over_and_the_weight_before_it_stands_until_it_expires():
    """A58: an endpoint that idles for a moment has not become an average one."""
    hosts = hosts_of([300, 100])
    balancer = built(ClientSideWeightedRoundRobin(blackout_period=0, weight_expiration_period="60s"), hosts)
    balancer.pick(hosts, Draw(), NS_PER_S, NO_HASH)
    report(hosts[0], 0, 2 * NS_PER_S, utilisation=0.0)
    report(hosts[1], 100, 2 * NS_PER_S)

    assert shares(balancer, hosts, 3 * NS_PER_S) == pytest.approx([0.75, 0.25], abs=0.01)
    assert shares(balancer, hosts, 61 * NS_PER_S) == pytest.approx([0.5, 0.5], abs=0.01)


def test_after_an_expired_weight_the_blackout_begins_anew():
    hosts = hosts_of([300, 100])
    balancer = built(ClientSideWeightedRoundRobin(weight_expiration_period="60s"), hosts)
    balancer.pick(hosts, Draw(), 0, NO_HASH)
    assert shares(balancer, hosts, 11 * NS_PER_S)[0] == pytest.approx(0.75, abs=0.01)
    balancer.pick(hosts, Draw(), 70 * NS_PER_S, NO_HASH)

    for host, rate in zip(hosts, (300, 100), strict=True):
        report(host, rate, 80 * NS_PER_S)
    balancer.pick(hosts, Draw(), 80 * NS_PER_S, NO_HASH)

    assert shares(balancer, hosts, 89 * NS_PER_S)[0] == pytest.approx(0.5, abs=0.01)
    assert shares(balancer, hosts, 91 * NS_PER_S)[0] == pytest.approx(0.75, abs=0.01)


def test_few_requests_a_period_still_reach_everybody():
    """Three requests a second over ten equal endpoints: turns that began anew with each period would reach the first three only."""
    hosts = hosts_of([100.0] * 10)
    balancer = built(AT_ONCE, hosts)
    picks = Counter()
    for second in range(100):
        for host in hosts:
            report(host, 100.0, second * NS_PER_S)
        picks.update(balancer.pick(hosts, Draw(), second * NS_PER_S + 300 * NS_PER_MS * turn, NO_HASH) for turn in range(3))

    assert sorted(picks.values()) == [30] * 10


def test_new_weights_count_from_the_next_period_on():
    hosts = hosts_of([300, 100])
    balancer = built(AT_ONCE, hosts)
    assert shares(balancer, hosts, NS_PER_S)[0] == pytest.approx(0.75, abs=0.01)
    report(hosts[0], 100, NS_PER_S)

    assert shares(balancer, hosts, NS_PER_S + 999 * NS_PER_MS)[0] == pytest.approx(0.75, abs=0.01)
    assert shares(balancer, hosts, 2 * NS_PER_S)[0] == pytest.approx(0.5, abs=0.01)


def test_a_period_below_a_tenth_of_a_second_counts_as_one():
    hosts = hosts_of([300, 100])
    balancer = built(ClientSideWeightedRoundRobin(blackout_period=0, weight_update_period="1ms"), hosts)
    balancer.pick(hosts, Draw(), NS_PER_S, NO_HASH)
    report(hosts[0], 100, NS_PER_S)

    assert shares(balancer, hosts, NS_PER_S + 99 * NS_PER_MS)[0] == pytest.approx(0.75, abs=0.01)
    assert shares(balancer, hosts, NS_PER_S + 100 * NS_PER_MS)[0] == pytest.approx(0.5, abs=0.01)


def test_proxies_do_not_all_begin_with_the_same_endpoint():
    hosts = hosts_of([100, 100, 100])

    assert {built(AT_ONCE, hosts, seed).pick(hosts, Draw(), NS_PER_S, NO_HASH) for seed in range(40)} == {0, 1, 2}


def test_weights_of_those_that_stay_survive_a_change_of_endpoints():
    """Reports begin to count after the blackout; an endpoint that leaves does not put the others back into it."""
    hosts = hosts_of([300, 100, 100])
    balancer = built(ClientSideWeightedRoundRobin(), hosts)
    balancer.pick(hosts, Draw(), 0, NO_HASH)
    balancer.update(hosts[:2], Draw())

    assert shares(balancer, hosts[:2], 10 * NS_PER_S) == pytest.approx([0.75, 0.25], abs=0.01)
