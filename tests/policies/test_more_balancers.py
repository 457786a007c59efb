"""Peak EWMA, reported loads, client-side weights, subsets and apertures, full scan and active request bias."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import (
    NO_HASH,
    Aperture,
    ClientSideWeightedRoundRobin,
    DeterministicSubsetting,
    LeastReportedLoad,
    LeastRequest,
    PeakEwma,
    RoundRobin,
)
from meshsim.randomness import Draw
from meshsim.registry import SettingError
from meshsim.units import NS_PER_MS, NS_PER_S


def hosts_of(in_flight, weights=None):
    hosts = endpoints(in_flight, weights)
    for index, host in enumerate(hosts):
        host.index = index
    return hosts


def built(policy, hosts, **context):
    return policy.build(endpoints=hosts, draw=Draw().at(1, 2), **context)


def test_a_full_scan_finds_the_least_and_ties_are_equally_likely():
    policy = LeastRequest(selection_method="full_scan")
    hosts = hosts_of([3, 1, 2, 1, 1])
    draw, balancer = Draw(), built(policy, hosts)

    picks = Counter(balancer.pick(hosts, draw.at(key, 1), 0, NO_HASH) for key in range(9000))

    assert set(picks) == {1, 3, 4}
    assert all(abs(count - 3000) < 5 * (9000 * 2 / 9) ** 0.5 for count in picks.values())


def test_the_bias_says_how_much_requests_in_flight_count_where_weights_differ():
    hosts = hosts_of([4, 0], [2.0, 1.0])

    def share(bias):
        balancer = built(LeastRequest(active_request_bias=bias), hosts)
        return sum(balancer.pick(hosts, Draw(), 0, NO_HASH) == 0 for _ in range(600)) / 600

    assert share(0.0) == pytest.approx(2 / 3, abs=0.01)
    assert share(1.0) == pytest.approx(0.4 / 1.4, abs=0.01)
    assert share(2.0) < 0.1


class TestPeakEwma:
    def test_the_estimate_jumps_up_at_once_and_falls_slowly(self):
        hosts = hosts_of([0, 0])
        policy = built(PeakEwma(), hosts)
        policy.done(hosts[0], NS_PER_S, 100 * NS_PER_MS, False)  # noqa: FBT003
        assert policy.cost(hosts[0], NS_PER_S) == 100 * NS_PER_MS
        policy.done(hosts[0], 2 * NS_PER_S, 10 * NS_PER_MS, False)  # noqa: FBT003

        weight = 2.718281828 ** (-0.1)
        assert policy.cost(hosts[0], 2 * NS_PER_S) == pytest.approx((100 * weight + 10 * (1 - weight)) * NS_PER_MS)

    def test_it_falls_towards_nothing_while_nothing_comes(self):
        hosts = hosts_of([0])
        policy = built(PeakEwma(decay="1s", default_rtt="80ms"), hosts)

        assert policy.cost(hosts[0], 0) == 80 * NS_PER_MS
        assert policy.cost(hosts[0], NS_PER_S) == pytest.approx(80 * NS_PER_MS / 2.718281828)

    def test_requests_in_flight_multiply_the_cost(self):
        hosts = hosts_of([3])
        assert built(PeakEwma(), hosts).cost(hosts[0], 0) == 4 * 30 * NS_PER_MS

    def test_the_two_are_never_the_same_endpoint(self):
        """Unlike Envoy's least request: of two endpoints the cheaper one always wins."""
        hosts = hosts_of([5, 0])
        policy, draw = built(PeakEwma(), hosts), Draw()

        assert {policy.pick(hosts, draw.at(key, 1), 0, NO_HASH) for key in range(200)} == {1}

    def test_the_penalty_avoids_whoever_has_not_answered_yet(self):
        hosts = hosts_of([1, 9])
        for policy, expected in ((PeakEwma(), 0), (PeakEwma(penalty=True), 1)):
            one = built(policy, hosts)
            one.done(hosts[1], 0, 31 * NS_PER_MS, False)  # noqa: FBT003
            assert {one.pick(hosts, Draw().at(key, 1), 0, NO_HASH) for key in range(50)} == {expected}

    def test_more_choices_find_a_cheaper_endpoint_more_often(self):
        hosts = hosts_of([1, 1, 1, 1, 1, 0])

        def hits(choices):
            policy = built(PeakEwma(choice_count=choices), hosts)
            return sum(policy.pick(hosts, Draw().at(key, 1), 0, NO_HASH) == 5 for key in range(600))

        assert hits(2) < hits(3) < hits(6) == 600

    def test_a_decay_without_length_is_an_error(self):
        with pytest.raises(SettingError):
            PeakEwma(decay=0).check()


def test_reported_loads_are_what_endpoints_said_and_not_what_this_caller_sees():
    hosts = hosts_of([9, 0])
    hosts[0].reported_in_flight, hosts[1].reported_in_flight = 1, 5
    policy = built(LeastReportedLoad(), hosts)

    assert policy.pick(hosts, Scripted(1, 0), 0, NO_HASH) == 0
    assert built(LeastReportedLoad(choice_count=1), hosts).pick(hosts, Scripted(1), 0, NO_HASH) == 1
    assert LeastReportedLoad(report_interval="1s").report_interval == NS_PER_S


