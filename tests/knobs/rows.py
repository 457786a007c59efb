"""A row of the proof that nothing in the language is inert: two values of a key, and which way a figure goes from one to the other."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import meshsim as ms

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Row:
    """Two values of one key in a small scenario, and what becomes of a figure."""

    name: str
    """The key, as `Definition.key`; what follows after a space tells several rows of one key apart."""
    base: dict[str, Any] = field(repr=False)
    """The scenario."""
    changes_a: dict[str, Any] = field(repr=False)
    """What is laid over it first, as a variant is; nothing where empty."""
    changes_b: dict[str, Any] = field(repr=False)
    """What is laid over it in its place."""
    measure: Callable[[ms.Result], float]
    """The figure."""
    direction: Literal["more", "less", "other"]
    """Which way it goes from the first to the second; `other` where there is no order."""

    @property
    def key(self) -> str:
        """The key that it is about."""
        return self.name.partition(" ")[0]


def figures(row: Row) -> tuple[float, float]:
    """The figure with the first changes and with the second ones, under the same seed."""
    return row.measure(_result(row.base, row.changes_a)), row.measure(_result(row.base, row.changes_b))


def check(row: Row) -> None:
    """Assert that the figure goes the way that the row says."""
    first, second = figures(row)
    goes = {"more": second > first, "less": second < first, "other": second != first}[row.direction]
    assert goes, f"{row.name}: {first} and then {second}, and it should be {row.direction}"


def _result(base: dict[str, Any], changes: dict[str, Any]) -> ms.Result:
    return _run(json.dumps({**base, "variants": {**base.get("variants", {}), "changed": changes}}, sort_keys=False))


@lru_cache(maxsize=8)
def _run(scenario: str) -> ms.Result:
    """A run of a scenario's variant; neighbours in the table share theirs."""
    return ms.load(json.loads(scenario), variant="changed").run()
