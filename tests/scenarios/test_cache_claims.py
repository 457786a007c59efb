"""What the scenario of the cache stampede promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "cache-stampede.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def answered(result, from_s, until_s):
    """Share of the requests that were answered well."""
    requests = result.requests
    these = requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]
    return float((these["status"] == 200).mean())


def queries(result, from_s=10, until_s=40):
    sent = result.attempts.query("service == 'database'")["sent_ns"]
    return int(((sent >= from_s * 1e9) & (sent < until_s * 1e9)).sum())


def test_before_the_flush_the_database_has_little_to_do(results):
    assert all(answered(result, 0, 10) == 1 for result in results.values())
    assert queries(results["as-is"], 0, 10) < 6 * 10


def test_as_it_is_the_shop_never_recovers(results):
    assert 0.5 < answered(results["as-is"], 20, 30) < 0.65
    assert 0.5 < answered(results["as-is"], 30, 40) < 0.65
    assert all(recovery.is_never for recovery in results["as-is"].summary().recoveries)


def test_single_flight_halves_the_queries_and_does_not_help(results):
    assert 0.4 < queries(results["single-flight"]) / queries(results["as-is"]) < 0.65
    assert answered(results["single-flight"], 30, 40) < 0.75


def test_a_load_that_goes_on_fills_the_cache_again(results):
    assert answered(results["keep-loading"], 12, 14) < 0.9
    assert answered(results["keep-loading"], 20, 40) > 0.99


def test_both_are_there_sooner_with_half_the_queries(results):
    assert answered(results["both"], 14, 40) > 0.99
    assert queries(results["both"]) < 0.6 * queries(results["keep-loading"])


def test_a_short_queue_does_as_well_without_either(results):
    assert answered(results["short-queue"], 14, 40) > 0.99
