"""Message queues against exact theory: a queue with c consumers is M/M/c, partitions are separate M/M/1s, deliveries are geometric.

Each asserts 99.9 % intervals: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

from math import sqrt

import pytest
from statistics_of_runs import erlang_c, replicate

import meshsim as ms


def published(rate, queue=None, *, duration="40s", work="10ms", **worker):
    """Messages of Poisson arrivals, each worked on for an exponential time."""
    return {
        "name": "published",
        "load": {"clients": {"executor": "constant-arrival-rate", "rate": rate, "arrivals": "poisson", "requests": {"shop": 1}}},
        "queues": {"orders": queue or {}},
        "services": {
            "shop": {"workers": 1000, "script": [{"publish": "orders"}]},
            "worker": {"consumes": {"orders": {}}, "script": [{"compute": {"exponential": {"mean": work}}}], **worker},
        },
        "run": {"duration": duration, "warm_up": "2s"},
    }


def orders(result):
    return result.summary().message_queues[0]


@pytest.mark.parametrize(("replicas", "workers"), [(3, 1), pytest.param(1, 3, marks=pytest.mark.slow)])
def test_the_time_in_the_queue_and_its_length_are_those_of_m_m_c(replicas, workers):
    """E[T] = C(c, a) / (c mu - lambda) + 1 / mu, and L = lambda E[T] (Kleinrock 1975, section 3.5)."""
    scenario = published("210/s", replicas=replicas, workers=workers)
    time, lag = replicate(scenario, 6, lambda result: orders(result).time_mean_s, lambda result: orders(result).lag_mean)
    expected = erlang_c(3, 2.1) / (300 - 210) + 0.010

    assert time.agrees(expected, 0.14), time
    assert lag.agrees(210 * expected, 0.16), lag


def test_partitions_are_separate_queues_with_one_server_each():
    """Three M/M/1: E[T] = 1 / (mu - lambda / 3), however many workers there are."""
    (time,) = replicate(
        published("180/s", {"partitions": 3}, replicas=3, workers=9), 6, lambda result: orders(result).time_mean_s
    )

    assert time.agrees(1 / (100 - 60), 0.16), time


def test_deliveries_of_a_message_are_geometric():
    """P(n) = (1 - p) p^(n-1) for a failure probability p; after three in vain p^3 are dead letters. z of 3.29: 99.9 %."""
    result = ms.load(
        published("300/s", {"max_deliveries": 3, "dead_letter": "dead"}, duration="20s", work="1ms", workers=50, errors="30%")
        | {"queues": {"orders": {"max_deliveries": 3, "dead_letter": "dead"}, "dead": {}}}
    ).run()
    rows = result.messages[(result.messages["queue"] == "orders") & (result.messages["became"] != "left")]
    count = len(rows)
    shares = {
        ("consumed", 1): 0.7, ("consumed", 2): 0.7 * 0.3, ("consumed", 3): 0.7 * 0.09, ("dead_lettered", 3): 0.027,
    }  # fmt: skip

    assert count > 5000
    for (end, deliveries), share in shares.items():
        found = ((rows["became"] == end) & (rows["deliveries"] == deliveries)).sum() / count
        assert abs(found - share) < 3.29 * sqrt(share * (1 - share) / count), (end, deliveries, found)
    assert (result.messages["queue"] == "dead").sum() == (rows["became"] == "dead_lettered").sum()
