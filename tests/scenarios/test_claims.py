"""What the comments of the scenarios promise, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


@pytest.fixture(scope="module")
def boutique():
    return {
        name: ms.load(SCENARIOS / "online-boutique.yaml", variant=name).run()
        for name in ("as-is", "timeouts-and-budget", "aggressive-retries")
    }


def good_share(result, from_s, until_s):
    """Share of the requests that started in a stretch of time and were answered well within 2 s."""
    requests = result.requests
    some = requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]
    return ((some["status"] == 200) & (some["latency_s"] < 2)).mean()


def test_every_variant_of_the_boutique_is_well_before_the_fault(boutique):
    assert all(good_share(result, 10, 60) > 0.99 for result in boutique.values())


def test_a_budget_keeps_the_boutique_within_its_thresholds(boutique):
    assert boutique["timeouts-and-budget"].passed
    assert not boutique["as-is"].passed
    assert not boutique["aggressive-retries"].passed


def test_aggressive_retries_never_recover_although_the_fault_is_over_at_90_s(boutique):
    assert good_share(boutique["as-is"], 100, 120) > 0.99
    assert good_share(boutique["timeouts-and-budget"], 100, 120) > 0.99
    assert good_share(boutique["aggressive-retries"], 100, 120) < 0.3


def test_most_of_the_work_under_aggressive_retries_is_for_nobody(boutique):
    currency = next(service for service in boutique["aggressive-retries"].summary().services if service.name == "currencyservice")

    assert currency.wasted_share > 0.75


def test_every_variant_gets_the_same_requests(boutique):
    one, *others = (result.requests[["started_ns", "route"]] for result in boutique.values())

    assert all(one.equals(other) for other in others)
