"""Priorities, panic, zones: among whom a pick is made, against Envoy's documented and measured shares."""

from __future__ import annotations

import re

import pytest
from hosts import Host

from meshsim.policies.locality import (
    IgnoreZones,
    LocalityDistribute,
    LocalityFailover,
    LocalityWeighted,
    ZoneAware,
    is_panic,
    priority_loads,
)
from meshsim.randomness import Draw
from meshsim.registry import SettingError

NAMES = ("a", "b", "c")


def shares(policy, hosts, own_zone=0, callers=(1, 1, 1), panic=0.5, factor=1.4):
    """Share of each host of 20,000 picks, each of a group's hosts alike; standard errors are below 0.4 %."""
    counts, draw = [0.0] * len(hosts), Draw()
    made = policy.build(zones=NAMES).arrange(hosts, own_zone, callers, panic, factor, draw.at(1, 3))
    for key in range(20_000):
        group = made.groups[made.choose(draw.at(key * 7919, 3))]
        for position in group:
            counts[position] += 1 / len(group)
    return [round(count / 20_000, 3) for count in counts]


@pytest.mark.parametrize(
    ("healthy", "total", "loads", "panic"),
    [
        ((4, 4), (4, 4), [100, 0], [False, False]),
        ((3, 4), (4, 4), [100, 0], [False, False]),
        ((2, 4), (4, 4), [70, 30], [False, False]),
        ((1, 4), (4, 4), [35, 65], [False, False]),
        ((0, 4), (4, 4), [0, 100], [False, False]),
        ((25, 25), (100, 100), [50, 50], [True, True]),
        ((5, 65), (100, 100), [8, 92], [True, False]),
        ((0, 0), (4, 4), [50, 50], [True, True]),
        ((0, 0), (3, 9), [25, 75], [True, True]),
    ],
)
def test_priority_loads_are_envoys(healthy, total, loads, panic):
    """Envoy's documentation, priority levels and panic threshold; whole percents, rounded down, the rest to the first healthy level."""
    assert priority_loads(healthy, total, 0.5, 1.4) == (loads, panic, [0, 0])


@pytest.mark.parametrize(
    ("healthy", "degraded", "total", "to_healthy", "to_degraded", "panic"),
    [
        ((100,), (0,), (100,), [100], [0], [False]),
        ((71,), (0,), (100,), [100], [0], [False]),
        ((71,), (29,), (100,), [99], [1], [False]),
        ((25,), (65,), (100,), [35], [65], [False]),
        ((5,), (0,), (100,), [100], [0], [True]),
    ],
)
def test_what_healthy_hosts_cannot_take_goes_to_degraded_ones(healthy, degraded, total, to_healthy, to_degraded, panic):
    """The table of Envoy's documentation, load_balancing/degraded.rst."""
    assert priority_loads(healthy, total, 0.5, 1.4, degraded) == (to_healthy, panic, to_degraded)


def test_degraded_hosts_of_several_levels_share_what_all_healthy_ones_leave():
    """The example in Envoy's source: healths of 10, 20 and 10 %, degraded 20, 10 and 0 %, of 70 % in all; 2 % are left by rounding."""
    assert priority_loads([10, 20, 10], [100] * 3, 0.1, 1.0, [20, 10, 0]) == ([16, 28, 14], [False] * 3, [28, 14, 0])


@pytest.mark.parametrize(("healthy", "expected"), [(70, True), (71, True), (72, False), (100, False)])
def test_there_is_no_panic_while_the_healthy_ones_can_take_everything(healthy, expected):
    """With a threshold of 80 %, 72 of 100 are enough: times 1.4 they are more than 100 %."""
    assert is_panic(healthy, 100, 0.8, 1.4) is expected
    assert priority_loads([healthy], [100], 0.8, 1.4).is_panic == [expected]


def test_a_lower_factor_spills_over_sooner():
    assert priority_loads((3, 4), (4, 4), 0.5, 1.0).percent == [75, 25]


def test_without_panic_nobody_is_left_when_nobody_is_healthy():
    assert priority_loads((0,), (4,), 0.0, 1.4).percent == [0]


def test_half_of_the_first_priority_is_ill():
    """Measured: P0 half unhealthy: .350 .350 0 0 | .075 x 4."""
    hosts = [Host(is_healthy=index < 2, priority=0) for index in range(4)] + [Host(priority=1) for _ in range(4)]

    assert shares(IgnoreZones(), hosts) == pytest.approx([0.35, 0.35, 0, 0, 0.075, 0.075, 0.075, 0.075], abs=0.01)


