"""What is known of scripts before anything runs: how long they take at the least, and how often they call whom."""

from __future__ import annotations

from typing import Any

import pytest
from advised import warnings_of

from meshsim.scenario.flow.flow import Flow
from meshsim.scenario.load import load

MS = 1_000_000


def flow_of(script: list[Any], **services: Any) -> Flow:
    """10/s to `front`, whose script that is; `back` computes for 100 ms, and `slow` for 300 ms."""
    scenario = {
        "name": "scripts",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"front": 1}}},
        "services": {
            "front": {"connection_pools": {"db": {}}, "script": script},
            "back": {"script": [{"compute": "100ms"}]},
            "slow": {"script": [{"compute": "300ms"}]},
            **services,
        },
        "run": {"duration": "5s"},
    }
    return Flow(load(scenario).scenario)


BACK, SLOW = {"call": "back"}, {"call": "slow"}


@pytest.mark.parametrize(
    ("script", "least_ms", "calls"),
    [
        ([{**BACK, "repeat": 8}], 800, 8),
        ([[{**BACK, "repeat": 8}]], 100, 8),
        ([{"parallel": [{**BACK, "repeat": 3}], "need": 2}], 100, 3),
        ([{"parallel": [{**BACK, "repeat": 2}, {**SLOW, "repeat": 2}], "need": 2}], 100, 2),
        ([{"parallel": [{**BACK, "repeat": 2}, {**SLOW, "repeat": 2}], "need": 3}], 300, 2),
        ([{"loop": 3, "script": [[{**BACK, "repeat": 2}, SLOW]]}], 900, 6),
        ([[{**BACK, "repeat": 4, "probability": "50%"}]], 50, 2),
    ],
)
def test_repeated_calls_follow_each_other_but_are_side_by_side_among_calls_at_once(
    script: list[Any], least_ms: float, calls: float
) -> None:
    flow = flow_of(script)

    assert flow.least_ns("front") == pytest.approx(least_ms * MS)
    assert flow.visits["back"] == pytest.approx(10 * calls)


def test_calls_side_by_side_hold_the_caller_as_long_as_one_of_them() -> None:
    """10/s x (10 + 24) ms are 0.34 of 2 workers; one after the other it would be 10/s x (10 + 8 x 24) ms = 2.02."""
    payment, checkout = {"workers": 20}, {"workers": 1}
    side_by_side = [{"compute": "10ms"}, [{"call": "payment", "repeat": 8}]]
    in_turn = [{"compute": "10ms"}, {"call": "payment", "repeat": 8}]

    def found(script: list[Any]) -> list[str]:
        return warnings_of({"services": {"payment": payment, "checkout": {**checkout, "script": script}}})

    assert found(side_by_side) == []
    assert [one for one in found(in_turn) if "checkout is offered 10/s x 202ms" in one and "it cannot keep up" in one]


def test_a_call_made_many_times_is_one_way() -> None:
    ways = list(flow_of([[{**BACK, "repeat": 8}], {"loop": 5, "script": [BACK, SLOW]}]).ways())

    assert [way.names for way in ways] == ["all > front", "all > front > back", "all > front > back", "all > front > slow"]
