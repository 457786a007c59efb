"""What `meshsim check` says of pools, copies, calls without an end, files and users, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advised import traffic_of_payment, warnings_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pool_that_lets_nothing_wait_is_told() -> None:
    assert warnings_of(traffic_of_payment(circuit_breakers={"max_pending_requests": 0})) == [
        (
            "mesh.traffic.payment.circuit_breakers.max_pending_requests: max_pending_requests: 0 refuses everything, since the first"
            " request to a host waits for its connection to be opened: every call to payment gets 503 (UO); write 1 or more, or leave it"
            " out (which is what Istio makes of 0)"
        )
    ]


def with_limits(**limits: int) -> dict[str, Any]:
    return {"load": {"shoppers": {"rate": "1000/s"}}, **traffic_of_payment(circuit_breakers=limits)}


def test_connections_that_are_all_in_use_are_told_for_one_caller() -> None:
    """100/s from two sidecars, 24 ms each: 1.2 at once; each of the two hosts may always have one."""
    assert warnings_of(with_limits(max_connections=1)) == []
    twice = {"services": {"payment": {"workers": 8}}, **with_limits(max_connections=1)}
    assert warnings_of({**twice, "load": {"shoppers": {"rate": "2000/s"}}}) == [
        (
            "mesh.traffic.payment.circuit_breakers.max_connections: one sidecar of checkout has 100/s x 24ms = 2.4 requests at payment"
            " at once at the peak, and may have 2 connections: they wait for one longer and longer, and get 503 (UO) beyond"
            " max_pending_requests; write max_connections: 3 or more"
        )
    ]


def test_requests_beyond_their_limit_are_told() -> None:
    assert warnings_of(with_limits(max_requests=2)) == []
    assert warnings_of(with_limits(max_requests=1)) == [
        (
            "mesh.traffic.payment.circuit_breakers.max_requests: one sidecar of checkout has 50/s x 24ms = 1.2 requests at payment at"
            " once at the peak, and may have 1: the others get 503 (UO); write max_requests: 2 or more"
        )
    ]


def test_copies_count_as_calls() -> None:
    shadow = {"services": {"shadow": {"replicas": 1, "workers": 1, "script": [{"compute": "120ms"}]}}}

    assert warnings_of({**shadow, **traffic_of_payment(mirror={"to": "shadow", "share": "50%"})}) == []
    assert warnings_of({**shadow, **traffic_of_payment(mirror={"to": "shadow"})}) == [
        (
            "services.shadow.workers: shadow is offered 10/s x 120ms = 1.2 busy workers, and has 1 (1 replica x 1 worker): it cannot"
            " keep up; give it 2 workers or more in each replica, or less load"
        )
    ]


def test_who_gets_copies_of_copied_requests_makes_calls_too() -> None:
    chain = {
        "services": {
            "shadow": {"replicas": 1, "workers": 8, "script": [{"call": "store"}]},
            "store": {"replicas": 1, "workers": 1, "script": [{"compute": "120ms"}]},
        }
    }

    (warning,) = warnings_of({**chain, **traffic_of_payment(mirror={"to": "shadow"})})
    assert warning.startswith("services.store.workers: store is offered 10/s x 120ms = 1.2 busy workers")


def test_a_call_that_nothing_ends_is_told() -> None:
    lost = {"faults": [{"at": "60s", "for": "10s", "service": "frontend", "unreachable": True}]}
    open_end = {"load": {"shoppers": {"timeout": None}}, "gateway": {"routes": {"browse": {"timeout": None}}}}

    assert warnings_of(lost) == []
    assert warnings_of({**lost, **open_end}) == [
        (
            "faults[0].unreachable: no timeout ends a call along shoppers > frontend: a caller that waits for frontend when it becomes"
            " unreachable waits until TCP gives up, a quarter of an hour, however short the fault; write a timeout"
        )
    ]
    idle = {"load": {"shoppers": {"timeout": None}}, "gateway": {"routes": {"browse": {"timeout": None, "idle_timeout": "5s"}}}}
    assert warnings_of({**lost, **idle}) == []


def test_a_load_in_a_file_is_not_checked_against_capacity_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("at\n1\n2\n")
    replayed = {
        "executor": "replay", "file": str(tmp_path / "arrivals.csv"), "unit": "s", "requests": {"browse": 1}, "timeout": "5s"
    }  # fmt: skip

    assert warnings_of({"load": {"recorded": replayed}}) == [
        (
            "load.recorded.file: capacity not checked against recorded, because how often it asks stands in its file: look at the"
            " utilisation in the run"
        )
    ]
