"""What `meshsim check` says of faults, and that the run shows it to be so."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from advised import HEALTHY, patched, warnings_of

import meshsim as ms

FAULT = {"at": "2m", "for": "60s"}
SHORT = {"run": {"duration": "2s", "warm_up": "0s"}}


def run(patch: dict[str, Any]) -> ms.Result:
    return ms.load(patched(patched(copy.deepcopy(HEALTHY), patch), SHORT)).run()


def test_a_fault_of_the_gateway_gets_no_warning() -> None:
    assert warnings_of({"faults": [{**FAULT, "service": "(gateway)", "replicas": 1, "crash": True}]}) == []


def test_a_fault_of_a_gateway_that_is_not_deployed_strikes_nobody() -> None:
    patch = {"deployment": "mesh", "faults": [{"at": "0s", "for": "2s", "service": "(gateway)", "crash": True}]}
    assert "faults[0].service: deployment: mesh has no gateway, so that this fault strikes nobody" in warnings_of(patch)
    assert set(run(patch).requests["status"]) == {200}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"service": "payment"}, "no replica of payment is in b, so that this fault strikes nobody"),
        ({"service": "(gateway)"}, "no replica of the gateway is in b, so that this fault strikes nobody"),
        (
            {"service": "checkout", "instances": [0]},
            "no replica of checkout that is number 0 is in b, so that this fault strikes nobody",
        ),
    ],
)
def test_a_fault_of_replicas_that_are_elsewhere_strikes_nobody(settings: dict[str, Any], told: str) -> None:
    patch = {
        "services": {"payment": {"zone": "a"}, "checkout": {"zones": {"a": 1, "b": 1}}, "frontend": {"zone": "a"}},
        "gateway": {"zone": "a"},
        "load": {"shoppers": {"zone": "a"}},
        "faults": [{"at": "0s", "for": "2s", "zone": "b", "crash": True, **settings}],
    }
    assert f"faults[0].zone: {told}" in warnings_of(patch)
    assert set(run(patch).requests["status"]) == {200}


def test_replicas_that_are_there_are_struck_without_a_warning() -> None:
    patch = {
        "services": {"payment": {"zone": "b"}},
        "faults": [{"at": "0s", "for": "2s", "service": "payment", "zone": "b", "crash": True}],
    }
    assert not any("strikes nobody" in text for text in warnings_of(patch))
    assert 200 not in set(run(patch).requests.query("route == 'checkout'")["status"])


def test_a_probe_of_the_gateway_that_nothing_fails_is_told() -> None:
    readiness = {"gateway": {"readiness": {"period": "1s"}}}
    assert warnings_of(readiness) == [
        "gateway.readiness: no fault takes a replica of the gateway away, so that this does nothing; restarts are known at once"
    ]
    assert warnings_of({**readiness, "faults": [{**FAULT, "service": "(gateway)", "crash": True}]}) == []


def test_a_client_without_a_timeout_waits_for_a_gateway_that_cannot_be_reached() -> None:
    faults = {"faults": [{"at": "1s", "for": "60s", "service": "(gateway)", "unreachable": True}]}
    patient = {**faults, "load": {"shoppers": {"timeout": None}}}
    assert warnings_of(faults) == []
    (warning,) = warnings_of(patient)
    assert warning == (
        "faults[0].unreachable: shoppers has no timeout, and waits 15m24.6s for what is lost on the way to the gateway, as TCP does;"
        " write a timeout"
    )
    requests = run(patient).requests
    assert ((requests["ended_ns"] - requests["started_ns"]) / 1e9).max() == pytest.approx(924.6, abs=0.1)
