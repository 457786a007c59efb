"""Defaults that hang on another setting: what they are, and that `check`, `explain` and the report say so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from meshsim.policies.locality import IgnoreZones, LocalityFailover
from meshsim.scenario import effective
from meshsim.scenario.advice.notes import notes
from meshsim.scenario.circumstances import Caller
from meshsim.scenario.defaults import products, resolve
from meshsim.scenario.defaults.cases import Condition
from meshsim.scenario.documentation.explain import explain
from meshsim.scenario.load import load, read
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.scenario.effective import Traffic

EVERY_CASE = [
    (product.name, default.field, case) for product in products() for default in product.fields.values() for case in default.cases
]
SIDECAR, WAYPOINT = Caller("sidecar"), Caller("waypoint")


def scenario(product: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A mesh in which front calls back, whose sidecar does what is given."""
    return {
        "name": "hanging",
        "defaults": product,
        "deployment": "mesh",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"front": 1}}
        },
        "mesh": {"traffic": {"back": settings}},
        "services": {
            "front": {"zone": "a", "workers": 10, "script": [{"call": "back"}]},
            "back": {"zones": {"a": 1, "b": 1}, "script": [{"compute": "1ms"}]},
        },
        "run": {"duration": "1s"},
        **more,
    }


def traffic(product: str, settings: dict[str, Any], caller: Caller = SIDECAR) -> Traffic:
    made = read(scenario(product, settings))[0]
    assert made.mesh is not None
    return effective.traffic(made.mesh.traffic, "back", resolve(product), caller)


def outliers(product: str, **settings: Any) -> Any:
    return traffic(product, {"outlier_detection": settings}).outliers


@pytest.mark.parametrize(("product", "field", "case"), EVERY_CASE)
def test_every_case_has_a_source_without_a_link_and_is_another_value(product: str, field: str, case: Any) -> None:
    assert len(case.source) > 20
    assert "://" not in case.source
    assert case.conditions
    assert case.how == "replaces" or case.value != resolve(product).default(field).value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outlier_detection", "outlier_detection is set"),
        ("load_balancer: ring_hash or maglev", "load_balancer is ring_hash or maglev"),
        ("destinations: one", "the route has one destination"),
    ],
)
def test_a_condition_says_what_it_asks_for(text: str, words: str) -> None:
    assert Condition.read(text).text == words


