"""Where turns begin: at a random place in their cycle, at the start and after each change of the list."""

from __future__ import annotations

from collections import Counter

import pytest
from hosts import Host
from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import NO_HASH, ClientSideWeightedRoundRobin, LeastRequest, PeakEwma, RoundRobin
from meshsim.policies.load_balancing.deterministic_subsetting import DeterministicSubsetting
from meshsim.policies.load_balancing.earliest_deadline import MOST_PICKS, EarliestDeadline
from meshsim.policies.locality import LocalityWeighted
from meshsim.randomness import LOAD_BALANCER, LOCALITY, Draw
from meshsim.units import NS_PER_S

NO_CHANCE = Scripted()


def take(scheduler, weights, count):
    return [scheduler.take(weights[scheduler.peek()]) for _ in range(count)]


@pytest.mark.parametrize("weights", [[25.0, 75.0], [100.0, 10.0], [1.0, 2.0, 3.0, 4.5], [0.7, 0.31, 12.0, 3.0, 3.7]])
@pytest.mark.parametrize("picks", [1, 2, 23, 110, 4711])
def test_turns_that_are_reckoned_are_those_that_would_have_been_taken(weights, picks):
    """As Envoy's own test: shares over the next hundred turns; rounding may change the order of equal deadlines."""
    by_hand = EarliestDeadline(weights)
    take(by_hand, weights, picks)
    reckoned = EarliestDeadline(weights, picks)

    one, other = (Counter(take(each, weights, 100)) for each in (by_hand, reckoned))
    assert all(abs(one[index] - other[index]) <= 1 for index in range(len(weights)))


def test_weights_without_ties_give_the_very_same_turns():
    weights = [1.0, 3.7, 12.1]
    by_hand, reckoned = EarliestDeadline(weights), EarliestDeadline(weights, 1234)
    take(by_hand, weights, 1234)

    assert take(reckoned, weights, 200) == take(by_hand, weights, 200)


def test_hundreds_of_millions_of_turns_are_reckoned_and_not_taken(monkeypatch):
    taken = []
    was = EarliestDeadline.take
    monkeypatch.setattr(EarliestDeadline, "take", lambda self, weight: taken.append(weight) or was(self, weight))
    EarliestDeadline([100.0, 10.0, 3.0, 7.0], MOST_PICKS - 1)

    assert len(taken) <= 8


@pytest.mark.parametrize("policy", [RoundRobin(), LeastRequest()])
def test_of_many_proxies_with_one_request_each_the_light_endpoint_gets_its_share(policy):
    """10 of 110, 9.1 % of 4,000 first picks (4.5 standard errors of 0.45 %); begun at the first turn it would be none."""
    hosts = endpoints([0, 0], weights=[100.0, 10.0])
    first = Counter(
        policy.build(endpoints=hosts, draw=Draw().at(proxy * 7919, LOAD_BALANCER)).pick(hosts, NO_CHANCE, 0, NO_HASH)
        for proxy in range(4000)
    )

    assert first[1] / 4000 == pytest.approx(10 / 110, abs=0.0205)


def test_round_robin_counts_on_and_does_not_stay_near_the_beginning_of_a_longer_list():
    """Envoy's index is never reduced: the seventh pick of four is the third, wherever the turns of three had been."""
    hosts = endpoints([0] * 4)
    balancer = RoundRobin().build(endpoints=hosts[:3], draw=Scripted(5))
    assert balancer.pick(hosts[:3], NO_CHANCE, 0, NO_HASH) == 2

    balancer.update(hosts, NO_CHANCE)
    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(3)] == [2, 3, 0]


def test_a_proxys_weighted_turns_begin_at_the_same_place_again_when_the_list_changes():
    """Envoy's seed_ is drawn once for each balancer."""
    hosts = endpoints([0] * 3, weights=[3.0, 1.0, 1.0])
    balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(2))
    first = [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(2)]

    balancer.update(hosts, NO_CHANCE)
    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(2)] == first == [1, 2]


def test_a_list_that_changes_with_every_request_leaves_no_zone_out():
    """20 % of 4,000 requests (4.5 standard errors of 0.63 %), each after a change; turns from the first on would never come to zone b."""
    hosts = [Host(0), Host(1)]
    policy, draw = LocalityWeighted(weights={"a": 80.0, "b": 20.0}).build(zones=("a", "b")), Draw()
    picked = Counter(policy.arrange(hosts, 0, (1,), 0.5, 1.4, draw.at(change, LOCALITY)).choose(draw) for change in range(4000))

    assert picked[1] / 4000 == pytest.approx(0.2, abs=0.0285)


def test_between_changes_zones_take_exact_turns():
    hosts, draw = [Host(0), Host(1)], Draw()
    made = LocalityWeighted(weights={"a": 80.0, "b": 20.0}).build(zones=("a", "b"))
    arrangement = made.arrange(hosts, 0, (1,), 0.5, 1.4, draw.at(1, LOCALITY))

    assert Counter(arrangement.choose(draw) for _ in range(500)) == {0: 400, 1: 100}


class TestBeside:
    """Balancers of other zones of the same view."""

    @staticmethod
    def reporting(rate):
        hosts = endpoints([0, 0])
        for index, host in enumerate(hosts):
            host.index, host.reported_ns, host.request_rate, host.utilisation = index, 0, rate[index], 0.5
        return hosts

    @pytest.mark.parametrize("wrap", [lambda policy: policy, lambda policy: DeterministicSubsetting(load_balancer=policy)])
    def test_a_blackout_does_not_begin_again_with_another_zone(self, wrap):
        hosts = self.reporting([300.0, 100.0])
        policy = wrap(ClientSideWeightedRoundRobin(blackout_period="10s"))
        balancer = policy.build(endpoints=hosts, draw=Draw().at(1, 1))
        balancer.pick(hosts, NO_CHANCE, 0, NO_HASH)

        other = policy.beside(balancer, hosts, Draw().at(2, 1), 0, 1)
        assert Counter(other.pick(hosts, NO_CHANCE, 11 * NS_PER_S, NO_HASH) for _ in range(400)) == {0: 300, 1: 100}

    def test_estimates_are_known_there_too(self):
        hosts = self.reporting([1.0, 1.0])
        balancer = PeakEwma().build(endpoints=hosts, draw=NO_CHANCE)
        balancer.done(hosts[0], 0, 5 * NS_PER_S, is_failure=False)

        assert PeakEwma().beside(balancer, hosts, NO_CHANCE, 0, 1).cost(hosts[0], 0) == 5 * NS_PER_S

    def test_turns_are_its_own(self):
        hosts = endpoints([0, 0, 0])
        balancer = RoundRobin().build(endpoints=hosts, draw=Scripted(0))
        other = RoundRobin().beside(balancer, hosts, Scripted(2), 0, 1)

        assert (balancer.pick(hosts, NO_CHANCE, 0, NO_HASH), other.pick(hosts, NO_CHANCE, 0, NO_HASH)) == (0, 2)
