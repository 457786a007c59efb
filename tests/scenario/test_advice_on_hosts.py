"""What `meshsim check` warns of where hosts are taken out, fail over or leave."""

from __future__ import annotations

from typing import Any

import pytest
from advised import traffic_of_payment, warnings_of


def test_a_share_of_the_hosts_that_is_less_than_one_is_told() -> None:
    five = {"services": {"payment": {"replicas": 5}}}

    assert warnings_of({**five, **traffic_of_payment(outlier_detection={"consecutive_5xx": 3})}) == [
        (
            "mesh.traffic.payment.outlier_detection.max_ejection_percent: 10% of payment's 5 hosts is less than one, so that none is"
            " ever ejected; write max_ejection_percent: 20%, or always_eject_one_host: true"
        )
    ]


@pytest.mark.parametrize(
    ("replicas", "settings"),
    [
        (5, {"max_ejection_percent": "20%"}),
        (5, {"always_eject_one_host": True}),
        (10, {"consecutive_5xx": 3}),
        (3, {"max_ejection_percent": "34%"}),
    ],
)
def test_outlier_detection_that_may_eject_is_not_told(replicas: int, settings: dict[str, Any]) -> None:
    assert warnings_of({"services": {"payment": {"replicas": replicas}}, **traffic_of_payment(outlier_detection=settings)}) == []


def test_hosts_that_scaling_adds_count_for_outlier_detection() -> None:
    detection = traffic_of_payment(outlier_detection={"consecutive_5xx": 3})
    grown = {"replicas": 5, "scale": [{"at": "60s", "replicas": 10}]}

    assert warnings_of({"services": {"payment": grown}, **detection}) == []


def test_outlier_detection_for_all_is_told_only_where_it_ejects_nowhere() -> None:
    for_all = {"mesh": {"traffic": {"*": {"outlier_detection": {"consecutive_5xx": 3}}}}}
    calls = [{"call": "payment"}, {"call": "frontend"}]

    assert warnings_of({"services": {"checkout": {"script": calls}, "frontend": {"replicas": 10}}, **for_all}) == []
    (warning,) = warnings_of({"services": {"checkout": {"script": calls}, "frontend": {"replicas": 4}}, **for_all})
    assert "mesh.traffic.*.outlier_detection.max_ejection_percent: 10% of frontend's 4 hosts" in warning


def test_outlier_detection_of_a_single_host_is_told() -> None:
    detection = traffic_of_payment(outlier_detection={"max_ejection_percent": "100%"})

    (warning,) = warnings_of({"services": {"payment": {"replicas": 1}}, **detection})
    assert warning.startswith("mesh.traffic.payment.outlier_detection: payment has one replica: nobody is there in place of")
    assert warnings_of({"services": {"payment": {"replicas": 2}}, **detection}) == []


@pytest.mark.parametrize(("kind", "words"), [("success_rate", "success rates"), ("failure_percentage", "failure percentages")])
def test_comparisons_of_too_few_hosts_are_told(kind: str, words: str) -> None:
    settings = {"max_ejection_percent": "50%", f"enforcing_{kind}": "100%", f"{kind}_request_volume": 1}
    few = {"services": {"payment": {"replicas": 4}}}

    assert warnings_of({**few, **traffic_of_payment(outlier_detection=settings)}) == [
        (
            f"mesh.traffic.payment.outlier_detection.{kind}_minimum_hosts: {words} are compared from 5 hosts on, and payment has 4:"
            f" nothing is ejected for them; write {kind}_minimum_hosts: 4"
            f"{' and success_rate_stdev_factor: 1700' if kind == 'success_rate' else ''}"
        )
    ]
    mended = {**settings, f"{kind}_minimum_hosts": 4}
    if kind == "success_rate":
        mended["success_rate_stdev_factor"] = 1700
    assert warnings_of({**few, **traffic_of_payment(outlier_detection=mended)}) == []


