"""What `meshsim check` warns of where active health checks meet ejections and instances that leave.

That both are true is shown by runs: those of test_warnings_come_true.py, and tests/engine/test_health_transitions.py, where a host that
passes its checks and fails its requests gets half of its share for ever, and one that discovery has dropped stays until it fails a check.
"""

from __future__ import annotations

from typing import Any

import pytest
from advised import traffic_of_payment, warnings_of

CHECKS = {"interval": "2s", "timeout": "1s", "unhealthy_threshold": 3, "healthy_threshold": 1}
EJECTING = {"max_ejection_percent": "50%", "enforcing_success_rate": "0%"}
SCALED = {"services": {"payment": {"scale": [{"at": "60s", "replicas": 1}]}}}


def test_ejections_that_checks_end_are_told() -> None:
    assert warnings_of(traffic_of_payment(outlier_detection=EJECTING, health_checks=CHECKS)) == [
        (
            "mesh.traffic.payment.outlier_detection: a host of payment that fails its requests and passes its health checks is back after"
            " 2s at most, not after 30s, twice as long the next time and so on up to 5m: a passed check ends an ejection; write"
            " successful_active_health_check_uneject_host: false, or leave it if the checks fail whenever the requests do"
        )
    ]


def test_those_that_only_begin_shorter_are_told_too() -> None:
    (same,) = warnings_of(traffic_of_payment(outlier_detection={**EJECTING, "base_ejection_time": "2s"}, health_checks=CHECKS))
    always = {**EJECTING, "base_ejection_time": "3s", "max_ejection_time": "3s"}
    (fixed,) = warnings_of(traffic_of_payment(outlier_detection=always, health_checks=CHECKS))

    assert " is back after 2s at most, not after 2s, twice as long the next time and so on up to 5m: " in same
    assert " is back after 2s at most, not after 3s: a passed" in fixed


@pytest.mark.parametrize(
    "settings",
    [
        {"outlier_detection": EJECTING},
        {"health_checks": CHECKS},
        {"outlier_detection": {**EJECTING, "successful_active_health_check_uneject_host": False}, "health_checks": CHECKS},
        {"outlier_detection": {**EJECTING, "base_ejection_time": "1s", "max_ejection_time": "2s"}, "health_checks": CHECKS},
    ],
)
def test_those_that_end_by_themselves_are_not(settings: dict[str, Any]) -> None:
    assert warnings_of(traffic_of_payment(**settings)) == []


def test_instances_that_stop_and_stay_are_told() -> None:
    patch = {**SCALED, "defaults": "envoy-1.40", **traffic_of_payment(health_checks=CHECKS)}

    assert [one for one in warnings_of(patch) if "ignore_health" in one] == [
        (
            "mesh.traffic.payment.health_checks: an instance of payment that stops goes on being sent requests while it passes its checks,"
            " whatever discovery says, and for up to 6s after that (unhealthy_threshold 3, interval 2s) they are refused; write"
            " ignore_health_on_host_removal: true"
        )
    ]


@pytest.mark.parametrize(
    "patch",
    [
        {**SCALED, "defaults": "envoy-gateway-1.7", **traffic_of_payment(health_checks=CHECKS)},
        {**SCALED, "defaults": "envoy-1.40", **traffic_of_payment(health_checks=CHECKS, ignore_health_on_host_removal=True)},
        {"defaults": "envoy-1.40", **traffic_of_payment(health_checks=CHECKS)},
        {**SCALED, "defaults": "envoy-1.40"},
    ],
)
def test_those_that_go_at_once_or_never_are_not(patch: dict[str, Any]) -> None:
    assert not [one for one in warnings_of(patch) if "ignore_health" in one]
