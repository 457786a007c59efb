"""What the scenario of threads that wait for one slow dependency promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "thread-exhaustion.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def between(result, route, from_s, until_s):
    requests = result.requests[result.requests["route"] == f"shop/{route}"]
    return requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]


def answered(result, route, from_s=15, until_s=30):
    """Share of the requests of a route that were answered well; by default while recommendations have been slow for some time."""
    return float((between(result, route, from_s, until_s)["status"] == 200).mean())


def test_before_the_fault_and_after_it_nobody_notices(results):
    for result in results.values():
        for route in ("article", "checkout"):
            assert answered(result, route, 0, 9) == 1
            assert answered(result, route, 41, 50) == 1


def test_as_it_is_checkout_is_refused_although_it_asks_for_no_recommendations(results):
    as_is = results["as-is"]

    assert answered(as_is, "article") < 0.15
    assert 0.15 < answered(as_is, "checkout") < 0.35
    assert (between(as_is, "checkout", 15, 30)["response_flags"] == "queue_full").mean() > 0.6


def test_twice_as_many_threads_put_it_off_for_some_seconds(results):
    assert answered(results["as-is"], "checkout", 12, 15) < 0.5
    assert answered(results["more-threads"], "checkout", 12, 15) > 0.95
    assert answered(results["more-threads"], "checkout") < 0.7


def test_a_timeout_is_worth_what_its_length_is(results):
    long, short = results["timeout-3s"], results["timeout-1s"]

    assert answered(long, "checkout") < 0.95
    assert between(long, "checkout", 15, 30)["latency_s"].median() > 0.5
    assert answered(short, "article") == answered(short, "checkout") == 1
    assert 1 < between(short, "article", 15, 30)["latency_s"].median() < 1.05


def test_a_bulkhead_answers_at_once_all_but_the_few_who_are_in_it(results):
    alone, both = results["bulkhead"], results["bulkhead-and-timeout"]

    assert answered(alone, "checkout") == 1
    assert 0.95 < answered(alone, "article") < 1
    assert between(alone, "article", 15, 30)["latency_s"].median() < 0.02
    assert set(between(alone, "article", 15, 30)["response_flags"]) == {"-", "DC"}
    assert answered(both, "article") == answered(both, "checkout") == 1


def test_a_breaker_finds_out_and_asks_no_more(results):
    articles = between(results["breaker"], "article", 15, 30)

    assert answered(results["breaker"], "article") == answered(results["breaker"], "checkout") == 1
    assert articles["latency_s"].median() < 0.02
    assert 0 < (articles["latency_s"] > 0.9).mean() < 0.2
