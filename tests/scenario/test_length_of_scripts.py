"""How long a script is for the check is how many steps a plan has of it."""

from __future__ import annotations

from typing import Any

import pytest

from meshsim.plan.services import every_step
from meshsim.planning import make_plan
from meshsim.scenario.load import load
from meshsim.scenario.references import scripts

CALL = {"call": "back", "repeat": 3}
WORK = {"compute": "1ms"}


@pytest.mark.parametrize(
    ("script", "steps"),
    [
        ([WORK], 1),
        ([CALL, WORK], 4),
        ([[CALL, CALL], WORK], 8),
        ([{"parallel": [CALL, CALL], "need": 4}], 7),
        ([{"loop": 5, "script": [WORK, {"loop": 2, "script": [CALL]}]}], 35),
        ([{"call": "back", "repeat": 4, "fallback": [WORK, CALL]}], 20),
        ([{"loop": 2, "script": [{"transaction": "db", "script": [CALL, [CALL]]}]}], 16),
    ],
)
def test_the_length_is_that_of_the_plan(script: list[Any], steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = {
        "name": "long",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1/s", "requests": {"front": 1}}},
        "services": {"front": {"connection_pools": {"db": {}}, "script": script}, "back": {"script": []}},
        "run": {"duration": "1s"},
    }
    plan = make_plan(load(scenario).scenario)
    monkeypatch.setattr(scripts, "MOST_STEPS", 0)

    assert max(len(list(every_step(one.steps))) for one in plan.operations) == steps
    assert scripts.too_long(scenario)["front"].message.startswith(f"front has {steps} steps,")