class TestIstio:
    def test_outlier_detection_turns_locality_failover_on(self) -> None:
        """Source: istio/istio, loadbalancer.go (ApplyToCluster); mesh.go (localityLbSetting.enabled); its issue 39477."""
        assert traffic("istio", {}).locality is None
        assert isinstance(traffic("istio", {"outlier_detection": {}}).locality, LocalityFailover)
        assert isinstance(traffic("istio", {"outlier_detection": {}, "locality": "ignore_zones"}).locality, IgnoreZones)

    def test_it_turns_panic_off(self) -> None:
        """Source: istio/istio, cluster_traffic_policy.go (applyOutlierDetection)."""
        assert traffic("istio", {}).panic_threshold == 0.5
        assert traffic("istio", {"outlier_detection": {}}).panic_threshold == 0.0
        assert traffic("istio", {"outlier_detection": {}, "healthy_panic_threshold": "30%"}).panic_threshold == 0.3

    @pytest.mark.parametrize("balancer", ["ring_hash", "maglev"])
    def test_consistent_hashing_drops_previous_hosts_from_the_retries_of_a_route(self, balancer: str) -> None:
        """Source: istio/istio, retry.go (ConvertPolicy), route.go (applyHTTPRouteDestination); its issue 50756."""
        hashed = {"load_balancer": balancer, "hash_on": "key"}
        rows: list[tuple[dict[str, Any], bool]] = [
            ({}, True),
            ({"retries": {"num_retries": 3}}, True),
            (hashed, True),  # without a VirtualService: BuildDefaultHTTPOutboundRoute
            ({**hashed, "retries": {"num_retries": 3}}, False),
            ({**hashed, "timeout": "1s"}, False),
            ({**hashed, "retries": {"retry_host_predicate": "previous_hosts"}}, True),
        ]
        for settings, avoids in rows:
            retries = traffic("istio", settings).retries
            assert retries is not None
            assert retries.avoids_previous_hosts is avoids, settings

    def test_several_destinations_keep_the_predicate(self) -> None:
        """`len(in.Route) == 1` in route.go."""
        hashed = {"load_balancer": "ring_hash", "hash_on": "key", "retries": {"num_retries": 3}}
        retries = traffic("istio", hashed, Caller("gateway", 2)).retries
        assert retries is not None
        assert retries.avoids_previous_hosts

        retries = traffic("istio", hashed, Caller("gateway", 1)).retries
        assert retries is not None
        assert not retries.avoids_previous_hosts

    def test_gateway_failures_in_a_row_eject_where_they_are_asked_for(self) -> None:
        assert outliers("istio").enforcing_consecutive_gateway_failure == 0.0
        assert outliers("istio", consecutive_gateway_failure=3).enforcing_consecutive_gateway_failure == 1.0
        asked = outliers("istio", consecutive_gateway_failure=3, enforcing_consecutive_gateway_failure="20%")
        assert asked.enforcing_consecutive_gateway_failure == 0.2

    def test_split_local_failures_are_not_compared(self) -> None:
        assert outliers("istio").enforcing_local_origin_success_rate == 1.0
        assert outliers("istio", split_external_local_origin_errors=True).enforcing_local_origin_success_rate == 0.0
        assert outliers("istio", split_external_local_origin_errors=False).enforcing_local_origin_success_rate == 1.0

    def test_codes_bring_their_condition_with_them(self) -> None:
        """Source: istio/istio, retry.go: integers in retryOn add retriable-status-codes."""
        written = {"retries": {"retry_on": ["connect-failure"], "retriable_status_codes": [503]}}
        retries = traffic("istio", written).retries
        assert retries is not None
        assert retries.retry_on == ("connect-failure", "retriable-status-codes")

        retries = traffic("istio", {"retries": {"retriable_status_codes": [503]}}).retries
        assert retries is not None
        assert retries.retry_on == resolve("istio").default("traffic.retries.retry_on").value

        retries = traffic("envoy", written).retries
        assert retries is not None
        assert retries.retry_on == ("connect-failure",)

    def test_a_waypoint_without_a_route_retries_as_an_inbound_route_does(self) -> None:
        """Source: istio/istio, listener_waypoint.go, retry.go (cachedDefaultInboundPolicy)."""
        made = traffic("istio", {"hash_on": "key", "load_balancer": "ring_hash"}, WAYPOINT)
        assert made.retries is not None
        assert (made.retries.num_retries, made.retries.retry_on) == (2, ("reset-before-request",))
        assert not made.retries.avoids_previous_hosts
        assert made.hash_on is None

        made = traffic("istio", {"hash_on": "key", "timeout": "1s"}, WAYPOINT)
        assert made.retries is not None
        assert "connect-failure" in made.retries.retry_on
        assert made.retries.avoids_previous_hosts
        assert made.hash_on == "key"


class TestEnvoyGateway:
    def test_conditions_of_ones_own_leave_no_code(self) -> None:
        """Source: envoyproxy/gateway, route.go (buildRetryPolicy); release notes of 1.4.0."""
        retries = traffic("envoy-gateway", {"retries": {}}).retries
        assert retries is not None
        assert retries.retriable_status_codes == (503,)

        retries = traffic("envoy-gateway", {"retries": {"retry_on": ["retriable-status-codes"]}}).retries
        assert retries is not None
        assert retries.retriable_status_codes == ()

    def test_what_a_passive_check_asks_for_is_enforced(self) -> None:
        """Source: envoyproxy/gateway, cluster.go (buildXdsOutlierDetection); release notes of 1.6.0."""
        assert outliers("envoy-gateway").enforcing_consecutive_gateway_failure == 0.0
        assert outliers("envoy-gateway", consecutive_gateway_failure=3).enforcing_consecutive_gateway_failure == 1.0
        assert outliers("envoy-gateway").enforcing_failure_percentage == 0.0
        assert outliers("envoy-gateway", failure_percentage_threshold=50).enforcing_failure_percentage == 1.0
        assert outliers("envoy", consecutive_gateway_failure=3).enforcing_consecutive_gateway_failure == 0.0


