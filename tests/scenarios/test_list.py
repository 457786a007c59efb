"""The list of scenarios tells of all of them."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def test_the_list_has_every_scenario_with_its_question():
    listed = dict(
        re.findall(
            r"^\| \[([\w-]+)\]\(\1\.yaml\) \| (.+) \|$", (SCENARIOS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )

    assert listed == {path.stem: YAML(typ="safe").load(path)["description"] for path in SCENARIOS.glob("*.yaml")}


def test_a_scenario_has_the_name_of_its_file():
    assert all(YAML(typ="safe").load(path)["name"] == path.stem for path in SCENARIOS.glob("*.yaml"))
