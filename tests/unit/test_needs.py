"""What a run takes at the least is known before it begins, and what cannot be is refused with the setting that asks for it."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms
from meshsim.errors import ScenarioError
from meshsim.planning import make_plan
from meshsim.planning.needs import BYTES_OF_A_PLACE, Refusal, refusals
from meshsim.scenario.sections.model import Scenario

MEMORY = 8.0 * 2**30
TO_TRY = ", or run.limits: false to try it all the same"


def scenario(**sections: Any) -> dict[str, Any]:
    """A service that calls another one, ten times a second."""
    front = {"script": [{"compute": "1ms"}, {"call": "back"}]}
    back = {"script": [{"compute": "1ms"}]}
    services = sections.pop("services", {})
    return {
        "name": "needs",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"front": 1}}
        },
        "services": {"front": front | services.get("front", {}), "back": back | services.get("back", {})},
        "run": {"duration": "100s"},
        **sections,
    }


def refused(**sections: Any) -> list[Refusal]:
    return refusals(make_plan(Scenario.model_validate(scenario(**sections))), MEMORY)


def of_back(**settings: Any) -> dict[str, Any]:
    return {"deployment": "mesh", "mesh": {"traffic": {"back": settings}}}


def test_nothing_is_said_of_what_fits() -> None:
    assert refused() == []
    assert refused(**of_back(outlier_detection={"consecutive_5xx": 5}, load_balancer="ring_hash", hash_on="user")) == []


def test_a_billion_requests_are_not_begun() -> None:
    load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1000M/s", "requests": {"front": 1}}}

    assert refused(load=load, run={"duration": "1s"}) == [
        Refusal(
            ("load", "clients"),
            "a run takes 3,000,000,000 events at the least, most of it for the requests of clients, and can have 2,000,000,000;"
            f" ask for a lower rate, or a shorter run{TO_TRY}",
        )
    ]


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ({"states": [{"intensity": number, "lasts": "1ms"} for number in (0, 1)], "sources": 100_000}, "bursts"),
        ({"amplitude": "50%", "period": "1ms"}, "sinusoid"),
    ],
)
def test_a_rate_that_changes_too_often_is_not_begun(shape: dict[str, Any], name: str) -> None:
    load = {
        "clients": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "1/s", "requests": {"front": 1}, name: shape}
    }
    duration = "100s" if name == "bursts" else "10000s"

    (refusal,) = refused(load=load, run={"duration": duration})

    assert refusal.path == ("load", "clients", name)
    assert f"most of it for the {name} of clients" in refusal.message
    assert refusal.message.endswith(f"; write slower {name}{TO_TRY}")


def test_ten_thousand_replicas_that_call_ten_thousand_need_too_much_memory() -> None:
    load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1k/s", "requests": {"front": 1}}}
    many = {"front": {"replicas": 10_000}, "back": {"replicas": 10_000}}

    assert refused(load=load, services=many, deployment="mesh", mesh={}) == [
        Refusal(
            ("services", "back", "replicas"),
            "a run takes 37.3 GiB of memory at the least, most of it for what each of 10,000 callers knows of the 10,000 instances of"
            f" back, and can have 8 GiB; write fewer replicas here or at the callers{TO_TRY}",
        )
    ]


def test_callers_that_never_call_know_nobody() -> None:
    """Ten requests are at most ten callers' first ones."""
    many = {"front": {"replicas": 10_000}, "back": {"replicas": 10_000}}

    assert refused(services=many, run={"duration": "1s"}) == []


def test_an_interval_of_a_microsecond_makes_too_many_rows() -> None:
    (one,) = refused(services={"back": {"replicas": 10_000}}, run={"duration": "1s", "interval": "1us"})

    assert one == Refusal(
        ("run", "interval"),
        "a run takes 10,000,000,000 rows over time at the least, most of it for what stations and proxies look like at each interval,"
        f" and can have 200,000,000; write a longer run.interval{TO_TRY}",
    )


def test_a_request_that_computes_for_weeks_keeps_the_intervals_going() -> None:
    (one,) = refused(services={"back": {"replicas": 200, "script": [{"compute": "500h"}]}})

    assert one == Refusal(
        ("run", "interval"),
        "a run takes 362,000,000 rows over time at the least, most of it for what stations and proxies look like at each interval, and"
        " can have 200,000,000; write a longer run.interval (a request that computes for 500 hours keeps the run going for so"
        f" long){TO_TRY}",
    )
    assert refused(services={"back": {"replicas": 200, "script": [{"compute": "500h"}], "on_cancel": "stop"}}) == []


def test_a_request_that_computes_for_ten_years_has_too_many_intervals() -> None:
    (one,) = refused(services={"back": {"script": [{"compute": "87600h"}]}}, run={"duration": "100s", "interval": "10s"})

    assert one == Refusal(
        ("run", "interval"),
        "a run takes 31,500,000 intervals at the least, most of it for rows over time, and can have 3,000,000; write a longer"
        f" run.interval (a request that computes for 87,600 hours keeps the run going for so long){TO_TRY}",
    )


