"""What `meshsim check` says of zones that requests are shared among, and what a run shows of the same."""

from __future__ import annotations

from typing import Any

import pytest
from advised import HEALTHY, patched, traffic_of_payment, warnings_of

import meshsim as ms

IN_ZONES: dict[str, Any] = {
    "load": {"shoppers": {"zone": "a"}},
    "gateway": {"zone": "a"},
    "services": {
        "frontend": {"zone": "a"},
        "checkout": {"zone": "a"},
        "payment": {"replicas": None, "zones": {"a": 2, "b": 2}},
    },
}
CHECKS = {"interval": "5s", "timeout": "1s", "unhealthy_threshold": 3, "healthy_threshold": 2}
EJECTS_ALL = {"max_ejection_percent": "100%"}
ALL_TO_A = {"locality_distribute": {"distribute": {"a": {"a": 100}}}}
NOBODY_ELSE = (
    "mesh.traffic.payment.locality.locality_distribute.distribute.a: callers in a do not know the hosts of payment in b: when all in a"
    " are out, calls fail with UH; give b a share, or write locality_failover"
)


def changed(**settings: Any) -> dict[str, Any]:
    return {**IN_ZONES, **traffic_of_payment(**settings)}


def no_host(patch: dict[str, Any]) -> int:
    """Calls to payment that found nobody in two minutes, of which payment's zone a fails for one."""
    fails = {"faults": [{"at": "20s", "for": "60s", "service": "payment", "zone": "a", "errors": "100%"}]}
    made = {**patched(patched(patched({}, HEALTHY), patch), fails), "run": {"duration": "2m", "seed": 1}}
    rows = ms.load(made).run().destinations
    return int(rows.loc[rows["service"] == "payment", "no_host"].sum())


def test_a_zone_that_is_no_reserve_is_told_and_a_run_shows_it() -> None:
    settings = {"locality": ALL_TO_A, "outlier_detection": EJECTS_ALL, "healthy_panic_threshold": "0%"}

    assert warnings_of(changed(**settings)) == [NOBODY_ELSE]
    assert no_host(changed(**settings)) > 100


@pytest.mark.parametrize(
    "settings",
    [
        {"locality": {"locality_distribute": {"distribute": {"a": {"a": 90, "b": 10}}}}, "outlier_detection": EJECTS_ALL},
        {"locality": "locality_failover", "outlier_detection": EJECTS_ALL},
    ],
)
def test_a_zone_with_a_share_or_to_fail_over_to_is_not_told_and_a_run_has_somebody(settings: dict[str, Any]) -> None:
    patch = changed(**settings, healthy_panic_threshold="0%")

    assert warnings_of(patch) == []
    assert no_host(patch) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"locality": ALL_TO_A, "outlier_detection": {"max_ejection_percent": "50%"}},
        {"locality": ALL_TO_A},
        {"locality": {"locality_distribute": {"distribute": {"a": {"*": 100}}}}, "outlier_detection": EJECTS_ALL},
        {"locality": {"locality_distribute": {"distribute": {"b": {"b": 100}}}}, "outlier_detection": EJECTS_ALL},
    ],
)
def test_where_not_all_can_be_out_or_all_are_known_nothing_is_told(settings: dict[str, Any]) -> None:
    assert warnings_of(changed(**settings)) == []


@pytest.mark.parametrize("watching", [{"health_checks": CHECKS}, {"failure_accrual": "consecutive"}])
def test_whatever_takes_all_out_makes_it_told(watching: dict[str, Any]) -> None:
    assert NOBODY_ELSE in warnings_of(changed(locality=ALL_TO_A, **watching))


def test_a_readiness_probe_does_too() -> None:
    patch = changed(locality=ALL_TO_A)
    patch["services"] = {**patch["services"], "payment": {**patch["services"]["payment"], "readiness": {}}}

    assert NOBODY_ELSE in warnings_of(patch)


def test_a_row_that_leads_nowhere_is_told_and_a_run_shows_it() -> None:
    patch = changed(locality={"locality_distribute": {"distribute": {"*": {"c": 100}}}})
    patch["services"] = {**patch["services"], "frontend": {"replicas": None, "zones": {"a": 1, "c": 1}}}

    assert warnings_of(patch) == [
        (
            "mesh.traffic.payment.locality.locality_distribute.distribute.*: payment has nobody in the zones with a share: every call"
            " from a fails with UH"
        )
    ]
    assert no_host(patch) > 1000


def test_hosts_that_callers_do_not_know_do_not_count_for_the_share_that_may_be_ejected() -> None:
    ten = {**IN_ZONES, "services": {**IN_ZONES["services"], "payment": {"replicas": None, "zones": {"a": 5, "b": 5}}}}
    detection = {"outlier_detection": {"consecutive_5xx": 3}}

    assert warnings_of({**ten, **traffic_of_payment(**detection)}) == []
    (warning,) = warnings_of({**ten, **traffic_of_payment(locality=ALL_TO_A, **detection)})
    assert "10% of payment's 5 hosts is less than one, so that none is ever ejected" in warning


def test_of_a_split_the_hosts_of_one_subset_in_known_zones_count() -> None:
    """Ten of v1, of which five are in zone a."""
    payment = {"replicas": None, "zones": {"a": 10, "b": 10}, "subsets": {"v1": 10, "v2": 10}}
    patch = {**IN_ZONES, "services": {**IN_ZONES["services"], "payment": payment}}
    settings = {"split": {"v1": 1, "v2": 1}, "outlier_detection": {"consecutive_5xx": 3}}

    assert warnings_of({**patch, **traffic_of_payment(**settings)}) == []
    (warning,) = warnings_of({**patch, **traffic_of_payment(locality=ALL_TO_A, **settings)})
    assert "10% of payment's 5 hosts" in warning
