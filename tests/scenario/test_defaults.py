"""What an absent field means, per product."""

from pathlib import Path

import pytest

from meshsim import registry
from meshsim.policies.filters import RateLimit
from meshsim.policies.load_balancing import LeastRequest
from meshsim.policies.retry import CONDITIONS, RetryBudget
from meshsim.scenario.defaults import SHORT_FORMS, Multiple, UnknownDefaultError, products, resolve, table
from meshsim.scenario.fields import fields
from meshsim.units import NS_PER_MS, NS_PER_S

PRODUCTS = [product.name for product in products()]
EVERY_DEFAULT = [(product.name, field) for product in products() for field in product.fields]


def test_the_products_are_none_envoy_and_istio() -> None:
    assert PRODUCTS == ["none", "envoy-1.40", "istio-1.29"]


@pytest.mark.parametrize(("bare", "newest"), [("none", "none"), ("envoy", "envoy-1.40"), ("istio", "istio-1.29")])
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
    ("field", "none", "envoy", "istio"),
    [
        ("traffic.timeout", None, 15 * NS_PER_S, None),
        ("traffic.load_balancer", "random", "round_robin", "least_request"),
        ("traffic.retries", None, None, {"num_retries": 2}),
        ("traffic.retries.num_retries", 1, 1, 2),
        ("traffic.retries.retry_host_predicate", None, None, "previous_hosts"),
        ("traffic.retries.host_selection_retry_max_attempts", 1, 1, 5),
        ("traffic.retries.retry_back_off.base_interval", 25 * NS_PER_MS, 25 * NS_PER_MS, 25 * NS_PER_MS),
        ("traffic.circuit_breakers.max_connections", 2**32 - 1, 1024, 2**32 - 1),
        ("traffic.circuit_breakers.max_retries", 2**32 - 1, 3, 2**32 - 1),
        ("mesh.proxy_time", 0, 300_000, 200_000),
        ("mesh.workers", 1, 2, 2),
    ],
)
def test_a_default_is_what_the_product_does(field: str, none: object, envoy: object, istio: object) -> None:
    assert [resolve(name).default(field).value for name in ("none", "envoy", "istio")] == [none, envoy, istio]


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
    bucket = next(one for one in registry.settings(RateLimit) if one.name == "token_bucket").annotation
    tokens_per_fill = next(one for one in registry.settings(bucket) if one.name == "tokens_per_fill").default

    assert defaults.default("filters.rate_limit.token_bucket.tokens_per_fill").value == tokens_per_fill
    assert defaults.default("traffic.load_balancer.least_request.choice_count").value == LeastRequest().choice_count
    assert defaults.default("traffic.retry_budget.budget_percent").value == RetryBudget().budget_percent
    assert defaults.default("traffic.retry_budget.min_retry_concurrency").value == RetryBudget().min_retry_concurrency


def test_the_page_of_defaults_is_the_one_that_the_data_makes() -> None:
    page = Path(__file__).parents[2] / "docs" / "defaults.md"

    assert page.read_text(encoding="utf-8") == table()