@pytest.mark.parametrize(
    ("settings", "field", "what"),
    [
        (
            {"outlier_detection": {"consecutive_5xx": 5, "interval": "1ns"}},
            "outlier_detection",
            "sweeps of outlier detection of back",
        ),
        (
            {"health_checks": {"interval": "1ns", "timeout": "1ns", "healthy_threshold": 1, "unhealthy_threshold": 1}},
            "health_checks",
            "health checks of back",
        ),
        ({"load_balancer": {"least_reported_load": {"report_interval": "1ns"}}}, "load_balancer", "reports of load of back"),
    ],
)
def test_what_happens_each_nanosecond_is_refused(settings: dict[str, Any], field: str, what: str) -> None:
    (one,) = refused(**of_back(**settings))

    assert one.path == ("mesh", "traffic", "back", field)
    assert one.message == (
        f"a run takes 100,000,000,000 events at the least, most of it for {what}, and can have 2,000,000,000; write a longer"
        f" interval{TO_TRY}"
    )


def test_lookups_each_nanosecond_are_refused() -> None:
    back = {"replicas": 2, "scale": [{"at": "1s", "replicas": 1}]}
    (one,) = refused(services={"back": back}, deployment="none", direct={"discovery": {"dns_refresh": "1ns"}})

    assert one.path == ("direct", "discovery", "dns_refresh")
    assert "most of it for lookups of back, and can have" in one.message


def test_a_table_of_hashes_counts_once_for_all_who_use_it() -> None:
    settings = of_back(load_balancer={"ring_hash": {"minimum_ring_size": 8_388_608}}, hash_on="user")
    places = 8_388_608 * BYTES_OF_A_PLACE
    plan = make_plan(Scenario.model_validate(scenario(services={"front": {"replicas": 100}}, **settings)))

    assert refusals(plan, MEMORY) == []
    (one,) = refusals(plan, places)
    assert one.path == ("mesh", "traffic", "back", "load_balancer")
    assert one.message.startswith("a run takes 0.469 GiB of memory at the least, most of it for the table of hashes of back,")


def test_users_that_come_and_go_for_ever_are_a_mistake() -> None:
    stages = [{"target": target, "duration": "1s"} for target in (1_000_000, 0) * 6]
    load = {"clients": {"executor": "ramping-vus", "stages": stages, "requests": {"front": 1}}}

    with pytest.raises(ScenarioError) as error:
        ms.load(scenario(load=load))

    assert (
        str(error.value) == "scenario: load.clients.stages: users come and go 12,000,000 times; at most 10,000,000 are simulated"
    )


def test_a_refusal_has_a_place_in_the_file_and_can_be_overruled() -> None:
    text = """
name: needs
load: {clients: {executor: constant-arrival-rate, arrivals: poisson, rate: 1000M/s, requests: {front: 1}}}
services: {front: {script: [{compute: 1ms}]}}
run: {duration: 2s}
"""
    with pytest.raises(ScenarioError) as error:
        ms.load(text)

    assert str(error.value).startswith(
        "scenario:3:8: load.clients: a run takes 4,000,000,000 events at the least, most of it for "
    )
    assert ms.load(text, set=["run.limits=false"]).plan.duration_ns == 2_000_000_000


@pytest.mark.parametrize(
    ("field", "metric"),
    [
        ("sync_period", {"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}),
        ("metric_resolution", {"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}),
        ("scrape_interval", {"pods": {"metric": "queued", "target": {"average_value": 1}}}),
    ],
)
def test_an_autoscaler_that_looks_every_few_nanoseconds_makes_too_many_events(field: str, metric: dict[str, Any]) -> None:
    autoscaling = {"max_replicas": 1, "metrics": [metric]}
    (one,) = refused(services={"back": {"autoscaling": autoscaling}}, autoscaler={field: "10ns"})

    assert one == Refusal(
        ("autoscaler", field),
        "a run takes 10,000,000,000 events at the least, most of it for the autoscaler of back, and can have 2,000,000,000; write a"
        f" longer one{TO_TRY}",
    )


def test_what_an_autoscaler_does_not_look_at_costs_nothing() -> None:
    by_requests = {"max_replicas": 1, "metrics": [{"pods": {"metric": "queued", "target": {"average_value": 1}}}]}

    assert refused(services={"back": {"autoscaling": by_requests}}, autoscaler={"metric_resolution": "10ns"}) == []


def test_more_faults_by_chance_than_memory_holds_are_not_begun() -> None:
    (refusal,) = refused(faults=[{"service": "back", "crash": True, "mtbf": "1us", "mttr": "1us"}])

    assert refusal.path == ("faults", 0, "mtbf")
    assert "most of it for faults by chance" in refusal.message
    assert refusal.message.endswith(f"; write a longer mtbf{TO_TRY}")
