"""Random."""

from __future__ import annotations

from collections import Counter

from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import NO_HASH, Random
from meshsim.randomness import LOAD_BALANCER, Draw


def test_the_endpoint_is_the_one_drawn_among_all():
    hosts = endpoints([0, 0, 0])
    draw = Scripted(2, 0, 2)
    balancer = Random().build(endpoints=hosts, draw=draw)

    assert [balancer.pick(hosts, draw, 0, NO_HASH) for _ in range(3)] == [2, 0, 2]
    assert draw.asked == [3, 3, 3]


def test_weights_and_load_are_not_looked_at():
    hosts = endpoints([100, 0], weights=[1.0, 1000.0])
    balancer = Random().build(endpoints=hosts, draw=Scripted())

    assert balancer.pick(hosts, Scripted(0), 0, NO_HASH) == 0
    assert balancer.pick(hosts, Scripted(1), 0, NO_HASH) == 1


def test_all_endpoints_are_equally_likely():
    hosts = endpoints([0] * 5, weights=[1.0, 2.0, 3.0, 4.0, 5.0])
    balancer, draw = Random().build(endpoints=hosts, draw=Scripted()), Draw()

    picks = Counter(balancer.pick(hosts, draw.at(attempt * 977, LOAD_BALANCER), 0, NO_HASH) for attempt in range(10_000))

    assert all(abs(picks[index] - 2000) < 4 * (10_000 * 0.2 * 0.8) ** 0.5 for index in range(5))
