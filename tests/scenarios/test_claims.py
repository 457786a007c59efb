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


@pytest.mark.slow
def test_every_variant_of_the_boutique_is_well_before_the_fault(boutique):
    assert all(good_share(result, 10, 60) > 0.99 for result in boutique.values())


@pytest.mark.slow
def test_a_budget_keeps_the_boutique_within_its_thresholds(boutique):
    assert boutique["timeouts-and-budget"].passed
    assert not boutique["as-is"].passed
    assert not boutique["aggressive-retries"].passed


@pytest.mark.slow
def test_aggressive_retries_never_recover_although_the_fault_is_over_at_90_s(boutique):
    assert good_share(boutique["as-is"], 100, 120) > 0.99
    assert good_share(boutique["timeouts-and-budget"], 100, 120) > 0.99
    assert good_share(boutique["aggressive-retries"], 100, 120) < 0.3


@pytest.mark.slow
def test_most_of_the_work_under_aggressive_retries_is_for_nobody(boutique):
    currency = next(service for service in boutique["aggressive-retries"].summary().services if service.name == "currencyservice")

    assert currency.wasted_share > 0.75


@pytest.mark.slow
def test_every_variant_gets_the_same_requests(boutique):
    one, *others = (result.requests[["started_ns", "route"]] for result in boutique.values())

    assert all(one.equals(other) for other in others)


@pytest.mark.slow
def test_retries_delay_the_recovery_of_checkout_and_browse_notices_nothing():
    """The fault lasts from 180 to 240 s; the half minute after it is where the variants differ."""
    within, browse = {}, {}
    for variant in ("as-is", "budget", "no-retries"):
        requests = ms.load(SCENARIOS / "checkout-brownout.yaml", variant=variant, duration="5m").run().requests
        after = requests[(requests["started_ns"] >= 240e9) & (requests["started_ns"] < 270e9)]
        checkout = after[after["route"] == "checkout"]
        within[variant] = ((checkout["status"] == 200) & (checkout["latency_s"] < 0.8)).mean()
        during = requests[(requests["route"] == "browse") & (requests["started_ns"] >= 180e9) & (requests["started_ns"] < 240e9)]
        browse[variant] = ((during["status"] == 200) & (during["latency_s"] < 0.2)).mean()

    assert within["as-is"] == pytest.approx(0.56, abs=0.03)
    assert within["budget"] == pytest.approx(0.67, abs=0.03)
    assert within["no-retries"] == pytest.approx(0.80, abs=0.03)
    assert min(browse.values()) > 0.99
