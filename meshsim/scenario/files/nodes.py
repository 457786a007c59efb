"""A scenario's content with the place of everything in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from meshsim.errors import Mistake, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Scalar: TypeAlias = "bool | int | float | str | None"
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"
"""Content without places."""
Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and positions in lists, from the top."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BARE_KEY = re.compile(r"[^\s.\"\[\]=]+")


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int
    """From 1; 0 where it is not in a file."""
    column: int
    origin: Path = ()
    """What the path of a setting is relative to: `("variants", "no-retries")` for what a variant says."""


class Finding(NamedTuple):
    """Something that is wrong with a setting, before it is known where in the file it stands."""

    path: Path
    message: str
    at_key: bool = False
    """Point at the key and not at the value."""


@dataclass(slots=True)
class Node:
    """A value, and where it stands; a mapping's keys have places of their own.

    Nodes are shared, by YAML's aliases and by patches: never change one.
    """

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)

    def child(self, part: str | int) -> Node | None:
        """The value under a key or at a position, or None."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None


def refuse_what_is_no_text(root: Node) -> None:
    """Raise `ScenarioError` where a key or a value has characters that are no text, each with its place.

    YAML's escapes and Python's strings can hold what a file cannot: half of a surrogate pair, which no encoding takes, and control
    characters, which would reach the terminal and the report with every name that has them.
    """
    mistakes: dict[Mistake, None] = {}
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node.value, str):
            mistakes |= dict.fromkeys(_no_text(node.value, node.place, _CONTROL))
        elif isinstance(node.value, list):
            waiting.extend(node.value)
        elif isinstance(node.value, dict):
            for key in node.value:
                mistakes |= dict.fromkeys(_no_text(key, node.keys.get(key, node.place), _CONTROL_OR_BREAK))
            waiting.extend(node.value.values())
    if mistakes:
        raise ScenarioError(list(mistakes))


def _no_text(text: str, place: Place, forbidden: re.Pattern[str]) -> Iterator[Mistake]:
    if found := forbidden.search(text):
        message = f"a character that is no text (U+{ord(found.group()):04X}) in {shown(text)}"
        yield Mistake(place.file, place.line, place.column, "", message)


def plain(node: Node) -> Plain:
    """The content, without places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


@dataclass(frozen=True, slots=True)
class Places:
    """Where each setting of a scenario stands."""

    root: Node

    def find(self, path: Path) -> Node | None:
        """The node at a path, or None."""
        node: Node | None = self.root
        for part in path:
            node = node.child(part) if node is not None else None
        return node

    def mistake(self, path: Sequence[str | int], message: str, *, at_key: bool = False) -> Mistake:
        """What to tell about a setting, with its place.

        Args:
            path: Of the setting. Where it does not exist, what stands nearest above it is pointed at.
            message: What is wrong.
            at_key: Point at the key and not at the value. Mappings and lists under a key are always pointed at by it.
        """
        node, place = self.root, self.root.place
        for part in path:
            child = node.child(part)
            if child is None:
                break
            key = node.keys.get(part) if isinstance(part, str) else None
            place = key if key is not None and (at_key or isinstance(child.value, dict | list)) else child.place
            node = child
        return Mistake(place.file, place.line, place.column, dotted((*place.origin, *path)), message)


def dotted(path: Sequence[str | int]) -> str:
    """A path for people: `services.cart.script[0].call`; a key with a dot in it is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            written = part if _BARE_KEY.fullmatch(part) else json.dumps(shortened(part), ensure_ascii=False)
            text += f".{written}" if text else written
    return text


def shortened(text: str, length: int = 40) -> str:
    """Text that fits into a message."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def shown(value: object) -> str:
    """A value as a message quotes it: `'three'`, `5`, `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{shortened(value)}'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return shortened(str(value))


def mapping(tree: Any, *keys: str) -> dict[str, Any]:
    """The mapping under some keys; empty where there is none."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}
