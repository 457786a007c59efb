"""YAML 1.2 text to nodes with places.

ruamel.yaml gives the events; what they mean is decided here, by the core schema of YAML 1.2.2 (section 10.3.2): no tag makes
an object, `yes` is text, a date is text. Nothing in a file can make this loop, recurse or grow without bound.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from meshsim.errors import Mistake, ScenarioError
from meshsim.scenario.files.nodes import Node, Place, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Scalar

MOST_NODES = 100_000
"""Values in a file, each counted as often as aliases repeat it."""
DEEPEST = 50
"""Levels of nesting."""
_LONGEST_NUMBER = 30
"""Digits; longer ones mean nothing here, and Python refuses to read them from 4,300 on."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_CORE}{name}" for name in ("str", "int", "float", "bool", "null")}


class YamlReader:
    """Reads one document.

    Attributes:
        mistakes: What was wrong with it and did not hinder reading on.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self._place = Place(file, 1, 1)
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._count = 0
        self._events = self._parse(text)

    def read(self) -> Node | None:
        """The document, or None where there is none.

        Raises:
            ScenarioError: It is no YAML, or more than one document.
        """
        document: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if document is not None:
                    self._fail("a second document begins here; a scenario is one")
                document = self._node(next(self._events), 0)
        return document

    def _parse(self, text: str) -> Iterator[Any]:
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self._place = self._place_of(event.start_mark)
                yield event
        except MarkedYAMLError as error:
            if error.context == "while scanning a quoted scalar" and "end of stream" in (error.problem or ""):
                self._fail("the quote that begins here is never closed", error.context_mark)
            problem = (error.problem or error.context or "").partition("\n")[0]
            if "'\\t'" in problem:
                problem = "a tab; YAML indents by spaces"
            self._fail(f"not YAML: {problem}", error.problem_mark or error.context_mark)
        except ScenarioError:
            raise
        except Exception as error:  # noqa: BLE001 — on rubbish ruamel.yaml also raises errors that are not its own
            self._fail(f"not YAML from here on ({type(error).__name__})")

    def _place_of(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _fail(self, message: str, mark: Any = None) -> None:
        place = self._place if mark is None else self._place_of(mark)
        raise ScenarioError([*self.mistakes, _mistake(place, message)])

    def _note(self, place: Place, message: str) -> None:
        self.mistakes.append(_mistake(place, message))

    def _node(self, event: Any, depth: int) -> Node:
        place = self._place
        self._count += 1
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor, place)
        if self._count > MOST_NODES:
            self._fail(f"more than {MOST_NODES:,} values; a scenario is smaller")
        if depth > DEEPEST:
            self._fail(f"nested more than {DEEPEST} levels deep")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        before = self._count
        node = Node(None, place)
        if isinstance(event, ScalarEvent):
            node.value = self._scalar(event, place)
        elif isinstance(event, SequenceStartEvent):
            self._check_tag(event.tag, f"{_CORE}seq", place)
            node.value = self._sequence(depth)
        else:
            self._check_tag(event.tag, f"{_CORE}map", place)
            node.value, node.keys = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before + 1)
        return node

    def _alias(self, name: str, place: Place) -> Node:
        if name not in self._anchors:
            self._fail(f"unknown anchor '*{shortened(name)}'")
        anchored = self._anchors[name]
        if anchored is None:
            self._note(place, f"'*{shortened(name)}' stands inside of what it repeats")
            return Node(None, place)
        node, count = anchored
        self._count += count
        if self._count > MOST_NODES:
            self._fail(f"aliases repeat more than {MOST_NODES:,} values; a scenario is smaller")
        return node

    def _sequence(self, depth: int) -> list[Node]:
        items = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> tuple[dict[str, Node], dict[str, Place]]:
        children: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[tuple[Place, Node]] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            place = self._place
            is_merge = isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]
            key = event.value if isinstance(event, ScalarEvent) else None
            if key is None:
                self._node(event, depth + 1)
                self._note(place, "a key must be text")
            value = self._node(next(self._events), depth + 1)
            if value.value is None and value.place.line != place.line:
                value = Node(None, place)  # nothing stands after the key, and the parser looked for it in the next line
            if is_merge:
                merged.append((place, value))
            elif key in keys:
                self._note(place, f"'{shortened(key)}' is here twice; first in line {keys[key].line}")
            elif key is not None:
                children[key], keys[key] = value, place
        for place, value in merged:
            self._merge(place, value, children, keys)
        return children, keys

    def _merge(self, place: Place, value: Node, children: dict[str, Node], keys: dict[str, Place]) -> None:
        """Add what `<<:` names; what the mapping says itself comes first (yaml.org/type/merge.html)."""
        for one in value.value if isinstance(value.value, list) else [value]:
            if not isinstance(one.value, dict):
                self._note(place, "'<<' merges a mapping or a list of them")
                continue
            for key, child in one.value.items():
                if key not in children:
                    children[key], keys[key] = child, one.keys[key]

    def _check_tag(self, tag: str | None, wanted: str, place: Place) -> None:
        if tag not in (None, "!", wanted):
            self._note(place, f"unknown tag '{_tag(tag)}'; leave it out")

    def _scalar(self, event: Any, place: Place) -> Scalar:
        text: str = event.value
        if event.tag is not None and event.tag != "!":
            if event.tag not in _SCALAR_TAGS:
                self._note(place, f"unknown tag '{_tag(event.tag)}'; leave it out")
                return None
            if event.tag == f"{_CORE}str":
                return text
        elif not event.implicit[0]:
            return text
        return self._resolved(text, place)

    def _resolved(self, text: str, place: Place) -> Scalar:
        """What a plain scalar means."""
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            self._note(place, f"'{text}' is no number that can be counted with")
            return None
        is_integer = _INTEGER.fullmatch(text) is not None
        return self._number(text, place, is_integer) if is_integer or _FLOAT.fullmatch(text) else text

    def _number(self, text: str, place: Place, is_integer: bool) -> Scalar:  # noqa: FBT001 -- private, with one caller
        if len(text) > _LONGEST_NUMBER:
            self._note(place, f"a number of {len(text)} digits; no setting is that large or that precise")
            return None
        if is_integer:
            return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
        number = float(text)
        if not math.isfinite(number):
            self._note(place, f"{text} is too large")
            return None
        return number


def _mistake(place: Place, message: str) -> Mistake:
    return Mistake(place.file, place.line, place.column, "", message)


def _tag(tag: str) -> str:
    return shortened(f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag)
