"""Clients whose patience ends before the answer comes."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms


def run(load: dict[str, Any], **services: Any) -> Any:
    """Ten requests a second for a second to a front whose back takes 50 ms."""
    made = {
        "front": {"workers": 10, "script": [{"call": "back"}], **services.pop("front", {})},
        "back": {"workers": 10, "script": [{"compute": "50ms"}], **services.pop("back", {})},
    }
    clients = {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "10/s", "requests": {"front": 1}, **load}
    return ms.load({"name": "patience", "load": {"web": clients}, "services": made, "run": {"duration": "1s"}}).run()


def ended(result: Any) -> set[tuple[int, str, float]]:
    """Status, flags and latency in ms that the requests ended with."""
    frame = result.requests
    return set(zip(frame["status"], frame["response_flags"], (frame["latency_s"] * 1e3).round(6), strict=True))


def test_the_shorter_of_patience_and_timeout_counts():
    assert ended(run({"patience": "20ms", "timeout": "30ms"})) == {(0, "DC", 20.0)}
    assert ended(run({"patience": "40ms", "timeout": "30ms"})) == {(0, "DC", 30.0)}
    assert ended(run({"patience": "60ms"})) == {(200, "-", 50.0)}


def test_each_request_has_a_patience_of_its_own_the_same_in_all_variants():
    waits = [
        run({"patience": {"exponential": {"mean": "10ms"}}}, back={"workers": workers}).requests["latency_s"].tolist()
        for workers in (10, 20)
    ]

    assert waits[0] == waits[1]
    assert len(set(waits[0])) == 10


def test_an_answer_that_comes_as_patience_ends_is_too_late():
    assert ended(run({"patience": "50ms"})) == {(0, "DC", 50.0)}


def test_patience_covers_all_tries():
    retries = {"num_retries": 9, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "30ms", "max_interval": "30ms"}}
    result = run({"patience": "200ms", "retries": retries}, front={"errors": "100%", "script": [{"compute": "45ms"}]})

    assert ended(result) == {(0, "DC", 200.0)}
    assert result.requests["attempts"].between(3, 5).all()


def test_no_service_is_told_of_it():
    """Two requests for each that back can work on: it drops what is too late where it knows."""
    services = {"front": {"deadline_propagation": True}, "back": {"workers": 1, "deadline_propagation": True}}
    told, not_told = (run({name: "80ms", "rate": "40/s"}, **services) for name in ("timeout", "patience"))

    assert (told.attempts.query("service == 'back'")["worked_ns"] == 0).sum() > 10
    assert (not_told.attempts.query("service == 'back'")["worked_ns"] == 50e6).all()


@pytest.mark.parametrize(("on_cancel", "worked_ms"), [("continue", 50), ("stop", 20)])
def test_work_goes_on_or_stops_as_the_service_says(on_cancel, worked_ms):
    front = {"script": [{"compute": "50ms"}], "on_cancel": on_cancel}
    attempts = run({"patience": "20ms"}, front=front).attempts

    assert (attempts["finished_ns"] - attempts["started_ns"]).tolist() == [worked_ms * 1e6] * 10
