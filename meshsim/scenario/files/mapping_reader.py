"""A scenario given as Python's dicts and lists, to nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from meshsim.errors import Mistake, ScenarioError
from meshsim.scenario.files.nodes import Node, Place, dotted, refuse_what_is_no_text, shortened
from meshsim.scenario.files.yaml_reader import DEEPEST, MOST_NODES

if TYPE_CHECKING:
    from meshsim.scenario.files.nodes import Path, Scalar


def read_mapping(content: Mapping[str, Any], file: str) -> tuple[Node, list[Mistake]]:
    """The nodes of a mapping, and what in it cannot be part of a scenario.

    Raises:
        ScenarioError: It is larger or deeper than any scenario.
    """
    reader = _MappingReader(file)
    root = reader.node(content, ())
    refuse_what_is_no_text(root)
    return root, reader.mistakes


class _MappingReader:
    def __init__(self, file: str) -> None:
        self.place = Place(file, 0, 0)
        self.mistakes: list[Mistake] = []
        self._count = 0

    def node(self, value: Any, path: Path) -> Node:
        self._count += 1
        if self._count > MOST_NODES or len(path) > DEEPEST:
            message = "nested too deep" if len(path) > DEEPEST else f"more than {MOST_NODES:,} values; a scenario is smaller"
            raise ScenarioError([Mistake(self.place.file, 0, 0, dotted(path[:5]), message)])
        if isinstance(value, Mapping):
            children = {key if isinstance(key, str) else self._key(key, path): inner for key, inner in value.items()}
            nodes = {key: self.node(inner, (*path, key)) for key, inner in children.items()}
            return Node(nodes, self.place, dict.fromkeys(nodes, self.place))
        if isinstance(value, list | tuple):
            return Node([self.node(inner, (*path, index)) for index, inner in enumerate(value)], self.place)
        return Node(self._scalar(value, path), self.place)

    def _key(self, key: Any, path: Path) -> str:
        if not isinstance(key, int) or isinstance(key, bool):
            self._note(path, f"a key must be text, not {shortened(repr(key))}")
        return shortened(str(key))

    def _scalar(self, value: Any, path: Path) -> Scalar:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str | PurePath):
            return str(value)
        if isinstance(value, Integral) and abs(int(value)) < 10**30:
            return int(value)
        if isinstance(value, Real) and not isinstance(value, Integral) and math.isfinite(float(value)):
            return float(value)
        is_number = isinstance(value, Real)
        self._note(
            path, "no number that can be counted with" if is_number else f"a {type(value).__name__} cannot be part of a scenario"
        )
        return None

    def _note(self, path: Path, message: str) -> None:
        self.mistakes.append(Mistake(self.place.file, 0, 0, dotted(path), message))
