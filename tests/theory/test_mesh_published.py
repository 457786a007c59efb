"""The mesh against published results: queue tails of two choices, hidden capacity under retries, hedging, and state that is each proxy's own."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms


def gateway(
    traffic: dict[str, Any], route: dict[str, Any] | None = None, *, rate: float, back: dict[str, Any], duration: str, replicas: int = 1,
    **rest: Any,
) -> ms.Result:  # fmt: skip
    """A service behind a gateway that takes no time."""
    return ms.load(
        {
            "name": "published",
            "deployment": "gateway",
            "load": {
                "clients": {
                    "executor": "constant-arrival-rate",
                    "arrivals": "poisson",
                    "rate": f"{rate}/s",
                    "requests": {"all": 1},
                }
            },
            "gateway": {
                "replicas": replicas,
                "routes": {"all": {"path": "/", "to": "back", **(route or {})}},
                "traffic": {"back": traffic},
            },
            "services": {"back": back},
            "run": {"duration": duration, **rest.pop("run", {})},
            **rest,
        }
    ).run()


def mean_response(balancer: Any, load: float) -> float:
    """Mean response time of 100 single-worker queues, in service times."""
    back = {"replicas": 100, "script": [{"compute": {"exponential": {"mean": "10ms"}}}]}
    run = {"warm_up": "2s", "records": "none"}
    result = gateway({"load_balancer": balancer}, rate=10_000 * load, back=back, duration="10s", run=run)
    return result.summary().total.latency.mean_s / 0.010


@pytest.mark.slow
def test_two_choices_have_the_queues_that_mitzenmacher_found():
    """Mitzenmacher 2001, table: 1.6202 at 0.7, 1.9585 at 0.8 for infinitely many queues; 100 queues: 1.625 and 1.968, standard error 1 %.

    Three standard errors of 80,000 requests with correlated waits, odds of a false alarm below 1 %.
    """
    assert mean_response({"least_request": {"choice_count": 2}}, 0.7) == pytest.approx(1.625, rel=0.02)
    assert mean_response({"least_request": {"choice_count": 2}}, 0.8) == pytest.approx(1.968, rel=0.03)


@pytest.mark.slow
def test_random_is_an_mm1_queue_each_and_the_shortest_queue_hardly_waits():
    assert mean_response("random", 0.7) == pytest.approx(1 / 0.3, rel=0.06)
    assert mean_response({"least_request": {"selection_method": "full_scan"}}, 0.8) < 1.15


def recovers(load: float) -> bool:
    """Whether a system with one retry is well a while after an outage of ten seconds, at this share of its capacity of 320/s."""
    back = {"replicas": 4, "workers": 2, "script": [{"compute": {"exponential": {"mean": "25ms"}}}]}
    retries = {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "250ms"}
    outage = [{"at": "10s", "for": "10s", "service": "back", "slow": 100}]
    result = gateway({}, {"retries": retries}, rate=320 * load, back=back, duration="80s", faults=outage)
    late = result.requests[result.requests["started_ns"] > 70e9]
    return bool((late["status"] == 200).mean() > 0.9)


def test_one_retry_halves_the_load_from_which_an_outage_ends_by_itself():
    """HotOS'21, "Metastable failures in distributed systems": with one retry a system is stable below half of its capacity, and
    vulnerable above: it works until something breaks it, and then never again.
    """
    assert recovers(0.35)
    assert not recovers(0.65)


def test_a_hedge_at_the_95th_percentile_costs_five_percent_and_cuts_the_tail():
    """Dean and Barroso, "The tail at scale": hedging after the 95th percentile adds about 5 % and takes the 99.9th from 1,800 to 74 ms.

    The shares of hedges are within what the running estimate of the quantile allows.
    """
    back = {"replicas": 20, "workers": 50, "script": [{"compute": {"lognormal": {"p50": "10ms", "p99": "400ms"}}}]}
    plain, hedged = (gateway(hedge, rate=500, back=back, duration="40s") for hedge in ({}, {"hedge_policy": {"quantile": "95%"}}))
    tail = [result.requests["latency_s"].quantile(0.999) for result in (plain, hedged)]
    share = hedged.destinations["hedges"].sum() / len(hedged.requests)

    assert share == pytest.approx(0.05, abs=0.015)
    assert tail[1] < tail[0] / 3


def test_a_budget_of_tokens_allows_a_fifth_more_in_an_outage_and_a_quota_none_in_the_long_run():
    """Finagle deposits on the first try: 1.2 times the load, plus its reserve of 10/s. The quota of an SDK runs empty."""
    back = {"replicas": 2, "workers": 50, "script": [{"compute": "1ms"}], "errors": "100%"}
    retries = {"retries": {"num_retries": 3, "retry_on": ["5xx"]}}
    tries = {}
    for name, budget in (("leaky_budget", {"min_retries_per_second": 0}), ("retry_quota", {})):
        result = gateway({"retry_token_budget": {name: budget}}, retries, rate=200, back=back, duration="30s")
        late = result.attempts[result.attempts["request_started_ns"] > 15e9]
        tries[name] = len(late) / late["request"].nunique()

    assert tries["leaky_budget"] == pytest.approx(1.2, abs=0.02)
    assert tries["retry_quota"] == 1.0


@pytest.fixture(scope="module", params=[1, 16])
def callers(request):
    return request.param


def test_ejections_are_each_proxys_own(callers):
    """Sixteen proxies each need five errors of their own before they eject a host."""
    back = {"replicas": 5, "workers": 50, "script": [{"compute": "1ms"}]}
    fault = [{"at": "1s", "for": "20s", "service": "back", "replicas": 1, "errors": "100%"}]
    outliers = {"outlier_detection": {"base_ejection_time": "60s", "max_ejection_percent": "20%"}, "load_balancer": "round_robin"}
    result = gateway(outliers, rate=400, back=back, duration="15s", replicas=callers, faults=fault)

    assert result.destinations["ejections"].sum() == callers
    assert (result.requests["status"] != 200).sum() == pytest.approx(5 * callers, abs=callers)


def test_budgets_are_each_proxys_own(callers):
    """The minimum of three retries at once is three for each proxy."""
    back = {"replicas": 5, "workers": 500, "script": [{"compute": "100ms"}], "errors": "100%"}
    retries = {"retries": {"num_retries": 1, "retry_on": ["5xx"]}}
    result = gateway(
        {"retry_budget": {"budget_percent": "0%"}},
        retries,
        rate=2000,
        back=back,
        duration="3s",
        replicas=callers,
        run={"interval": "10ms"},
    )

    assert result.destinations["active_retries"].max() == 3 * callers
