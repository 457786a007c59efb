"""Every warning is shown by a run to be true where it is said, and its absence to be right beside it.

Of each row of the table two small scenarios are checked and run. The odds that chance fails a row are nil: seeds are fixed.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from warned_of_ends import ROWS as OF_ENDS
from warned_of_messages import ROWS as OF_MESSAGES
from warned_of_parts import ROWS as OF_PARTS
from warned_of_queues import ROWS as OF_QUEUES
from warned_of_rollouts import ROWS as OF_ROLLOUTS
from warned_of_traffic import ROWS as OF_TRAFFIC

import meshsim as ms
from meshsim.experiments import watch
from meshsim.scenario import advice
from meshsim.scenario.advice import notes
from meshsim.scenario.advice.remark import Kind
from meshsim.scenario.load import load

if TYPE_CHECKING:
    from warned_scenarios import Row

ROWS = (*OF_TRAFFIC, *OF_PARTS, *OF_ENDS, *OF_QUEUES, *OF_MESSAGES, *OF_ROLLOUTS)
NAMED = [pytest.param(row, id=f"{number}-{row.kind.name.lower()}") for number, row in enumerate(ROWS)]


def kinds(scenario: object) -> set[Kind]:
    read = load(scenario).scenario  # type: ignore[arg-type]
    return {remark.kind for remark in (*advice.remarks(read), *notes.remarks(read))}


@pytest.fixture(autouse=True)
def _ended_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that stands still is ended after fewer events than usual."""
    monkeypatch.setattr(watch, "STALLED_EVENTS", 4_000)


@pytest.mark.parametrize("row", NAMED)
def test_what_is_said_comes_true(row: Row) -> None:
    assert row.kind in kinds(row.earns)
    assert row.shows(ms.load(row.earns).run())


@pytest.mark.parametrize("row", NAMED)
def test_what_is_not_said_does_not(row: Row) -> None:
    assert row.kind not in kinds(row.beside)
    result = ms.load(row.beside).run()
    assert row.shows_beside(result)
    assert row.is_same or not row.shows(result)


def test_every_warning_has_a_row() -> None:
    assert {row.kind for row in ROWS} == set(Kind)


@cache
def said() -> set[str]:
    """The kinds that the checks name."""
    folder = Path(advice.__file__).parent
    trees = [ast.parse(path.read_text()) for path in folder.glob("*.py") if path.name != "remark.py"]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "Kind"}


def test_every_warning_is_one_that_a_check_says() -> None:
    assert said() == {kind.name for kind in Kind}
