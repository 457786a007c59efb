"""What `meshsim check` warns of: legal, and probably not meant."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from advised import HEALTHY, warnings_of

from meshsim.scenario.advice import advice
from meshsim.scenario.load import read

if TYPE_CHECKING:
    from pathlib import Path


def test_a_healthy_scenario_gets_no_warning() -> None:
    assert warnings_of({}) == []


@pytest.mark.parametrize("product", ["none", "envoy", "envoy-gateway", "istio", "linkerd"])
def test_a_healthy_scenario_gets_no_warning_under_any_product(product: str) -> None:
    assert warnings_of({"defaults": product, "mesh": {"traffic": {"payment": {"retries": {"retry_on": ["5xx"]}}}}}) == []


def test_a_service_offered_more_than_its_capacity_is_told_with_the_numbers() -> None:
    assert warnings_of({"load": {"shoppers": {"rate": "4120/s"}}, "services": {"frontend": {"replicas": 20}}}) == [
        (
            "services.payment.workers: payment is offered 412/s x 24ms = 9.89 busy workers, and has 8"
            " (2 replicas x 4 workers): it cannot keep up; give it 7 workers or more in each replica, or less load"
        )
    ]


def test_a_service_that_scales_out_is_judged_by_the_most_replicas_that_it_has() -> None:
    def scaled_to(replicas: int) -> list[str]:
        payment = {"scale": [{"at": "60s", "replicas": replicas}, {"at": "90s", "replicas": 2}]}
        return warnings_of(
            {"load": {"shoppers": {"rate": "4120/s"}}, "services": {"frontend": {"replicas": 20}, "payment": payment}}
        )

    assert not any("it cannot keep up" in text for text in scaled_to(3))
    assert any("(2 replicas x 4 workers): it cannot keep up" in text for text in scaled_to(1))


def test_waiting_for_calls_holds_a_worker_unless_the_service_is_async() -> None:
    one_worker = {"replicas": 1, "workers": 1}
    busy = {"load": {"shoppers": {"rate": "300/s"}}, "services": {"checkout": one_worker}}

    (warning,) = warnings_of(busy)
    assert "checkout is offered 30/s x 34ms, 24ms of it waiting for its own calls = 1.02 busy workers" in warning
    assert warnings_of({**busy, "services": {"checkout": {**one_worker, "async": True}}}) == []


def test_a_ramp_is_judged_at_its_peak() -> None:
    ramp = {
        "executor": "ramping-arrival-rate",
        "arrivals": "poisson",
        "rate": None,
        "start_rate": "10/s",
        "stages": [{"target": "4000/s", "duration": "4m"}, {"target": "10/s", "duration": "4m"}],
        "requests": {"checkout": 1},
    }
    warning = next(text for text in warnings_of({"load": {"shoppers": ramp}}) if "payment is offered" in text)

    assert "4,000/s x 24ms = 96 busy workers" in warning


def test_virtual_users_offer_no_more_than_their_pause_allows() -> None:
    users = {"executor": "constant-vus", "rate": None, "arrivals": None, "requests": {"checkout": 1}}

    assert warnings_of({"load": {"shoppers": {**users, "vus": 100, "think_time": "1s"}}}) == []
    warning = warnings_of({"load": {"shoppers": {**users, "vus": 1000, "think_time": "1s"}}})[-1]
    assert warning == (
        "services.payment.workers: without any wait, users would ask payment for 967/s x 24ms = 23.2 busy workers, and it has 8"
        " (2 replicas x 4 workers): they wait, and all together get no more than 333/s from it; to avoid that, give it 15 workers or"
        " more in each replica"
    )


def test_probability_and_repeat_count() -> None:
    script = [{"compute": "10ms"}, {"call": "payment", "probability": "50%", "repeat": 80}]
    warning = next(text for text in warnings_of({"services": {"checkout": {"script": script}}}) if "payment is" in text)

    assert "payment is offered 400/s x 24ms = 9.6 busy workers" in warning


def test_a_gateway_without_enough_workers_is_told() -> None:
    assert warnings_of({"gateway": {"workers": 1, "proxy_time": "25ms"}}) == [
        (
            "gateway.workers: the gateway is offered 100/s x 25ms = 2.5 busy workers, and has 2 (2 replicas x 1 worker);"
            " give it 4 replicas or more"
        )
    ]


def test_sidecars_without_enough_workers_are_told() -> None:
    assert warnings_of({"mesh": {"workers": 1, "proxy_time": "25ms"}}) == [
        (
            "mesh.workers: each sidecar of frontend has 45/s to pass on, in and out, x 25ms = 1.12 busy workers, and has 1;"
            " give frontend more replicas or the mesh more workers"
        )
    ]


def test_a_per_try_timeout_that_never_fires_is_told() -> None:
    (warning,) = warnings_of({"mesh": {"traffic": {"payment": {"retries": {"per_try_timeout": "1s"}}}}})

    assert warning.startswith("mesh.traffic.payment.retries.per_try_timeout: per_try_timeout is 1s, and the timeout over all")
    assert warning.endswith("write less than 1s")


def test_a_downstream_timeout_longer_than_its_callers_is_told() -> None:
    assert warnings_of({"mesh": {"traffic": {"payment": {"timeout": "3s"}}}}) == [
        (
            "mesh.traffic.payment.timeout: sidecar of checkout waits 3s, and route checkout gives up after 2s:"
            " the rest is work for nobody; write 2s or less"
        )
    ]


def test_a_timeout_longer_than_one_try_of_the_caller_is_told() -> None:
    again = {"num_retries": 1, "retry_on": ["reset"], "per_try_timeout": "500ms"}
    texts = warnings_of({"gateway": {"routes": {"checkout": {"retries": again}}}})

    assert (
        "mesh.traffic.payment.timeout: sidecar of checkout waits 1s, and each try of route checkout gives up after 500ms:"
        " the rest is work for nobody; write 500ms or less"
    ) in texts


def test_a_timeout_shorter_than_the_work_is_told() -> None:
    texts = warnings_of({"mesh": {"traffic": {"payment": {"retries": {"per_try_timeout": "20ms"}}}}})

    assert texts == [
        (
            "mesh.traffic.payment.retries.per_try_timeout: payment takes 24ms in the mean even when nothing waits,"
            " and 20ms is less; write more"
        )
    ]


def test_retries_that_multiply_are_told_with_the_product() -> None:
    again = {"num_retries": 3, "retry_on": ["5xx"]}
    patch = {
        "load": {"shoppers": {"retries": again}},
        "gateway": {"routes": {"checkout": {"retries": {**again, "num_retries": 2}}}},
    }
    (warning,) = warnings_of(patch)

    assert warning.startswith(
        "mesh.traffic.payment.retries: retries multiply along shoppers > checkout > payment: load shoppers, route"
        " checkout, sidecar of checkout make up to 4 x 3 x 3 = 36 attempts at payment for one request (and "
    )
    assert "12 at checkout" in warning


def test_istios_own_retries_do_not_multiply_over_http() -> None:
    assert warnings_of({"defaults": "istio", "mesh": None, "deployment": "gateway+mesh"}) == []


def test_istios_own_retries_multiply_over_grpc() -> None:
    grpc = {name: {"protocol": "grpc"} for name in ("frontend", "checkout", "payment")}
    (warning,) = warnings_of({"defaults": "istio", "mesh": None, "services": grpc})

    assert warning.startswith("defaults: retries multiply along shoppers > checkout > payment")
    assert "3 x 3 = 9 attempts at payment" in warning


@pytest.mark.parametrize(
    ("retries", "told"),
    [
        ({"retry_on": []}, "no condition is given"),
        ({"retry_on": ["retriable-status-codes"]}, "no codes are given; write retriable_status_codes: [503]"),
        ({"retry_on": ["unavailable"]}, "unavailable are gRPC conditions, and payment speaks http; write [5xx]"),
        ({"retry_on": ["5xx"], "retriable_status_codes": [429]}, "codes count only with retriable-status-codes"),
    ],
)
def test_retries_that_never_happen_are_told(retries: dict[str, Any], told: str) -> None:
    (warning,) = warnings_of({"mesh": {"traffic": {"payment": {"retries": retries}}}})

    assert told in warning


@pytest.mark.parametrize(("retry_on", "count"), [(["envoy-ratelimited"], 1), (["envoy-ratelimited", "5xx"], 0)])
def test_a_client_that_waits_for_a_proxys_header_is_told(retry_on: list[str], count: int) -> None:
    texts = warnings_of({"load": {"shoppers": {"retries": {"retry_on": retry_on}}}})

    assert sum("envoy-ratelimited is a condition of proxies, and load shoppers is none" in text for text in texts) == count


def test_http_conditions_on_a_grpc_service_are_told() -> None:
    patch = {"services": {"payment": {"protocol": "grpc"}}, "mesh": {"traffic": {"payment": {"retries": {"retry_on": ["5xx"]}}}}}

    assert "a gRPC failure answers 200" in warnings_of(patch)[0]


def test_a_rate_limit_below_the_load_is_told_for_all_replicas_together() -> None:
    def limited(tokens: int, **more: str) -> dict[str, Any]:
        bucket = {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": "1s"}
        return {"gateway": {"filters": [{"rate_limit": {"token_bucket": bucket, **more}}]}}

    assert warnings_of(limited(50)) == []
    assert warnings_of(limited(40)) == [
        (
            "gateway.filters[0].rate_limit: the load is 100/s at its peak, and all replicas together let 80/s pass:"
            " about 20% of its requests in the whole run get 429; raise tokens_per_fill, unless that is what you want to see"
        )
    ]
    assert "for route browse is 90/s" in warnings_of(limited(40, key="route"))[0]


def test_what_a_rate_limit_stops_is_no_load_for_the_services() -> None:
    bucket = {"max_tokens": 50, "tokens_per_fill": 50, "fill_interval": "1s"}
    texts = warnings_of(
        {"load": {"shoppers": {"rate": "4120/s"}}, "gateway": {"filters": [{"rate_limit": {"token_bucket": bucket}}]}}
    )

    assert [text for text in texts if "busy workers" in text] == []


def test_stages_that_end_before_the_run_are_told() -> None:
    ramp = {
        "executor": "ramping-arrival-rate",
        "arrivals": "poisson",
        "rate": None,
        "stages": [{"target": "100/s", "duration": "3m"}],
    }
    (warning,) = warnings_of({"load": {"shoppers": ramp}})

    assert warning.startswith("load.shoppers.stages: the stages end at 3m, and the run at 8m: 5m without this load;")


def test_a_load_that_begins_after_the_run_is_told() -> None:
    texts = warnings_of({"load": {"shoppers": {"start": "9m"}}})

    assert "load.shoppers.start: shoppers begins at 9m, and the run ends at 8m; begin earlier" in texts


def test_a_fault_as_long_as_the_run_is_meant_to_have_no_end() -> None:
    assert warnings_of({"faults": [{"at": "1m", "for": "28h", "service": "payment", "slow": 2}]}) == []


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("9m", "faults[0].at: the fault comes at 9m, and the run ends at 8m; it never happens"),
        ("7m30s", "faults[0].for: the fault ends at 8m30s, and the run at 8m: the recovery is not seen"),
    ],
)
def test_a_fault_outside_the_run_is_told(at: str, told: str) -> None:
    (warning,) = warnings_of({"faults": [{"at": at, "for": "60s", "service": "payment", "slow": 5}]})

    assert warning.startswith(told)


def test_a_service_that_nothing_reaches_is_told() -> None:
    assert warnings_of({"services": {"ads": {"replicas": 1, "workers": 1, "script": [{"compute": "1ms"}]}}}) == [
        "services.ads: no route and no call leads to ads; call it, or take it out"
    ]


def test_a_path_that_no_route_matches_is_told() -> None:
    requests = {"/browse/7": 1, "/chekout": 1}
    made = {"load": {"other": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": requests}}}

    assert warnings_of(made) == [
        (
            "load.other.requests./chekout: no route matches /chekout: 50% of other's requests get 404 (NR); add a route;"
            " did you mean '/checkout'?"
        )
    ]


def test_a_path_whose_route_wants_a_header_is_told_so() -> None:
    made = {
        "load": {
            "other": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"/browse": 1}}
        },
        "gateway": {"routes": {"browse": {"headers": {"x-beta": "1"}}}},
    }

    (warning,) = [text for text in warnings_of(made) if "no route matches" in text]
    assert warning.endswith("get 404 (NR); the route with that path wants another method, header or consumer")


def test_a_threshold_without_requests_is_told() -> None:
    texts = warnings_of(
        {
            "load": {"shoppers": {"requests": {"browse": 9, "checkout": 0}}},
            "thresholds": {"latency{route:checkout}": ["p(99)<1s"]},
        }
    )

    assert any(text.startswith("thresholds.latency{route:checkout}: route checkout gets no requests") for text in texts)


@pytest.mark.parametrize(("deployment", "told"), [("gateway", "mesh"), ("mesh", "gateway")])
def test_settings_that_the_deployment_switches_off_are_told(deployment: str, told: str) -> None:
    (warning,) = warnings_of({"deployment": deployment})

    assert warning.startswith(f"{told}: deployment: {deployment} has no ")
    assert warnings_of({"deployment": deployment, "variants": {"both": {"deployment": "gateway+mesh"}}}) == []


def test_warnings_come_in_the_order_of_the_file_with_their_place(tmp_path: Path) -> None:
    made = copy.deepcopy(HEALTHY)
    made["services"]["ads"] = {"replicas": 1, "workers": 1, "script": [{"compute": "1ms"}]}
    made["mesh"]["traffic"]["payment"]["timeout"] = "3s"
    file = tmp_path / "scenario.yaml"
    file.write_text(json.dumps(made, indent=1))
    scenario, places = read(file)
    found = advice(scenario, places)
    lines = file.read_text().splitlines()

    assert [mistake.path for mistake in found] == ["mesh.traffic.payment.timeout", "services.ads"]
    assert '"timeout": "3s"' in lines[found[0].line - 1]
    assert '"ads": {' in lines[found[1].line - 1]