def test_localities_by_weight():
    """Measured: weights 3 and 1 over two and four hosts: .375 x 2, .0625 x 4."""
    hosts = [Host(zone=0)] * 2 + [Host(zone=1)] * 4
    policy = LocalityWeighted(weights={"a": 3.0, "b": 1.0})

    assert shares(policy, hosts) == pytest.approx([0.375] * 2 + [0.0625] * 4, abs=0.002)
    assert shares(LocalityWeighted(weights={"a": 1.0, "b": 1.0}), hosts) == pytest.approx([0.25] * 2 + [0.125] * 4, abs=0.002)


def test_a_locality_with_half_of_its_hosts_counts_seven_tenths():
    hosts = [Host(zone=0), Host(zone=0, is_healthy=False), Host(zone=1), Host(zone=1)]

    assert shares(LocalityWeighted(weights={"a": 1.0, "b": 1.0}), hosts)[0] == pytest.approx(0.7 / 1.7, abs=0.005)


class TestZoneAware:
    def test_all_stay_where_the_zone_has_its_share_of_the_hosts(self):
        hosts = [Host(zone=0)] * 3 + [Host(zone=1)] * 3
        assert shares(ZoneAware(), hosts, callers=(1, 1)) == pytest.approx([1 / 3] * 3 + [0] * 3, abs=0.005)

    def test_the_rest_goes_where_there_is_room_to_spare(self):
        """Envoy's documentation: half of the callers with a fifth of the hosts keep 40 %, and send on the rest."""
        hosts = [Host(zone=0)] * 2 + [Host(zone=1)] * 8
        assert sum(shares(ZoneAware(), hosts, callers=(1, 1))[:2]) == pytest.approx(0.4, abs=0.01)

    def test_few_hosts_are_no_zones(self):
        hosts = [Host(zone=0)] * 2 + [Host(zone=1)] * 2
        assert shares(ZoneAware(), hosts, callers=(1, 1)) == pytest.approx([0.25] * 4, abs=0.005)
        assert shares(ZoneAware(min_cluster_size=4), hosts, callers=(1, 1)) == pytest.approx([0.5, 0.5, 0, 0], abs=0.005)

    def test_it_may_look_at_a_share_of_the_requests_only(self):
        hosts = [Host(zone=0)] * 3 + [Host(zone=1)] * 3
        half = shares(ZoneAware(routing_enabled=0.5), hosts, callers=(1, 1))
        assert sum(half[:3]) == pytest.approx(0.75, abs=0.01)

    def test_a_caller_without_hosts_in_its_zone_sends_where_there_is_room_to_spare(self):
        """Callers 5, 3 and 2, hosts only in zones b and c: 20 % and 30 % to spare."""
        hosts = [Host(zone=1)] * 3 + [Host(zone=2)] * 3
        assert sum(shares(ZoneAware(), hosts, callers=(5, 3, 2))[:3]) == pytest.approx(0.4, abs=0.01)

    def test_callers_in_one_zone_only_ignore_zones(self):
        hosts = [Host(zone=0)] * 3 + [Host(zone=1)] * 3
        assert shares(ZoneAware(), hosts, callers=(4,)) == pytest.approx([1 / 6] * 6, abs=0.005)

    def test_in_panic_zones_do_not_matter(self):
        hosts = [Host(zone=0)] * 3 + [Host(zone=1, is_healthy=False)] * 5
        assert shares(ZoneAware(), hosts, callers=(1, 1)) == pytest.approx([1 / 8] * 8, abs=0.005)


class TestFailover:
    def test_the_own_zone_until_less_than_five_sevenths_of_it_are_left(self):
        hosts = [Host(zone=0), Host(zone=0), Host(zone=0, is_healthy=False), Host(zone=1), Host(zone=2)]
        assert shares(LocalityFailover(), hosts) == pytest.approx([0.465, 0.465, 0, 0.035, 0.035], abs=0.01)

    def test_a_dead_zone_goes_to_the_one_that_is_named_for_it(self):
        hosts = [Host(zone=0, is_healthy=False), Host(zone=1), Host(zone=2)]
        assert shares(LocalityFailover(), hosts) == pytest.approx([0, 0.5, 0.5], abs=0.01)
        assert shares(LocalityFailover(failover={"a": "c"}), hosts) == pytest.approx([0, 0, 1], abs=0.01)

    def test_a_caller_elsewhere_starts_from_its_own_zone(self):
        hosts = [Host(zone=0), Host(zone=1)]
        assert shares(LocalityFailover(), hosts, own_zone=1) == [0, 1]


