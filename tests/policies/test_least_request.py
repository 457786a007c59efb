"""Least request: what is drawn, what wins, and what weights change."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import NO_HASH, LeastRequest
from meshsim.randomness import LOAD_BALANCER, Draw

NO_CHANCE = Scripted()


def pick(hosts, *drawn, **settings):
    return LeastRequest(**settings).build(endpoints=hosts, draw=NO_CHANCE).pick(hosts, Scripted(*drawn), 0, NO_HASH)


def test_two_endpoints_are_drawn_unless_told_otherwise_and_the_less_busy_one_wins():
    hosts = endpoints([3, 1, 2])

    assert pick(hosts, 0, 1) == 1
    assert pick(hosts, 1, 0) == 1
    assert pick(hosts, 0, 2) == 2


def test_a_tie_goes_to_the_first_drawn():
    hosts = endpoints([1, 1, 1])

    assert pick(hosts, 2, 0) == 2
    assert pick(hosts, 1, 2, 0, choice_count=3) == 1


@pytest.mark.parametrize(
    ("choice_count", "drawn", "picked"), [(1, [0], 0), (2, [0, 1], 1), (3, [0, 1, 2], 2), (4, [0, 1, 2, 3], 3)]
)
def test_choice_count_endpoints_are_compared(choice_count, drawn, picked):
    hosts = endpoints([4, 3, 2, 1])

    assert pick(hosts, *drawn, choice_count=choice_count) == picked


def test_one_choice_is_plain_random():
    hosts = endpoints([50, 0])
    balancer, draw = LeastRequest(choice_count=1).build(endpoints=hosts, draw=NO_CHANCE), Draw()

    picks = Counter(balancer.pick(hosts, draw.at(attempt, LOAD_BALANCER), 0, NO_HASH) for attempt in range(10_000))

    assert picks[0] == pytest.approx(5000, abs=4 * 50)


def test_both_draws_may_be_the_same_endpoint_so_a_quarter_of_the_picks_go_to_the_busier_of_two(shared):
    """Draws (0,0), (0,1), (1,0), (1,1): only the first gives the busier endpoint 0."""
    rows = json.loads((shared / "reference" / "golden" / "theory.json").read_text())
    rows = rows["rows"] if isinstance(rows, dict) else rows
    wrong = next(row["value"] for row in rows if row["id"] == "envoy_p2c_2hosts_wrong")
    hosts = endpoints([1, 0])

    picks = [pick(hosts, first, second) for first in (0, 1) for second in (0, 1)]

    assert picks.count(0) / len(picks) == wrong == 0.25


def test_with_real_draws_too_a_quarter_goes_to_the_busier_of_two():
    hosts = endpoints([1, 0])
    balancer, draw = LeastRequest().build(endpoints=hosts, draw=NO_CHANCE), Draw()

    busier = (
        sum(balancer.pick(hosts, draw.at(attempt * 31, LOAD_BALANCER), 0, NO_HASH) == 0 for attempt in range(20_000)) / 20_000
    )

    assert busier == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 20_000) ** 0.5)


def test_with_different_weights_nothing_is_drawn_for_a_pick():
    hosts = endpoints([0, 0], weights=[1.0, 2.0])
    balancer = LeastRequest().build(endpoints=hosts, draw=Scripted(0))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(6)] == [1, 0, 1, 1, 0, 1]


def test_weighted_turns_begin_after_a_random_number_of_them():
    hosts = endpoints([0, 0], weights=[1.0, 2.0])
    balancer = LeastRequest().build(endpoints=hosts, draw=Scripted(1))

    assert [balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(5)] == [0, 1, 1, 0, 1]


def test_a_busy_endpoint_counts_as_its_weight_over_one_more_than_its_requests():
    """Weights 2 and 1, two requests in flight at the first: 2/3 against 1, so that the second gets more turns."""
    hosts = endpoints([2, 0], weights=[2.0, 1.0])
    balancer = LeastRequest().build(endpoints=hosts, draw=Scripted(0))

    picks = Counter(balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(500))

    assert picks[0] == pytest.approx(200, abs=1)
    assert picks[1] == pytest.approx(300, abs=1)


def test_the_weight_of_a_turn_is_read_at_the_pick():
    """Idle, the two take turns 2:1; when the heavier has five in flight, 2/6 against 1 makes it 1:3."""
    hosts = endpoints([0, 0], weights=[2.0, 1.0])
    balancer = LeastRequest().build(endpoints=hosts, draw=Scripted(0))

    idle = Counter(balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(300))
    hosts[0].in_flight = 5
    busy = Counter(balancer.pick(hosts, NO_CHANCE, 0, NO_HASH) for _ in range(400))

    assert idle[0] == pytest.approx(200, abs=1)
    assert busy[0] == pytest.approx(100, abs=2)
