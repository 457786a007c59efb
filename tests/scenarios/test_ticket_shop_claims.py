"""What the scenario of the ticket shop promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "ticket-shop.yaml"
pytestmark = pytest.mark.slow
BEFORE, SLOW_PROVIDER, DEPLOY, ZONE_LOST, AT_THE_END = (10, 40), (61, 75), (86, 105), (130, 150), (155, 180)


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def between(result, route, when):
    requests = result.requests[result.requests["route"] == route]
    return requests[(requests["started_ns"] >= when[0] * 1e9) & (requests["started_ns"] < when[1] * 1e9)]


def answered(result, route, when):
    return float((between(result, route, when)["status"] == 200).mean())


def orders(result):
    return result.summary().message_queues_frame().loc["orders"]


def test_nobody_notices_the_sale_the_deploy_and_the_end(results):
    for result in results.values():
        for route in ("browse", "buy"):
            for when in (BEFORE, (45, 58), DEPLOY, AT_THE_END):
                assert answered(result, route, when) == 1


def test_as_it_is_half_of_the_purchases_fail_while_the_provider_is_slow_and_some_visits_too(results):
    as_is = results["as-is"]

    assert 0.35 < answered(as_is, "buy", SLOW_PROVIDER) < 0.65
    assert 0.85 < answered(as_is, "browse", SLOW_PROVIDER) < 0.95
    assert set(between(as_is, "browse", SLOW_PROVIDER)["response_flags"]) == {"-", "pool_timeout"}


@pytest.mark.parametrize("name", ["provider-outside", "prepared"])
def test_with_the_provider_outside_all_go_through_as_slowly_as_it_is(results, name):
    bought = between(results[name], "buy", SLOW_PROVIDER)

    assert answered(results[name], "browse", SLOW_PROVIDER) == answered(results[name], "buy", SLOW_PROVIDER) == 1
    assert 1.2 < bought["latency_s"].median() < 1.5


def test_the_more_is_sold_the_later_tickets_come_unless_somebody_prints_them(results):
    late = {name: orders(result)["oldest_peak_s"] for name, result in results.items()}

    assert 3 < late["as-is"] < late["provider-outside"]
    assert late["prepared"] < 1
    assert orders(results["prepared"])["dead_lettered"] == 0


def test_the_autoscaler_and_the_deploy_do_what_they_should(results):
    as_is, prepared = results["as-is"], results["prepared"]

    assert as_is.autoscaling["desired"].max() > 9
    (deploy,) = prepared.summary().rollouts
    assert deploy.available_least == 12


def test_the_loss_of_a_zone_costs_a_prepared_shop_less(results):
    lost = {
        name: sum((between(result, route, ZONE_LOST)["status"] != 200).sum() for route in ("browse", "buy"))
        for name, result in results.items()
    }

    assert 0 < lost["prepared"] < lost["as-is"] < 30
