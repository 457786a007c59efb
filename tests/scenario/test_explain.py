"""What `meshsim explain` and `meshsim policies` answer."""

import pytest

from meshsim.scenario.documentation.explain import UnknownFieldError, explain, policy_families
from meshsim.scenario.documentation.fields import fields
from meshsim.units import parse_duration, parse_share


@pytest.mark.parametrize(
    "asked",
    [
        "num_retries",
        "retries.num_retries",
        "traffic.retries.num_retries",
        "mesh.traffic.payment.retries.num_retries",
        "gateway.routes.checkout.retries.num_retries",
    ],
)
def test_a_field_is_found_by_its_path_or_the_end_of_it(asked: str) -> None:
    meaning = explain(asked).meanings[0]

    assert meaning.name == "num_retries"
    assert [(product, default.value) for product, default in meaning.products] == [
        ("none", 1),
        ("envoy-1.40", 1),
        ("envoy-gateway-1.7", 2),
        ("istio-1.29", 2),
        ("linkerd-2.19", 1),
    ]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("gateway.routes.canary", "gateway.routes.<route>.canary"),
        ("gateway.routes.canary.steps", "gateway.routes.<route>.canary.steps"),
        ("services.shop.script[1].script[0].call", "services.<service>.script.call"),
        ("services.shop.script[1].parallel[0].retries.num_retries", "services.<service>.script.retries.num_retries"),
        ("services.shop.operations.buy.script[0].timeout", "services.<service>.operations.<operation>.script.timeout"),
        ("gateway.routes.session_persistence.of", "gateway.routes.<route>.session_persistence.of"),
        ("gateway.routes.browse", "gateway.routes"),
        ("mesh.inbound.filters", "mesh.inbound.<service>.filters"),
    ],
)
def test_a_path_may_leave_out_the_names_of_services_and_routes(asked: str, place: str) -> None:
    assert [meaning.places for meaning in explain(asked).meanings] == [(place,)]


def test_a_whole_path_is_found_at_that_place_alone() -> None:
    (meaning,) = explain("mesh.traffic.payment.retries.per_try_timeout").meanings

    assert meaning.places == ("mesh.traffic.<service>.retries.per_try_timeout",)
    assert "duration, such as 250ms" in meaning.type


def test_retries_of_clients_and_services_do_not_depend_on_the_product() -> None:
    meanings = explain("retries.num_retries").meanings

    own = next(meaning for meaning in meanings if "load.<source>.retries.num_retries" in meaning.places)
    assert [product for product, _ in own.products] == ["none"]


def test_a_setting_of_a_policy_is_a_field_too() -> None:
    meaning = explain("least_request.choice_count").meanings[0]

    assert meaning.doc == "Endpoints drawn for each request, with replacement; 1 is plain random."
    assert "mesh.traffic.<service>.load_balancer.least_request.choice_count" in meaning.places


def test_a_choice_lists_its_policies() -> None:
    meaning = explain("load_balancer").meanings[0]

    assert {"least_request", "random", "round_robin"} <= set(meaning.choices)
    assert [default.text for _, default in meaning.products] == [
        "random",
        "round_robin",
        "least_request",
        "least_request",
        "peak_ewma",
    ]


def test_a_choice_of_one_or_several_lists_each_once() -> None:
    meaning = explain("gateway.filters.rate_limit.key").meanings[0]
    assert meaning.choices == ("none", "consumer", "route", "address", "credential", "content")


def test_the_text_holds_the_source_of_each_default() -> None:
    text = str(explain("mesh.traffic.payment.timeout"))

    assert "absent under envoy-1.40: 15s. Covers all tries and the waits between them." in text
    assert "source: envoyproxy/data-plane-api, envoy/config/route/v3/route_components.proto" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("num_retrys", "unknown field 'num_retrys'; did you mean 'num_retries'?"),
        ("mesh.traffic.payment.lod_balancer", "did you mean 'load_balancer'?"),
        ("", "unknown field ''"),
    ],
)
def test_an_unknown_field_is_an_error_that_names_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(UnknownFieldError) as caught:
        explain(asked)

    assert message in str(caught.value)


def test_a_known_field_at_a_wrong_place_is_told_where_it_belongs() -> None:
    with pytest.raises(UnknownFieldError, match=r"no 'num_retries' at 'network\.num_retries'; it may stand at "):
        explain("network.num_retries")


def test_every_field_of_a_scenario_can_be_explained() -> None:
    for field in fields():
        assert explain(".".join(field.path)).meanings


def test_every_field_of_a_scenario_says_what_it_means() -> None:
    assert [".".join(field.path) for field in fields() if not field.doc] == []


def test_policies_come_by_family_with_their_settings_and_source() -> None:
    families = {family.name: family for family in policy_families()}
    least_request = next(one for one in families["load_balancer"].policies if one.name == "least_request")

    assert families["load_balancer"].summary.startswith("Says how endpoints are chosen.")
    assert least_request.summary.startswith("Send to the endpoint with the fewest requests in flight")
    assert [(one.name, one.default) for one in least_request.settings] == [
        ("choice_count", "2"),
        ("selection_method", "n_choices"),
        ("active_request_bias", "1"),
        ("slow_start", "None"),
    ]
    assert "least_request_lb.cc" in least_request.source


@pytest.mark.parametrize("family", policy_families(), ids=lambda family: family.name)
def test_every_policy_has_a_sentence_and_a_documented_setting(family: object) -> None:
    for one in family.policies:  # type: ignore[attr-defined]
        assert one.summary.endswith(".")
        assert all(setting.doc and setting.type for setting in one.settings)


def test_defaults_of_settings_are_written_as_a_scenario_would_have_them() -> None:
    """Durations and shares, that is, and not the nanoseconds and fractions that the model keeps."""
    found = {
        (policy.name, one.name): one for family in policy_families() for policy in family.policies for one in policy.settings
    }

    assert found["outlier_detection", "base_ejection_time"].absent == "default 30s"
    assert found["outlier_detection", "max_ejection_percent"].absent == "default 10%"
    assert found["peak_ewma", "penalty"].absent == "default false"
    for key, one in found.items():
        if one.type.startswith("duration") and one.default not in ("", "None"):
            assert parse_duration(one.default) >= 0, key
        if one.type.startswith("share") and one.default not in ("", "None"):
            assert 0 <= parse_share(one.default) <= 1, key


def test_what_all_executors_have_in_common_is_told_once() -> None:
    (meaning,) = explain("bandwidth").meanings

    assert meaning.places == ("load.<source>.bandwidth",)