@pytest.mark.parametrize(
    ("hosts", "factor", "most", "remedy"), [(4, 1.9, "1.73", 1700), (3, 1.5, "1.41", 1400), (2, 1.0, "1", 900)]
)
def test_hosts_of_which_none_can_be_far_enough_from_the_mean_are_told(hosts: int, factor: float, most: str, remedy: int) -> None:
    """One of n hosts is sqrt(n - 1) standard deviations away at most: 1.73 of 4, where 1.9 are asked for."""
    settings = {
        "max_ejection_percent": "50%",
        "success_rate_minimum_hosts": 2,
        "success_rate_request_volume": 1,
        "success_rate_stdev_factor": round(1000 * factor),
    }
    few = {"services": {"payment": {"replicas": hosts, "workers": 8}}}

    assert warnings_of({**few, **traffic_of_payment(outlier_detection=settings)}) == [
        (
            f"mesh.traffic.payment.outlier_detection.success_rate_stdev_factor: one of {hosts} hosts is never more than {most} standard"
            f" deviations below the mean, whatever it does, and {factor:g} are asked for: nothing is ejected for success rates; write"
            f" success_rate_stdev_factor: {remedy}, or enforcing_failure_percentage: 100% in its place"
        )
    ]
    mended = {**settings, "success_rate_stdev_factor": remedy}
    assert warnings_of({**few, **traffic_of_payment(outlier_detection=mended)}) == []


def test_comparisons_of_too_few_requests_are_told_for_one_caller() -> None:
    settings = {"max_ejection_percent": "50%", "success_rate_stdev_factor": 1500}
    five = {"services": {"payment": {"replicas": 5}}}

    assert warnings_of({**five, **traffic_of_payment(outlier_detection=settings)}) == [
        (
            "mesh.traffic.payment.outlier_detection.success_rate_request_volume: one sidecar of checkout sends each host of payment"
            " about 10 requests in 10s at the peak, and success rates count from 100 on: nothing is ejected for them; write"
            " success_rate_request_volume: 5, or a longer interval"
        )
    ]
    for enough in ({"success_rate_request_volume": 12}, {"interval": "100s"}):
        assert warnings_of({**five, **traffic_of_payment(outlier_detection={**settings, **enough})}) == []


def test_comparisons_that_nobody_asked_for_are_not_told_beside_failures_in_a_row() -> None:
    settings = {"max_ejection_percent": "50%"}

    assert warnings_of({"defaults": "envoy", **traffic_of_payment(outlier_detection=settings, retries={"retry_on": "5xx"})}) == []
    alone = {**settings, "consecutive_5xx": 0}
    (warning,) = warnings_of({"defaults": "envoy", **traffic_of_payment(outlier_detection=alone, retries={"retry_on": "5xx"})})
    assert "success rates are compared from 5 hosts on, and payment has 2" in warning


IN_ZONES = {"services": {"payment": {"replicas": None, "zones": {"a": 5, "b": 5}}, "checkout": {"zone": "a"}}}
CHECKS = {"interval": "5s", "timeout": "1s", "unhealthy_threshold": 3, "healthy_threshold": 2}


def test_failover_that_nothing_sets_off_is_told() -> None:
    assert warnings_of({**IN_ZONES, **traffic_of_payment(locality="locality_failover")}) == [
        (
            "mesh.traffic.payment.locality: locality_failover leaves a zone when its hosts are out, and nothing takes hosts of"
            " payment out: a zone that fails goes on getting its requests; add outlier_detection or health_checks"
        )
    ]


@pytest.mark.parametrize(
    "watching",
    [
        {"outlier_detection": {"max_ejection_percent": "50%"}},
        {"health_checks": CHECKS},
        {"failure_accrual": "consecutive"},
        {"locality": "zone_aware"},
    ],
)
def test_failover_that_something_sets_off_is_not_told(watching: dict[str, Any]) -> None:
    assert warnings_of({**IN_ZONES, **traffic_of_payment(**{"locality": "locality_failover", **watching})}) == []


def test_readiness_probes_set_failover_off() -> None:
    probed = {"services": {**IN_ZONES["services"], "payment": {**IN_ZONES["services"]["payment"], "readiness": {}}}}

    assert warnings_of({**probed, **traffic_of_payment(locality="locality_failover")}) == []


