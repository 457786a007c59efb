"""What an absent field means, per product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from meshsim import registry
from meshsim.planning import make_plan
from meshsim.policies.admission import TokenBucket
from meshsim.policies.load_balancing import LeastRequest, PeakEwma
from meshsim.policies.retry import CONDITIONS, RetryBudget
from meshsim.scenario import effective
from meshsim.scenario.defaults import SHORT_FORMS, Multiple, UnknownDefaultError, products, resolve, table
from meshsim.scenario.documentation.fields import fields
from meshsim.scenario.load import read
from meshsim.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan

Cost: TypeAlias = tuple[int, int]
"""Workers, and nanoseconds for each request."""
PRODUCTS = [product.name for product in products()]
EVERY_DEFAULT = [(product.name, field) for product in products() for field in product.fields]


def test_these_are_the_products() -> None:
    assert PRODUCTS == ["none", "envoy-1.40", "envoy-gateway-1.7", "istio-1.29", "linkerd-2.19"]


@pytest.mark.parametrize(
    ("bare", "newest"),
    [
        ("none", "none"),
        ("envoy", "envoy-1.40"),
        ("envoy-gateway", "envoy-gateway-1.7"),
        ("istio", "istio-1.29"),
        ("linkerd", "linkerd-2.19"),
    ],
)
def test_a_name_without_a_version_is_the_newest(bare: str, newest: str) -> None:
    assert resolve(bare).name == newest


def test_an_unknown_product_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownDefaultError, match=r"unknown product 'isto-1\.29'; did you mean 'istio-1\.29'\?"):
        resolve("isto-1.29")


def test_an_unknown_field_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownDefaultError, match=r"did you mean 'traffic\.timeout'\?"):
        resolve("envoy").default("traffic.timout")


@pytest.mark.parametrize(("product", "field"), EVERY_DEFAULT)
def test_every_default_has_a_source_without_a_link(product: str, field: str) -> None:
    source = resolve(product).default(field).source

    assert len(source) > 20
    assert "://" not in source


@pytest.mark.parametrize("field", products()[0].fields)
def test_every_field_with_a_default_exists_in_a_scenario(field: str) -> None:
    first, _, rest = field.partition(".")
    places = {f"{place}.{rest}" for place in SHORT_FORMS[first]} if first in SHORT_FORMS else {field}

    assert places & {".".join(one.path) for one in fields()}


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_answers_the_same_fields(product: str) -> None:
    assert resolve(product).fields.keys() == products()[0].fields.keys()


@pytest.mark.parametrize(
    ("field", "none", "envoy", "istio", "linkerd"),
    [
        ("traffic.timeout", None, 15 * NS_PER_S, None, None),
        ("traffic.connect_timeout", None, 5 * NS_PER_S, 10 * NS_PER_S, NS_PER_S),
        ("traffic.load_balancer", "random", "round_robin", "least_request", "peak_ewma"),
        ("traffic.retries", None, None, {"num_retries": 2}, None),
        ("traffic.retries.num_retries", 1, 1, 2, 1),
        ("traffic.retries.retry_host_predicate", None, None, "previous_hosts", None),
        ("traffic.retries.host_selection_retry_max_attempts", 1, 1, 5, 1),
        ("traffic.retries.retry_back_off.base_interval", 25 * NS_PER_MS, 25 * NS_PER_MS, 25 * NS_PER_MS, 25 * NS_PER_MS),
        ("traffic.circuit_breakers.max_connections", 2**32 - 1, 1024, 2**32 - 1, 2**32 - 1),
        ("traffic.circuit_breakers.max_retries", 2**32 - 1, 3, 2**32 - 1, 2**32 - 1),
        ("traffic.healthy_panic_threshold", 0.5, 0.5, 0.5, 0.0),
        ("traffic.balancer_queue.failfast_timeout", None, None, None, 3 * NS_PER_S),
        ("discovery.debounce_after", 0, 0, 100 * NS_PER_MS, 0),
        ("mesh.mtls.resumed_handshake_time", 70_000, 70_000, 70_000, 170_000),
        ("mesh.proxy_time", 0, 300_000, 200_000, 110_000),
        ("mesh.workers", 1, 2, 2, 1),
    ],
)
def test_a_default_is_what_the_product_does(field: str, none: object, envoy: object, istio: object, linkerd: object) -> None:
    found = [resolve(name).default(field).value for name in ("none", "envoy", "istio", "linkerd")]

    assert found == [none, envoy, istio, linkerd]


def test_envoy_gateway_is_envoy_but_for_what_its_translator_sets() -> None:
    envoy, gateway = resolve("envoy"), resolve("envoy-gateway")
    different = {field: one.written for field, one in gateway.fields.items() if one.written != envoy.default(field).written}

    assert different == {
        "traffic.load_balancer": "least_request",
        "traffic.retries.num_retries": 2,
        "traffic.retries.retry_on": ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"],
        "traffic.retries.retriable_status_codes": [503],
        "traffic.retries.retry_host_predicate": "previous_hosts",
        "traffic.retries.host_selection_retry_max_attempts": 5,
        "traffic.circuit_breakers.max_retries": 1024,
        "traffic.connect_timeout": "10s",
        "traffic.outlier_detection.interval": "3s",
        "traffic.cluster_per": "rule",
        "traffic.ignore_health_on_host_removal": True,
    }


def test_the_interval_of_outlier_detection_is_the_products() -> None:
    for product, interval_s in (("envoy", 10), ("envoy-gateway", 3)):
        for written, expected_s in (({}, interval_s), ({"interval": "7s"}, 7)):
            scenario = read(
                {
                    "name": "sweep",
                    "deployment": "gateway",
                    "defaults": product,
                    "load": {
                        "clients": {
                            "executor": "constant-arrival-rate",
                            "arrivals": "poisson",
                            "rate": "10/s",
                            "requests": {"all": 1},
                        }
                    },
                    "gateway": {
                        "routes": {"all": {"path": "/", "to": "shop"}},
                        "traffic": {"shop": {"outlier_detection": written}},
                    },
                    "services": {"shop": {"script": [{"compute": "1ms"}]}},
                    "run": {"duration": "1s"},
                }
            )[0]
            assert scenario.gateway is not None
            outliers = effective.traffic(scenario.gateway.traffic, "shop", resolve(product)).outliers
            assert outliers is not None
            assert outliers.interval == expected_s * NS_PER_S


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_longest_back_off_is_ten_times_the_base(product: str) -> None:
    default = resolve(product).default("traffic.retries.retry_back_off.max_interval")

    assert default.value == Multiple(10, "base_interval")
    assert default.text == "10 x base_interval"


@pytest.mark.parametrize("product", PRODUCTS)
def test_retry_conditions_are_envoys_words(product: str) -> None:
    assert set(resolve(product).default("traffic.retries.retry_on").value) <= CONDITIONS.keys()


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_policies_own_defaults_are_the_products(product: str) -> None:
    defaults = resolve(product)
    tokens_per_fill = next(one for one in registry.settings(TokenBucket) if one.name == "tokens_per_fill").default

    assert defaults.default("filters.rate_limit.token_bucket.tokens_per_fill").value == tokens_per_fill
    assert defaults.default("traffic.load_balancer.least_request.choice_count").value == LeastRequest().choice_count
    assert defaults.default("traffic.retry_budget.budget_percent").value == RetryBudget().budget_percent
    assert defaults.default("traffic.retry_budget.min_retry_concurrency").value == RetryBudget().min_retry_concurrency


def planned(product: str) -> Plan:
    """A gateway and an ambient mesh, with every cost left to the product."""
    made = {
        "name": "presets",
        "defaults": product,
        "deployment": "gateway+mesh",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"all": 1}}},
        "gateway": {"routes": {"all": {"path": "/", "to": "shop"}}},
        "mesh": {"mode": "ambient", "waypoints": {"services": {"shop": {"replicas": 1}}}},
        "services": {"shop": {"script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
    }
    return make_plan(read(made)[0])


@pytest.mark.parametrize(
    ("product", "gateway", "sidecar", "node_proxy", "waypoint"),
    [
        ("none", (1, 0), (1, 0), (1, 0), (1, 0)),
        ("envoy", (4, 300_000), (2, 300_000), (2, 0), (2, 0)),
        ("istio", (2, 200_000), (2, 200_000), (2, 60_000), (2, 250_000)),
        ("linkerd", (4, 300_000), (1, 110_000), (1, 0), (1, 0)),
        ("envoy-gateway", (4, 300_000), (2, 300_000), (2, 0), (2, 0)),
    ],
)
def test_a_products_name_is_the_preset_of_what_its_proxies_cost(
    product: str, gateway: Cost, sidecar: Cost, node_proxy: Cost, waypoint: Cost
) -> None:
    plan = planned(product)
    assert plan.gateway is not None
    assert plan.mesh is not None
    assert plan.mesh.ambient is not None
    kinds = [plan.gateway.proxy, plan.mesh.proxy, plan.mesh.ambient.node_proxy, plan.mesh.ambient.waypoint]
    found = [(kind.workers, 0 if kind.time is None else kind.time.mean_ns) for kind in kinds]

    assert found == [gateway, sidecar, node_proxy, waypoint]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("proxy", ["gateway", "mesh", "mesh.node_proxy", "mesh.waypoints"])
def test_what_a_proxy_costs_names_its_measurement_or_is_nothing(product: str, proxy: str) -> None:
    cost = resolve(product).default(f"{proxy}.proxy_time")

    assert cost.value == 0 or any(word in cost.source for word in ("measurement", "Performance and Scalability", "derived"))


def test_linkerds_balancer_has_linkerds_settings() -> None:
    """The policy's own defaults are Linkerd's, so that the table needs no rows for them; what the note says is what is done."""
    default = resolve("linkerd").default("traffic.load_balancer")
    balancer = effective.traffic({}, "shop", resolve("linkerd")).load_balancer

    assert isinstance(balancer, PeakEwma)
    assert (balancer.decay, balancer.default_rtt) == (10 * NS_PER_S, 30 * NS_PER_MS)
    assert "decay of 10 s, and 30 ms" in default.note


def test_the_page_of_defaults_is_the_one_that_the_data_makes() -> None:
    page = Path(__file__).parents[2] / "docs" / "defaults.md"

    assert page.read_text(encoding="utf-8") == table()
