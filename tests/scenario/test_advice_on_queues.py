"""What `meshsim check` warns of Linkerd's queue before its balancer; that it is so is shown in test_warnings_come_true.py."""

from __future__ import annotations

from typing import Any

import pytest
from advised import traffic_of_payment, warnings_of

PATH = "mesh.traffic.payment"
LINKERD: dict[str, Any] = {"defaults": "linkerd-2.19", "deployment": "mesh", "gateway": None}
LOAD = {"shoppers": {"requests": {"frontend": 9, "checkout": 1}}}


def told(*, load: dict[str, Any] | None = None, services: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    """Of the calls to payment: 10/s at the peak, through the sidecars of two replicas of checkout with 8 workers each."""
    loads = {"shoppers": {**LOAD["shoppers"], **(load or {})}}
    patch = {**LINKERD, "load": loads, "services": services or {}, **traffic_of_payment(timeout=None, retries=None, **settings)}
    return [text for text in warnings_of(patch) if "endpoint" in text]


def test_a_queue_that_nothing_fills_is_told() -> None:
    assert told(balancer_queue={"capacity": 100}) == [
        (
            f"{PATH}.balancer_queue: calls wait in it while no endpoint of payment is ready, and one always is, since nothing takes its"
            " hosts out: calls that fail fail at once; write failure_accrual: consecutive, or take balancer_queue out"
        )
    ]
    ejecting = {"outlier_detection": {"max_ejection_percent": "100%"}, "healthy_panic_threshold": "50%"}
    assert told(balancer_queue={"capacity": 100}, **ejecting) == [
        (
            f"{PATH}.balancer_queue: calls wait in it while no endpoint of payment is ready, and one always is, since where most of its"
            " hosts are out all of them get calls (healthy_panic_threshold 50%): calls that fail fail at once; write"
            " healthy_panic_threshold: 0%, or take balancer_queue out"
        )
    ]


@pytest.mark.parametrize(
    ("services", "settings"),
    [
        ({}, {"failure_accrual": "consecutive"}),
        ({}, {"outlier_detection": {"max_ejection_percent": "100%"}}),
        ({"readiness": {"period": "1s"}}, {}),
        ({"restarts": [{"at": "60s"}]}, {}),
        ({"scale": [{"at": "60s", "replicas": 0}]}, {}),
        ({"health_status": {"unhealthy": [0, 1]}}, {}),
    ],
)
def test_one_that_something_may_fill_is_not(services: dict[str, Any], settings: dict[str, Any]) -> None:
    made = told(services={"payment": {**services, "pre_stop": "10s"}}, balancer_queue={"capacity": 100}, **settings)

    assert [text for text in made if "balancer_queue: calls wait" in text] == []


def test_one_that_is_not_written_or_switched_off_is_not() -> None:
    assert told() == []
    assert told(balancer_queue={"failfast_timeout": "none"}) == []


def test_a_queue_that_is_full_at_once_is_told() -> None:
    breaking = {"failure_accrual": "consecutive"}

    assert told(**breaking, balancer_queue={"capacity": 4, "failfast_timeout": "1s"}, load={"rate": "120/s"}) == [
        (
            f"{PATH}.balancer_queue: one sidecar of checkout makes about 6 calls to payment at the peak in the 1s that they may wait until"
            " an endpoint is ready, and 4 may wait: the others get 503 at once; write capacity: 6, or a failfast_timeout of 667ms"
        )
    ]
    assert told(**breaking, balancer_queue={"capacity": 5, "failfast_timeout": "1s"}, load={"rate": "120/s"}) == []
    assert told(balancer_queue={"capacity": 4, "failfast_timeout": "1s"}, load={"rate": "120/s"})[0].endswith(
        "balancer_queue out"
    )


def test_the_products_own_capacity_is_looked_at_too() -> None:
    """10,000 for 3 s: 3,333/s of one proxy."""
    wide = {"checkout": {"async": True, "replicas": 1}, "payment": {"replicas": 1000}}
    much = {"load": {"rate": "34000/s"}, "services": wide, "failure_accrual": "consecutive"}

    (warning,) = told(**much)
    assert warning.startswith("defaults: one sidecar of checkout makes about 10,200 calls to payment at the peak in the 3s")


@pytest.mark.parametrize("caller", [{"workers": 2}, {"workers": 2, "replicas": 1}])
def test_no_more_wait_than_the_caller_has_workers(caller: dict[str, Any]) -> None:
    settings = {"failure_accrual": "consecutive", "balancer_queue": {"capacity": 2}}

    assert told(services={"checkout": caller}, **settings) == []
    assert len(told(services={"checkout": {**caller, "async": True}}, **settings)) == 1


def test_users_wait_and_do_not_ask_for_more() -> None:
    closed = {"executor": "constant-vus", "vus": 4, "rate": None}

    assert told(failure_accrual="consecutive", balancer_queue={"capacity": 4}, load=closed) == []


def timed(**settings: Any) -> list[str]:
    patch = {**LINKERD, "load": LOAD, **traffic_of_payment(**{"timeout": "1s", "retries": None, **settings})}
    return [text for text in warnings_of(patch) if "endpoint" in text]


def test_a_timeout_that_ends_no_wait_is_told() -> None:
    assert timed(failure_accrual="consecutive") == [
        (
            f"{PATH}.timeout: a timeout of 1s does not end a wait for an endpoint: while none of payment is ready a call waits for up to 3s"
            " all the same, and has timed out when it is over; write balancer_queue.failfast_timeout: 1s or less"
        )
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"failure_accrual": "consecutive", "timeout": "3s"},
        {"failure_accrual": "consecutive", "balancer_queue": {"failfast_timeout": "1s"}},
        {"failure_accrual": "consecutive", "balancer_queue": {"failfast_timeout": "none"}},
    ],
)
def test_where_no_wait_is_longer_it_is_not(settings: dict[str, Any]) -> None:
    assert timed(**settings) == []
