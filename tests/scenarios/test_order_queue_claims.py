"""What the scenario of the order queue promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "order-queue-falls-behind.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def orders(result):
    return next(one for one in result.summary().message_queues if one.queue == "orders")


def at(result, second, column="waiting"):
    rows = result.message_queues.query("queue == 'orders'").set_index("time_ns")
    return rows.loc[round(second * 1e9), column]


def test_customers_notice_nothing_but_where_they_are_told(results):
    assert all(result.summary().total.latency.p99_s < 0.01 for result in results.values())
    failed = {name: result.summary().total.failures for name, result in results.items()}
    assert failed.pop("told") > 500
    assert set(failed.values()) == {0}


def test_before_the_outage_no_queue_stands(results):
    assert all(at(result, second) < 60 for result in results.values() for second in (5, 10, 15, 20))


def test_the_queue_falls_behind_and_catches_up(results):
    result = results["as-is"]

    assert 850 < at(result, 40) < 1100
    assert 8 < orders(result).oldest_peak_s < 12
    assert at(result, 50) > 200
    assert max(at(result, second) for second in (60, 70, 80, 90)) < 60
    assert orders(result).redelivered == 0


def test_a_short_visibility_timeout_does_a_fifth_twice_and_does_not_catch_up(results):
    short, found = results["short-visibility"], orders(results["short-visibility"])

    assert 0.15 < found.done_again / found.delivered < 0.3
    assert at(short, 40) > 1.3 * at(results["as-is"], 40)
    assert at(short, 80) > 200
    assert found.dead_lettered > 5


def test_a_limit_leaves_orders_unbooked_or_tells_customers(results):
    bounded, told = orders(results["bounded"]), orders(results["told"])

    assert 500 < bounded.dead_lettered < 800
    assert results["bounded"].summary().total.failures == 0
    assert bounded.oldest_peak_s < 5
    assert (told.dropped, told.rejected) == (0, results["told"].summary().total.failures)


def test_more_replicas_halve_the_peak(results):
    nine = results["nine-replicas"]

    assert orders(nine).lag_peak < 0.55 * orders(results["as-is"]).lag_peak
    assert at(nine, 50) < 60
