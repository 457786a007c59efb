"""The defaults that a report lists: exactly those that fill in for something."""

from __future__ import annotations

import copy

import fakes
import pytest

from meshsim.report.page.assumptions import assumptions
from meshsim.scenario.defaults import resolve
from meshsim.scenario.load import load


def used(scenario, **variants):
    found = assumptions({"as-is": load(scenario).scenario, **{name: load(one).scenario for name, one in variants.items()}})
    return {(one.product, one.field): one for one in found}


@pytest.fixture
def scenario():
    made = copy.deepcopy(fakes.SCENARIO)
    del made["variants"]
    return made


def test_a_default_comes_with_its_value_its_source_and_its_places(scenario):
    timeout = used(scenario)["istio-1.29", "traffic.timeout"]

    assert timeout.value == "none"
    assert timeout.source == resolve("istio-1.29").default("traffic.timeout").source
    assert timeout.where == "gateway's route browse, checkout; sidecars to catalog, ads, payment"


def test_what_the_scenario_says_is_no_default(scenario):
    scenario["gateway"]["workers"] = 4
    scenario["mesh"]["traffic"]["*"] = {"timeout": "1s", "load_balancer": "round_robin"}
    for route in scenario["gateway"]["routes"].values():
        route["timeout"] = "2s"
    found = used(scenario)

    assert ("istio-1.29", "gateway.workers") not in found
    assert ("istio-1.29", "traffic.timeout") not in found
    assert found["istio-1.29", "traffic.load_balancer"].where == "gateway to frontend, checkout"


def test_without_retries_the_settings_of_a_retry_do_not_matter(scenario):
    scenario["mesh"]["traffic"]["*"] = {"retries": {"num_retries": 0}}
    for route in scenario["gateway"]["routes"].values():
        route["retries"] = {"num_retries": 0}
    scenario["mesh"]["traffic"]["payment"]["retries"] = {"num_retries": 0}
    fields = {field for product, field in used(scenario) if product == "istio-1.29" and field.startswith("traffic.retries")}

    assert fields == {"traffic.retries.per_try_timeout"}


def test_a_product_that_does_not_retry_by_itself_has_one_line_about_it(scenario):
    scenario["defaults"] = "envoy-1.40"
    del scenario["mesh"]["traffic"]["payment"]
    fields = {field for product, field in used(scenario) if product == "envoy-1.40" and field.startswith("traffic.retries")}

    assert fields == {"traffic.retries"}


def test_without_a_proxy_no_product_decides(scenario):
    scenario["deployment"] = "gateway"
    found = used(scenario)

    assert found["none", "traffic.load_balancer"].where == "services to catalog, ads, payment"
    assert ("istio-1.29", "mesh.workers") not in found


def test_a_clients_own_retries_have_the_defaults_of_no_product(scenario):
    scenario["load"]["shoppers"]["retries"] = {"num_retries": 1}
    found = used(scenario)

    assert found["none", "traffic.retries.retry_on"].where == "clients of shoppers"
    assert ("none", "traffic.retries.num_retries") not in found


def test_a_default_that_only_some_variants_use_names_them(scenario):
    changed = copy.deepcopy(scenario)
    changed["mesh"]["traffic"]["payment"]["retry_budget"] = {"budget_percent": "20%"}
    found = used(scenario, budget=changed)

    assert found["istio-1.29", "traffic.retry_budget"].where == (
        "gateway to frontend, checkout; sidecars to catalog, ads; only in as-is: sidecars to payment"
    )
    assert found["istio-1.29", "traffic.retry_budget.min_retry_concurrency"].where == "only in budget: sidecars to payment"


def test_meshsims_own_defaults_are_listed_too(scenario):
    found = used(scenario)

    assert found["meshsim", "load.<source>.timeout"].value == "for ever"
    assert found["meshsim", "services.<service>.on_cancel"].value == "continue"
    assert found["meshsim", "services.<service>.replicas"].where == "frontend, checkout, catalog, ads"
    assert found["meshsim", "network.same_zone"].where == "everywhere"


