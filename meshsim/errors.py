"""What can go wrong, told to the person who can mend it.

MeshsimError
├── ScenarioError      the scenario is wrong: every mistake, each with its place       exit code 104
├── ReplayError        a file of measurements does not hold what it should              exit code 104
├── LimitError         a run was ended that would have taken more than can be had       exit code 104
├── ResultError        a run directory cannot be read or written                       exit code 1
├── SeamError          the processes or the cluster that should do the work are not there    exit code 1
├── PolicyError        a policy of a user's own cannot be used, or raised something (own_policies.py)    exit code 107
├── UsageError         something was asked for that cannot be                            exit code 2
└── UnitError          one value cannot be read as a quantity (becomes a mistake of a ScenarioError)
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


LONGEST_MESSAGE = 600
"""Characters of a message: enough for every one of ours, and short of what a value of 200 KB would make of it."""
FEW_WORDS, NEAR = 100, 8
"""Known words up to which each is compared with an unknown one; and on either side of its place in the alphabet where they are more."""
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would move the cursor, break the line, turn the direction of writing, or cannot be encoded."""


class MeshsimError(Exception):
    """The root of all errors that meshsim raises on purpose."""


class UnitError(MeshsimError, ValueError):
    """A value that is not the quantity which was asked for; the message says what would be."""


class ReplayError(MeshsimError):
    """A file of measurements that does not hold what it should, or not enough of it."""


class LimitError(MeshsimError):
    """A run that was ended because it would have taken more than can be had; the message says what grew."""


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
        return printable(f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}")


class ScenarioError(MeshsimError):
    """A scenario that cannot be run.

    Attributes:
        mistakes: Every mistake found, in the order of the file.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def printable(text: str, longest: int = LONGEST_MESSAGE) -> str:
    r"""One line of text as a terminal may safely show it.

    Control characters, line breaks, marks that turn the direction of writing, and what UTF-8 cannot hold are written as escapes
    (`\x1b`), and what is longer than `longest` characters loses its middle.
    """
    if len(text) > longest:
        head = longest * 3 // 4
        text = f"{text[:head]} ... {text[head - longest :]}"
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known word, or the choice where nothing is near and it is short."""
    words = sorted(known)
    folded = {w.replace("_", "").replace("-", "").lower(): w for w in reversed(words)}
    if near := folded.get(word.replace("_", "").replace("-", "").lower()):
        return f"; did you mean '{near}'?"
    if close := difflib.get_close_matches(word, _neighbours(word, words), n=1, cutoff=0.6):
        return f"; did you mean '{close[0]}'?"
    if 0 < len(words) <= 12:
        return f" (one of: {', '.join(words)})"
    return ""


def _neighbours(word: str, words: Sequence[str]) -> Sequence[str]:
    """All words where they are few; of many those that begin or end much like it: thousands of mistakes are told in a moment."""
    if len(words) <= FEW_WORDS:
        return words
    backwards = _backwards(tuple(words))
    before, behind = bisect_left(words, word), bisect_left(backwards, word[::-1])
    near = [
        *words[max(0, before - NEAR) : before + NEAR],
        *(one[::-1] for one in backwards[max(0, behind - NEAR) : behind + NEAR]),
    ]
    return list(dict.fromkeys(near))


@lru_cache(maxsize=4)
def _backwards(words: tuple[str, ...]) -> list[str]:
    return sorted(one[::-1] for one in words)
