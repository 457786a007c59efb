"""What a report lists as meshsim's own defaults, of steps inside of steps too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshsim.report.page.own_defaults import own_defaults
from meshsim.scenario.load import load

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
CALL = {"call": "back"}
NESTED: dict[str, list[Any]] = {
    "a list": [[CALL]],
    "parallel": [{"parallel": [CALL], "need": 1}],
    "fallback": [{"call": "back", "fallback": [CALL]}],
    "loop": [{"loop": 2, "script": [CALL]}],
    "transaction": [{"transaction": "db", "script": [CALL]}],
    "a list in a loop": [{"loop": 2, "script": [[CALL]]}],
    "parallel in a loop": [{"loop": 2, "script": [{"parallel": [CALL], "need": 1}]}],
    "loop in a loop": [{"loop": 2, "script": [{"loop": 2, "script": [CALL]}]}],
    "transaction in a fallback": [{"call": "back", "fallback": [{"transaction": "db", "script": [CALL]}]}],
    "fallback in a transaction": [{"transaction": "db", "script": [{"call": "back", "fallback": [CALL]}]}],
}


def nested(script: list[Any], *, in_operation: bool = False) -> dict[str, Any]:
    front = {"operations": {"buy": {"script": script}}} if in_operation else {"script": script}
    return {
        "name": "nested",
        "load": {
            "all": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "1/s",
                "requests": {"front/buy" if in_operation else "front": 1},
            }
        },
        "services": {
            "front": {"connection_pools": {"db": {}}, **front},
            "back": {"script": [{"compute": "1ms"}]},
        },
        "run": {"duration": "1s"},
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_has_its_defaults_listed(path: Path) -> None:
    found = list(own_defaults(load(path).scenario))

    assert found
    assert all(one.field and one.meaning and one.value for one in found)


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("in_operation", [False, True])
def test_a_step_inside_of_another_has_the_defaults_of_one_that_stands_alone(kind: str, in_operation: bool) -> None:  # noqa: FBT001
    found = list(own_defaults(load(nested(NESTED[kind], in_operation=in_operation)).scenario))

    script = "services.<service>.operations.<operation>.script" if in_operation else "services.<service>.script"
    assert [one.value for one in found if one.field == f"{script}.timeout"]
    assert all(one.meaning and one.value for one in found)