class TestDistribution:
    def test_it_is_by_the_zone_of_the_caller(self):
        hosts = [Host(zone=0), Host(zone=1)]
        policy = LocalityDistribute(distribute={"a": {"a": 80.0, "b": 20.0}})

        assert shares(policy, hosts) == pytest.approx([0.8, 0.2], abs=0.005)
        assert shares(policy, hosts, own_zone=1) == pytest.approx([0.5, 0.5], abs=0.005)

    def test_who_has_no_row_gives_each_zone_the_weight_of_its_hosts(self):
        """istiod's own weight of a locality, with Envoy's availability: of three hosts one is ill, so that 2.8 meet 3, and not two meet three."""
        hosts = [Host(zone=0, is_healthy=index > 0) for index in range(3)] + [Host(zone=1) for _ in range(3)]
        policy = LocalityDistribute(distribute={"c": {"a": 100.0}})

        assert sum(shares(policy, hosts)[:3]) == pytest.approx(2.8 / 5.8, abs=0.002)
        assert sum(shares(IgnoreZones(), hosts)[:3]) == pytest.approx(2 / 5, abs=0.002)

    def test_heavier_hosts_make_a_zone_heavier_there(self):
        hosts = [Host(zone=0, weight=3.0), Host(zone=1)]

        assert shares(LocalityDistribute(distribute={"c": {"a": 100.0}}), hosts) == pytest.approx([0.75, 0.25], abs=0.002)

    def test_zones_without_a_share_are_not_known(self):
        policy = LocalityDistribute(distribute={"a": {"a": 80.0, "b": 20.0}}).build(zones=NAMES)

        assert [policy.knows(zone, own_zone=0) for zone in range(3)] == [True, True, False]
        assert [policy.knows(zone, own_zone=1) for zone in range(3)] == [True, True, True]

    def test_a_star_is_for_all_callers_without_a_row_and_for_all_zones(self):
        policy = LocalityDistribute(distribute={"a": {"*": 100.0}, "*": {"a": 100.0}}).build(zones=NAMES)

        assert [policy.knows(zone, own_zone=0) for zone in range(3)] == [True, True, True]
        assert [policy.knows(zone, own_zone=2) for zone in range(3)] == [True, False, False]

    def test_a_zone_without_hosts_leaves_its_share_to_the_others(self):
        policy = LocalityDistribute(distribute={"a": {"a": 20.0, "b": 20.0, "c": 60.0}})

        assert shares(policy, [Host(zone=0), Host(zone=1)]) == pytest.approx([0.5, 0.5], abs=0.002)

    @pytest.mark.parametrize("policy", [IgnoreZones(), LocalityFailover(), ZoneAware(), LocalityWeighted(weights={"a": 1.0})])
    def test_no_other_policy_leaves_hosts_out(self, policy):
        """Envoy's weight of 0 is not the same: such hosts are in the list, and count."""
        assert policy.build(zones=NAMES).knows(2, own_zone=0)

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ({"a": {"a": 50.0}}, "the percents of a make 50 together, not 100"),
            (
                {"a": {"a": 100.0, "b": 0.0}},
                "the percents of a are from 1 to 100, and b has 0; a zone left out gets nothing",
            ),
            ({"a": {"b": 80.0, "*": 20.0}}, '"*" means every zone: it is the one share of a, or none of them'),
        ],
    )
    def test_what_istio_refuses_is_refused(self, rows, message):
        with pytest.raises(SettingError, match=re.escape(message)):
            LocalityDistribute(distribute=rows).check()


def test_a_zone_without_a_weight_is_used_when_no_zone_with_one_has_anybody():
    """Envoy makes no scheduler of localities then, and takes all healthy hosts of the priority."""
    hosts = [Host(zone=0, is_healthy=False), Host(zone=1), Host(zone=1), Host(zone=1)]
    policy = LocalityWeighted(weights={"a": 1.0})

    assert shares(policy, hosts) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.01)


def test_locality_weights_without_any_are_an_error():
    with pytest.raises(SettingError):
        LocalityWeighted(weights={"a": 0.0}).check()


def test_a_group_is_known_by_its_priority_and_zone_whoever_else_is_there():
    """So that a zone keeps its own turns, and what its balancer remembers, when another one comes or goes."""
    policy = LocalityWeighted(weights={"a": 1.0, "b": 1.0}).build(zones=NAMES)

    def sources(*ill):
        hosts = [Host(zone=zone, is_healthy=zone not in ill) for zone in range(2)]
        return policy.arrange(hosts, 0, (1,), 0.0, 1.4, Draw().at(1, 1)).sources

    assert sources() == [(0, 0), (0, 1)]
    assert sources(0) == [(0, 1)]
    assert IgnoreZones().build().arrange([Host()], 0, (1,), 0.5, 1.4, Draw().at(1, 1)).sources == [(0, -1)]
    assert IgnoreZones().build().arrange([Host(is_healthy=False)], 0, (1,), 0.5, 1.4, Draw().at(1, 1)).sources == [(0, -2)]
