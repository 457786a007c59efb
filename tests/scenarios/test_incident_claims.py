"""What the scenario of a lost zone promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "zone-loss.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


@pytest.fixture(scope="module")
def after(results):
    """What came after the loss, of all routes together."""
    return {name: result.summary().recoveries[0] for name, result in results.items()}


def answered(result, from_s, until_s):
    """Share of the requests that were answered well."""
    started_ns = result.requests["started_ns"]
    rows = result.requests[(started_ns >= from_s * 1e9) & (started_ns < until_s * 1e9)]
    return float((rows["status"] == 200).mean())


def test_before_the_loss_all_is_well(results):
    assert all(answered(result, 0, 20) > 0.99 for result in results.values())


def test_as_it_is_the_zone_comes_back_and_nothing_gets_better(results, after):
    assert after["as-is"].outlives
    assert answered(results["as-is"], 50, 70) < 0.05
    assert not results["as-is"].passed
    assert all(result.passed for name, result in results.items() if name != "as-is")


def test_without_retries_it_is_over_when_the_zone_is_back(results, after):
    assert answered(results["no-retries"], 30, 40) < 0.95
    assert after["no-retries"].recovery_s <= 3


def test_dropping_what_has_waited_for_long_loses_little_and_ends_it_at_once(results, after):
    assert answered(results["drop-late"], 25, 40) > 0.93
    assert after["drop-late"].recovery_s <= 1
    assert after["drop-late"].lost < after["as-is"].lost / 20


def test_a_retry_budget_ends_it_in_seconds(after):
    assert 5 < after["retry-budget"].recovery_s < 25
    assert after["no-retries"].lost < after["retry-budget"].lost < after["as-is"].lost / 2


def test_with_spare_replicas_only_what_fails_before_the_probe_notices_is_lost(results, after):
    assert answered(results["spare-replicas"], 25, 70) > 0.99
    assert after["spare-replicas"].lost < 50