def test_what_the_product_decides_is_no_default_of_meshsims_own(scenario):
    """It would be listed twice, once with `none` for its value."""
    scenario["mesh"]["waypoints"] = {"services": {"payment": {}}}
    scenario["mesh"]["mode"] = "ambient"
    del scenario["mesh"]["traffic"]
    known = resolve("istio-1.29").fields
    own = {field for product, field in used(scenario) if product == "meshsim"}

    assert not own & set(known)
    assert not {field for field in own if field.endswith(("cluster_per", "timer_resolution", "connection_time", "proxy_time"))}


def test_an_autoscaler_matters_where_a_service_has_one(scenario):
    assert ("meshsim", "autoscaler") not in used(scenario)
    scenario["services"]["ads"]["autoscaling"] = {
        "max_replicas": 5,
        "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "50%"}}}],
    }
    assert ("meshsim", "autoscaler") in used(scenario)


def test_zones_that_nobody_has_need_no_latency_between_them(scenario):
    assert ("meshsim", "network.cross_zone") not in used(scenario)
    scenario["services"]["ads"]["zone"] = "west"
    assert ("meshsim", "network.cross_zone") in used(scenario)


def test_settings_of_grpc_matter_to_grpc_services_only(scenario):
    scenario["services"]["ads"] |= {"errors": "1%"}
    scenario["services"]["catalog"] |= {"errors": "1%", "protocol": "grpc"}
    found = used(scenario)

    assert found["meshsim", "services.<service>.errors.status"].where == "ads"
    assert found["meshsim", "services.<service>.errors.grpc_status"].where == "catalog"
    assert found["meshsim", "services.<service>.errors.grpc_status"].value == "unavailable"


def test_a_faults_errors_have_the_status_of_the_protocols_that_they_may_strike(scenario):
    scenario["faults"] = [{"at": "1s", "for": "1s", "zone": "west", "errors": "10%"}]
    scenario["services"]["ads"]["zone"] = "west"
    assert ("meshsim", "faults.errors.status") in used(scenario)
    assert ("meshsim", "faults.errors.grpc_status") not in used(scenario)
    scenario["services"]["ads"]["protocol"] = "grpc"
    assert ("meshsim", "faults.errors.grpc_status") in used(scenario)


def test_what_a_connection_costs_matters_where_connections_are_told_apart(scenario):
    scenario["mesh"].pop("mtls", None)
    for block in scenario["mesh"]["traffic"].values():
        block.pop("connections", None)
    assert not {field for _, field in used(scenario) if field.endswith("connection_time")}
    scenario["mesh"]["traffic"]["payment"]["connections"] = {}
    assert {field for _, field in used(scenario) if field.endswith("connection_time")} == {"mesh.connection_time"}
    scenario["gateway"]["max_connections"] = 100
    assert ("istio-1.29", "gateway.connection_time") in used(scenario)


def test_every_default_of_a_product_can_be_used(scenario):
    """What the defaults know and no scenario meets would be listed nowhere: so each field has a way here."""
    budget = copy.deepcopy(scenario)
    budget["mesh"]["traffic"]["payment"] |= {"retry_budget": {}, "retries": {}}
    budget["gateway"]["filters"] = [{"rate_limit": {"token_bucket": {"max_tokens": 5, "fill_interval": "1s"}}}]
    budget["mesh"] |= {
        "mtls": {},
        "discovery": {"propagation": "1s"},
        "telemetry": {"stats": True, "access_log": True, "trace_sampling": "1%"},
    }
    budget["mesh"]["traffic"]["payment"] |= {
        "connections": {"protocol": "http2"}, "outlier_detection": {}, "locality": "zone_aware",
    }  # fmt: skip
    ambient = copy.deepcopy(scenario)
    ambient["mesh"] = {"mode": "ambient", "waypoints": {"services": {"payment": {}, "ads": {}}}}
    checks = {"interval": "1s", "timeout": "1s", "healthy_threshold": 1, "unhealthy_threshold": 2}
    ambient["mesh"]["traffic"] = {
        "payment": {"outlier_detection": {}, "load_balancer": "ring_hash", "health_checks": checks},
        "ads": {"failure_accrual": {"consecutive": {}}, "connections": {}},
    }
    fields = {field for product, field in used(scenario, budget=budget, ambient=ambient) if product == "istio-1.29"}

    assert fields == set(resolve("istio-1.29").fields)
