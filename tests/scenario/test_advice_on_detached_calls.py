"""Calls that nobody waits for: what guards those who make them does not guard the calls."""

from __future__ import annotations

from typing import Any

import pytest

from meshsim.scenario.advice import advice
from meshsim.scenario.load import read

TWICE_AGAIN = {"num_retries": 2, "per_try_timeout": "500ms", "retry_on": ["5xx"]}


def warnings_of(call: dict[str, Any], *, load: dict[str, Any] | None = None, **sections: Any) -> list[str]:
    """100/s to `front`, which calls `mid`, which calls `back`."""
    scenario, places = read(
        {
            "name": "detached",
            "load": {
                "all": {
                    "executor": "constant-arrival-rate",
                    "arrivals": "poisson",
                    "rate": "100/s",
                    "requests": {"front": 1},
                    **(load or {}),
                }
            },
            "services": {
                "front": {"workers": 8, "script": [{"call": "mid", **call}]},
                "mid": {"workers": 100, "scale": sections.pop("scale", []), "script": [{"call": "back"}]},
                "back": {"workers": 100, "script": [{"compute": "10ms"}]},
            },
            "run": {"duration": "5s"},
            **sections,
        }
    )
    return [f"{mistake.path}: {mistake.message}" for mistake in advice(scenario, places)]


@pytest.mark.parametrize("target", ["mid", "back"])
def test_a_client_that_gives_up_does_not_end_them(target: str) -> None:
    """Nor what comes of them."""
    mesh: dict[str, Any] = {"deployment": "mesh", "defaults": "istio-1.29", "mesh": {"traffic": {target: {"timeout": "20s"}}}}
    caller = "front" if target == "mid" else "mid"

    assert warnings_of({}, load={"timeout": "1s"}, **mesh) == [
        (
            f"mesh.traffic.{target}.timeout: sidecar of {caller} waits 20s, and load all gives up after 1s: the rest is work for nobody; write"
            " 1s or less"
        )
    ]
    assert warnings_of({"wait": False}, load={"timeout": "1s"}, **mesh) == []


def test_the_timeouts_of_what_comes_of_them_are_compared_with_their_own() -> None:
    direct: dict[str, Any] = {"direct": {"traffic": {"back": {"timeout": "20s"}}}}

    assert warnings_of({"wait": False, "timeout": "2s"}, load={"timeout": "1s"}, **direct) == [
        (
            "direct.traffic.back.timeout: mid itself waits 20s, and front itself gives up after 2s: the rest is work for nobody; write 2s or"
            " less"
        )
    ]


def test_retries_of_those_who_make_them_do_not_multiply_theirs() -> None:
    def multiplied(call: dict[str, Any], **sections: Any) -> list[str]:
        found = warnings_of({"retries": TWICE_AGAIN, **call}, load={"retries": TWICE_AGAIN}, **sections)
        return [one.partition(";")[0] for one in found if "retries multiply" in one]

    again: dict[str, Any] = {"direct": {"traffic": {"back": {"retries": TWICE_AGAIN}}}}
    along = "direct.traffic.back.retries: retries multiply along all > front > mid > back"

    assert multiplied({}) != []
    assert multiplied({"wait": False}) == []
    assert multiplied({}, **again)[0].startswith(
        f"{along}: load all, front itself, mid itself make up to 3 x 3 x 3 = 27 attempts at back"
    )
    assert multiplied({"wait": False}, **again) == [
        f"{along}: front itself, mid itself make up to 3 x 3 = 9 attempts at back for one request"
    ]


def test_no_worker_bounds_how_many_of_them_wait_for_an_endpoint() -> None:
    linkerd: dict[str, Any] = {
        "deployment": "mesh",
        "defaults": "linkerd-2.19",
        "mesh": {"traffic": {"mid": {"balancer_queue": {"capacity": 9}}}},
        "scale": [{"at": "1s", "replicas": 0}, {"at": "3s", "replicas": 2}],
    }

    assert [one for one in warnings_of({}, **linkerd) if "until an endpoint is ready" in one] == []
    assert [one.partition(";")[0] for one in warnings_of({"wait": False}, **linkerd) if "until an endpoint is ready" in one] == [
        (
            "mesh.traffic.mid.balancer_queue: one sidecar of front makes about 300 calls to mid at the peak in the 3s that they may wait until"
            " an endpoint is ready, and 9 may wait: the others get 503 at once"
        )
    ]