def test_priorities_that_nothing_sets_off_are_told() -> None:
    spare = {"services": {"payment": {"replicas": 3, "priorities": [0, 0, 1]}}}

    assert warnings_of(spare) == [
        (
            "services.payment.priorities: priority 1 gets requests when hosts of priority 0 are out, and nothing takes hosts of"
            " payment out; add outlier_detection or health_checks to what its callers do"
        )
    ]
    assert warnings_of({**spare, **traffic_of_payment(health_checks=CHECKS)}) == []
    assert warnings_of({**spare, **traffic_of_payment(retries={"retry_priority": "previous_priorities"})}) == []
    assert warnings_of({"services": {"payment": {"replicas": 3, "priorities": [0, 0, 0]}}}) == []


RESTARTING = {"restarts": [{"at": "60s"}], "startup_time": "5s"}
PUSHED = {"debounce_after": "100ms", "propagation": "400ms"}


@pytest.mark.parametrize(
    ("discovery", "needed"),
    [
        (PUSHED, "500ms (debounce 100ms, propagation up to 400ms for 99%)"),
        ({"debounce_after": "1s"}, "1s (debounce 1s)"),
        ({"dns_refresh": "30s"}, "30s (dns_refresh)"),
    ],
)
def test_a_pre_stop_shorter_than_discovery_is_told(discovery: dict[str, Any], needed: str) -> None:
    made = {"mesh": {"discovery": discovery}, "services": {"payment": RESTARTING}}
    time = needed.partition(" ")[0]

    assert warnings_of(made) == [
        (
            "services.payment.pre_stop: an instance that stops serves for 0s more, and one sidecar of checkout goes on sending for"
            f" about {needed}: requests in between are refused; write pre_stop: {time} or more"
        )
    ]
    assert warnings_of({**made, "services": {"payment": {**RESTARTING, "pre_stop": time}}}) == []


def test_the_defaults_debounce_counts_for_pre_stop() -> None:
    made = {"mesh": {"discovery": {"propagation": "0s"}}, "services": {"payment": RESTARTING}}

    assert warnings_of(made) == []
    assert "write pre_stop: 100ms or more" in warnings_of({**made, "defaults": "istio"})[-1]


def test_the_gateways_own_discovery_counts_for_what_it_calls() -> None:
    made = {"gateway": {"discovery": PUSHED}, "services": {"frontend": RESTARTING, "payment": RESTARTING}}

    (warning,) = warnings_of(made)
    assert warning.startswith(
        "services.frontend.pre_stop: an instance that stops serves for 0s more, and one replica of the gateway"
    )


@pytest.mark.parametrize(("replicas", "is_told"), [(1, True), (4, False)])
def test_only_instances_that_stop_need_a_pre_stop(replicas: int, *, is_told: bool) -> None:
    scaled = {"scale": [{"at": "60s", "replicas": replicas}], "workers": 8}
    made = {"mesh": {"discovery": PUSHED}, "services": {"payment": scaled}}

    assert bool(warnings_of(made)) == is_told


def test_callers_without_a_proxy_are_looked_at_too() -> None:
    bare = {
        "deployment": "none",
        "gateway": None,
        "mesh": None,
        "load": {"shoppers": {"requests": {"frontend": 1, "checkout": 1}}},
    }
    direct = {"discovery": {"dns_refresh": "30s"}, "traffic": {"payment": {"load_balancer": "ring_hash"}}}
    made = {**bare, "direct": direct, "services": {"frontend": RESTARTING}}

    assert [text.partition(":")[0] for text in warnings_of(made)] == [
        "direct.traffic.payment.load_balancer",
        "services.frontend.pre_stop",
    ]
    assert "and load shoppers goes on sending for about 30s (dns_refresh)" in warnings_of(made)[1]


def test_in_ambient_mode_waypoints_are_the_callers() -> None:
    settings = {"max_ejection_percent": "50%", "success_rate_stdev_factor": 1500}
    ambient = {"mode": "ambient", "waypoints": {"services": {"payment": {"replicas": 1}}}}
    made = {
        "mesh": {**ambient, "traffic": {"payment": {"outlier_detection": settings}}},
        "services": {"payment": {"replicas": 5}},
    }

    (warning,) = warnings_of(made)
    assert "one replica of payment's waypoint sends each host of payment about 20 requests in 10s at the peak" in warning
