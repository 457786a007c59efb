"""What the scenario of queue disciplines promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "fail-at-scale.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def between(result, from_s, until_s):
    requests = result.requests
    return requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]


def good_share(rows):
    return float((rows["status"] == 200).mean())


def quantile_s(rows, q):
    return float(rows.loc[rows["status"] == 200, "latency_s"].quantile(q))


def wasted_share(result):
    return next(service for service in result.summary().services if service.name == "catalog").wasted_share


def test_first_come_first_served_answers_nobody_in_time_although_it_is_always_busy(results):
    assert good_share(between(results["fifo"], 12, 30)) < 0.02
    assert wasted_share(results["fifo"]) > 0.7


def test_it_does_not_recover_in_the_ten_seconds_after_the_overload(results):
    assert good_share(between(results["fifo"], 30, 40)) < 0.02
    assert all(good_share(between(results[name], 31, 40)) > 0.95 for name in ("longest-wait", "codel", "lifo", "adaptive-lifo"))


@pytest.mark.parametrize("name", ["longest-wait", "codel", "lifo", "adaptive-lifo"])
def test_whatever_keeps_the_queue_short_saves_what_the_service_can_do(results, name):
    """It can do 241 of 320 requests a second, 75 %."""
    assert 0.70 < good_share(between(results[name], 12, 30)) < 0.78


def test_only_the_last_in_first_out_ones_answer_fast(results):
    medians = {name: quantile_s(between(results[name], 12, 30), 0.5) for name in results if name not in ("fifo", "priority")}

    assert max(medians["lifo"], medians["adaptive-lifo"]) < 0.03
    assert min(medians["longest-wait"], medians["codel"]) > 0.06


def test_codel_has_the_longest_tail_and_controlled_delay_wastes_nothing(results):
    tails = {
        name: quantile_s(between(results[name], 12, 30), 0.99) for name in ("longest-wait", "codel", "lifo", "adaptive-lifo")
    }

    assert max(tails, key=tails.get) == "codel"
    assert min(tails, key=tails.get) == "adaptive-lifo"
    assert 0.1 < wasted_share(results["lifo"]) < 0.2
    assert wasted_share(results["adaptive-lifo"]) == 0.0


def test_two_of_three_who_are_refused_learn_it_after_five_milliseconds_and_the_others_after_a_hundred(results):
    rows = between(results["adaptive-lifo"], 12, 30)
    told_s = rows.loc[rows["response_flags"] == "shed", "latency_s"]

    assert set(told_s) == {0.005, 0.1}
    assert 0.6 < (told_s == 0.005).mean() < 0.7


def test_by_priority_shoppers_feel_nothing_and_crawlers_get_nothing(results):
    rows = between(results["priority"], 12, 40)

    assert good_share(rows[rows["source"] == "shoppers"]) > 0.999
    assert good_share(rows[rows["source"] == "crawlers"]) < 0.01