class TestClientSideWeights:
    def reporting(self, rates, utilisations, errors=(0.0, 0.0)):
        hosts = hosts_of([0, 0])
        for host, rate, utilisation, error in zip(hosts, rates, utilisations, errors, strict=True):
            host.reported_ns, host.request_rate, host.utilisation, host.error_rate = 0, rate, utilisation, error
        return hosts

    def share(self, hosts, now_s=11.0, **settings):
        policy = built(ClientSideWeightedRoundRobin(**settings), hosts)
        policy.pick(hosts, Draw(), 0, NO_HASH)
        for host in hosts:
            host.reported_ns = max(host.reported_ns, 0)
        return sum(policy.pick(hosts, Draw(), round(now_s * NS_PER_S) + step, NO_HASH) == 0 for step in range(400)) / 400

    def test_who_does_more_at_the_same_utilisation_gets_more(self):
        assert self.share(self.reporting((300, 100), (0.5, 0.5))) == pytest.approx(0.75, abs=0.01)

    def test_errors_count_as_load(self):
        hosts = self.reporting((100, 100), (0.5, 0.5), (50.0, 0.0))
        assert self.share(hosts) == pytest.approx(1 / 3, abs=0.01)
        assert self.share(hosts, error_utilization_penalty=0.0) == pytest.approx(0.5, abs=0.01)

    def test_nothing_counts_during_the_blackout_or_after_it_has_expired(self):
        hosts = self.reporting((300, 100), (0.5, 0.5))
        assert self.share(hosts, now_s=5) == pytest.approx(0.5, abs=0.01)
        assert self.share(hosts, now_s=5, blackout_period="2s") == pytest.approx(0.75, abs=0.01)
        assert self.share(hosts, now_s=200) == pytest.approx(0.5, abs=0.01)
        assert self.share(hosts, now_s=200, weight_expiration_period="10m") == pytest.approx(0.75, abs=0.01)

    def test_weights_are_worked_out_once_a_period(self):
        hosts = self.reporting((300, 100), (0.5, 0.5))
        policy = built(ClientSideWeightedRoundRobin(blackout_period=0, weight_update_period="10s"), hosts)
        policy.pick(hosts, Draw(), NS_PER_S, NO_HASH)
        hosts[0].request_rate = 100
        early = sum(policy.pick(hosts, Draw(), 2 * NS_PER_S, NO_HASH) == 0 for _ in range(400)) / 400
        late = sum(policy.pick(hosts, Draw(), 12 * NS_PER_S, NO_HASH) == 0 for _ in range(400)) / 400

        assert (early, late) == (pytest.approx(0.75, abs=0.01), pytest.approx(0.5, abs=0.01))

    def test_reports_may_come_at_intervals(self):
        assert ClientSideWeightedRoundRobin(report_interval="500ms").report_interval == 500 * NS_PER_MS


def test_subsets_are_dealt_out_so_that_all_endpoints_get_equally_many_callers():
    hosts = hosts_of([0] * 12)
    callers = Counter()
    for client in range(24):
        policy = DeterministicSubsetting(subset_size=3, load_balancer=RoundRobin()).build(
            endpoints=hosts, draw=Draw().at(client, 1), client=client, clients=24
        )
        used = {policy.pick(hosts, Draw(), 0, NO_HASH) for _ in range(30)}
        assert len(used) == 3
        callers.update(used)

    assert set(callers.values()) == {6}


def test_a_subset_of_all_is_all():
    hosts = hosts_of([0] * 4)
    policy = built(DeterministicSubsetting(subset_size=10, load_balancer=RoundRobin()), hosts)

    assert {policy.pick(hosts, Draw(), 0, NO_HASH) for _ in range(8)} == {0, 1, 2, 3}


def test_apertures_together_cover_all_endpoints_equally():
    """12 endpoints and 8 callers: each looks at a quarter of the ring or more, and the sum over callers is the same everywhere."""
    hosts = hosts_of([0] * 12)
    picks = Counter()
    for client in range(8):
        policy = Aperture(min_aperture=3).build(endpoints=hosts, draw=Draw(), client=client, clients=8)
        assert 3 <= policy.size <= 4
        picks.update(policy.pick(hosts, Draw().at(key, client), 0, NO_HASH) for key in range(3000))

    assert len(picks) == 12
    assert max(picks.values()) < 1.1 * min(picks.values())


def test_a_wider_aperture_reaches_more_endpoints_and_the_less_busy_one_wins():
    hosts = hosts_of([9] * 11 + [0])
    narrow, wide = (Aperture(min_aperture=size).build(endpoints=hosts, draw=Draw(), client=0, clients=12) for size in (2, 12))

    assert narrow.size < wide.size == 12
    picks = Counter(wide.pick(hosts, Draw().at(key, 1), 0, NO_HASH) for key in range(1200))
    assert picks[11] == pytest.approx(1200 * (1 - (11 / 12) ** 2), rel=0.2)
