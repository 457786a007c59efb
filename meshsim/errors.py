"""What can go wrong, told to the person who can mend it.

MeshsimError
├── ScenarioError      the scenario is wrong: every mistake, each with its place       exit code 104
├── ReplayError        a file of measurements does not hold what it should              exit code 104
├── ResultError        a run directory cannot be read or written                       exit code 1
├── SeamError          the processes or the cluster that should do the work are not there    exit code 1
├── PolicyError        a policy of a user's own cannot be used, or raised something (own_policies.py)    exit code 107
├── UsageError         something was asked for that cannot be                            exit code 2
└── UnitError          one value cannot be read as a quantity (becomes a mistake of a ScenarioError)
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class MeshsimError(Exception):
    """The root of all errors that meshsim raises on purpose."""


class UnitError(MeshsimError, ValueError):
    """A value that is not the quantity which was asked for; the message says what would be."""


class ReplayError(MeshsimError):
    """A file of measurements that does not hold what it should, or not enough of it."""


class ResultError(MeshsimError):
    """A run directory that cannot be read or written."""


class SeamError(MeshsimError):
    """The processes or the cluster that should do the work are not there."""


class UsageError(MeshsimError):
    """Something was asked for that cannot be; the message says what can."""


@dataclass(frozen=True, order=True, slots=True)
class Mistake:
    """One thing that is wrong (or surprising) in a scenario, and where."""

    file: str
    line: int
    """From 1; 0 where the place is not in a file (a `--set` argument, a dict)."""
    column: int
    path: str
    """Dotted path of the setting, such as `mesh.traffic.payment.retries`."""
    message: str
    """What is wrong, and what would be right."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(MeshsimError):
    """A scenario that cannot be run.

    Attributes:
        mistakes: Every mistake found, in the order of the file.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, or the choice where nothing is near and it is short."""
    words = sorted(known)
    folded = {w.replace("_", "").replace("-", "").lower(): w for w in reversed(words)}
    if near := folded.get(word.replace("_", "").replace("-", "").lower()):
        return f"; did you mean '{near}'?"
    if close := difflib.get_close_matches(word, words, n=1, cutoff=0.6):
        return f"; did you mean '{close[0]}'?"
    if 0 < len(words) <= 12:
        return f" (one of: {', '.join(words)})"
    return ""
