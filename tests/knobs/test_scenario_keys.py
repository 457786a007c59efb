"""No key of the scenario language is inert: each is turned in a small scenario, and a figure goes the way that it should.

The settings of policies have tables of their own. Nothing here is left to chance: both runs of a row have the same seed, and it is
fixed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keys_arrivals
import keys_caches
import keys_choices
import keys_connections
import keys_cost
import keys_cpu
import keys_edge
import keys_load
import keys_messages
import keys_network_faults
import keys_proxies
import keys_resilience
import keys_rollouts
import keys_run
import keys_scaling
import keys_services
import keys_traffic
import pytest
from keys_worlds import RANDOM_WORK, bare_world
from rows import Row, check

import meshsim as ms
from meshsim import registry
from meshsim.scenario.documentation.schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = (
    keys_load, keys_proxies, keys_traffic, keys_connections, keys_resilience, keys_services, keys_network_faults, keys_run, keys_choices, keys_edge,
    keys_scaling, keys_cost, keys_arrivals, keys_cpu, keys_messages, keys_rollouts, keys_caches,
)  # fmt: skip
ROWS = [row for part in PARTS for row in part.ROWS]
TESTS = Path(__file__).resolve().parents[1]
HERE = "knobs/test_scenario_keys.py"
EXCEPTIONS = {
    "Scenario.name": f"{HERE}::test_the_name_is_that_of_the_folder_of_results",
    "Scenario.description": f"{HERE}::test_the_description_is_kept_with_the_result",
    "Scenario.variants": "scenario/test_patch.py::test_mappings_merge_and_scalars_replace",
    "Scenario.matrix": f"{HERE}::test_the_matrix_says_the_points_of_a_sweep",
    "RunSection.replications": f"{HERE}::test_the_number_of_replications_is_that_of_a_comparison",
    "RunSection.limits": "unit/test_needs.py::test_a_refusal_has_a_place_in_the_file_and_can_be_overruled",
    "ResourceMetricSection.name": "scenario/test_messages.py::test_what_is_wrong_with_autoscaling_is_said",
    "RunSection.until": f"{HERE}::test_until_adds_replications_until_the_figure_is_precise_or_there_are_too_many",
    "UntilSection.metric": f"{HERE}::test_until_adds_replications_until_the_figure_is_precise_or_there_are_too_many",
    "UntilSection.relative_error": f"{HERE}::test_until_adds_replications_until_the_figure_is_precise_or_there_are_too_many",
    "UntilSection.max_replications": f"{HERE}::test_until_adds_replications_until_the_figure_is_precise_or_there_are_too_many",
}
"""Keys that change nothing of a run: what they do is more than one run, or says something of it; and where that is tested."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_key_moves_a_figure_the_way_it_should(row: Row) -> None:
    check(row)


def keys_of_the_schema() -> set[str]:
    """All keys of the language as `Definition.key`, without the settings of policies.

    Definitions that end in `Patch` are those of variants: the same keys again, of which any may be left out.
    """
    schema = json_schema()
    policies = {policy.__name__ for family in registry.families().values() for policy in family.values()}
    definitions = {name: one for name, one in schema["$defs"].items() if not name.endswith("Patch")}
    own = {name: one for name, one in definitions.items() if _class_name(name) not in policies}
    top = {key: one for key, one in schema.items() if key != "$defs"}
    return {f"{name}.{key}" for name, one in {**own, "Scenario": top}.items() for key in _properties(one)}


def _class_name(definition: str) -> str:
    """Of a definition whose name pydantic made of the module where two classes have the same."""
    return definition.split("__")[-2] if definition.startswith("meshsim__") else definition


def _properties(schema: Any) -> Iterator[str]:
    """All names of properties in a definition, those of its branches too; not those of the definitions that it refers to."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _properties(inner)


def test_every_key_has_a_row_or_a_test_elsewhere() -> None:
    known, shown = keys_of_the_schema(), {row.key for row in ROWS} | set(EXCEPTIONS)

    assert sorted(known - shown) == [], "keys that nothing proves to do anything"
    assert sorted(shown - known) == [], "keys that the language does not have"
    assert sorted(set(EXCEPTIONS) & {row.key for row in ROWS}) == [], "exceptions that need none"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_turns_the_key_that_it_is_named_for(row: Row) -> None:
    assert row.key.partition(".")[2] in {*_names(row.changes_a), *_names(row.changes_b)}


def _names(changes: Any) -> Iterator[str]:
    """All keys in a patch, at any depth."""
    if isinstance(changes, dict):
        yield from changes
    for inner in changes.values() if isinstance(changes, dict) else changes if isinstance(changes, list) else ():
        yield from _names(inner)


def test_no_two_rows_have_a_name() -> None:
    names = [row.name for row in ROWS]

    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("place", sorted(set(EXCEPTIONS.values())))
def test_the_tests_that_exceptions_name_are_there(place: str) -> None:
    file, _, name = place.partition("::")

    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def several(**run: Any) -> dict[str, Any]:
    """A scenario of a few requests whose latency is left to chance, with two variants."""
    base = bare_world(back={"script": RANDOM_WORK}, run={"duration": "300ms", **run})
    return {**base, "variants": {"one": {}, "two": {"services": {"back": {"workers": 2}}}}}


def test_the_name_is_that_of_the_folder_of_results() -> None:
    folders = [ms.load({**several(), "name": name}).directory().parts[-3] for name in ("spring", "autumn")]

    assert folders == ["spring", "autumn"]


def test_the_description_is_kept_with_the_result() -> None:
    result = ms.load({**several(), "description": "Who waits for whom?"}).run()

    assert "Who waits for whom?" in (result.directory / "scenario.yaml").read_text(encoding="utf-8")


def test_the_matrix_says_the_points_of_a_sweep(tmp_path: Path) -> None:
    sweep = ms.sweep({**several(), "matrix": {"services.back.workers": [1, 2, 3]}}, replications=1, jobs=1, out=tmp_path / "out")

    assert list(sweep.to_frame()["services.back.workers"]) == ["1", "2", "3"]


@pytest.mark.parametrize("replications", [2, 3])
def test_the_number_of_replications_is_that_of_a_comparison(replications: int, tmp_path: Path) -> None:
    assert ms.compare(several(replications=replications), jobs=1, out=tmp_path / "out").replications == replications


def test_until_adds_replications_until_the_figure_is_precise_or_there_are_too_many(tmp_path: Path) -> None:
    def made(metric: str, error: str, most: int) -> int:
        until = {"metric": metric, "relative_error": error, "max_replications": most}
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        return ms.compare(several(replications=2, until=until), jobs=1, out=out).replications

    assert made("latency:avg", "99%", 4) < made("latency:avg", "0.1%", 4) < made("latency:avg", "0.1%", 6)
    assert made("requests:count", "0.1%", 4) < made("latency:avg", "0.1%", 4)