class TestLinkerd:
    def test_a_budget_is_a_service_profiles(self) -> None:
        """Source: linkerd/linkerd2-proxy, linkerd/app/outbound/src/http/retry.rs: no limit but the budget, and no wait."""
        retries = traffic("linkerd", {"retries": {}, "retry_token_budget": "leaky_budget"}).retries
        assert retries is not None
        assert (retries.num_retries, retries.retry_on, retries.base_interval_ns) == (2**32 - 1, ("5xx",), 0)

        retries = traffic(
            "linkerd", {"retries": {"num_retries": 2, "retry_on": "gateway-error"}, "retry_token_budget": "leaky_budget"}
        ).retries
        assert retries is not None
        assert (retries.num_retries, retries.retry_on) == (2, ("gateway-error",))

    def test_a_try_that_took_too_long_is_tried_again_whatever_the_conditions(self) -> None:
        """Source: linkerd/linkerd2-proxy, policy/route/retry.rs (retryable_error)."""
        for written, expected in (
            ({}, ()),
            ({"per_try_timeout": "50ms"}, ("reset",)),
            ({"per_try_timeout": "50ms", "retry_on": "retriable-4xx"}, ("retriable-4xx", "reset")),
            ({"per_try_timeout": "none"}, ()),
        ):
            retries = traffic("linkerd", {"retries": written}).retries
            assert retries is not None
            assert retries.retry_on == expected
            assert retries.base_interval_ns == 25 * NS_PER_MS


def notes_of(made: dict[str, Any]) -> list[str]:
    loaded = load(made)
    return [f"{note.path}: {note.message}" for note in notes(loaded.scenario, loaded.places)]


def test_check_says_what_outlier_detection_brings_with_it() -> None:
    assert notes_of(scenario("istio", {"outlier_detection": {"max_ejection_percent": "50%"}})) == [
        "mesh.traffic.back.outlier_detection: healthy_panic_threshold: 0%, because outlier_detection is set (istio-1.29)",
        "mesh.traffic.back.outlier_detection: locality: locality_failover, because outlier_detection is set (istio-1.29)",
    ]


def test_it_says_nothing_of_zones_where_there_are_none_and_of_what_is_written() -> None:
    services = {"front": {"workers": 10, "script": [{"call": "back"}]}, "back": {"replicas": 2, "script": [{"compute": "1ms"}]}}
    detection = {"outlier_detection": {"max_ejection_percent": "50%"}}

    assert notes_of(scenario("istio", {**detection, "healthy_panic_threshold": "0%"}, services=services)) == []
    assert notes_of(scenario("istio", {**detection, "healthy_panic_threshold": "0%", "locality": "ignore_zones"})) == []
    assert notes_of(scenario("envoy", detection)) == []


def test_it_says_what_is_added_and_what_is_replaced() -> None:
    written = {"retries": {"retry_on": ["connect-failure"], "retriable_status_codes": [503]}}

    assert notes_of(scenario("istio", written)) == [
        (
            "mesh.traffic.back.retries.retriable_status_codes: retries.retry_on: also retriable-status-codes,"
            " because retries.retriable_status_codes is set (istio-1.29)"
        )
    ]
    ambient = scenario("istio", {"load_balancer": "maglev", "hash_on": "key"})
    ambient["mesh"] |= {"mode": "ambient", "waypoints": {"services": {"back": {"replicas": 1}}}}
    assert (
        "mesh.waypoints.services.back: hash_on: none whatever is written, because a waypoint sends it and no route is written for it"
        " (no timeout, retries, mirror or split) (istio-1.29)" in notes_of(ambient)
    )


def test_a_gateways_route_is_where_its_own_settings_are() -> None:
    gateway = {
        "routes": {"all": {"path": "/", "to": "back", "retries": {"retry_on": ["5xx"]}}},
        "traffic": {"back": {"outlier_detection": {"consecutive_gateway_failure": 3}}},
    }
    made = scenario("envoy-gateway", {}, deployment="gateway", gateway=gateway)
    made["load"]["clients"]["requests"] = {"all": 1}
    del made["mesh"]

    assert notes_of(made) == [
        "gateway.routes.all.retries.retry_on: retries.retriable_status_codes: none, because retries.retry_on is set (envoy-gateway-1.7)",
        (
            "gateway.traffic.back.outlier_detection.consecutive_gateway_failure: outlier_detection.enforcing_consecutive_gateway_failure:"
            " 100%, because outlier_detection.consecutive_gateway_failure is set (envoy-gateway-1.7)"
        ),
    ]


def test_explain_says_where_a_default_hangs_on_another_setting() -> None:
    text = str(explain("mesh.traffic.locality"))

    assert "    but locality_failover, where outlier_detection is set. The caller's zone gets everything" in text
    assert "      source: istio/istio, pilot/pkg/networking/core/loadbalancer/loadbalancer.go" in text


def test_the_page_of_defaults_has_every_case() -> None:
    page = (Path(__file__).parents[2] / "docs" / "defaults.md").read_text(encoding="utf-8")

    assert "  - but **locality_failover**, where outlier_detection is set." in page
    assert page.count("\n  - ") == len(EVERY_CASE)
