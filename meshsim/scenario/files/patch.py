"""Changes to a scenario: `variants:` and `--set path=value`.

A variant is laid over the scenario: a mapping into a mapping, key by key; anything else takes the place of what was there; `null`
takes it out. `--set` replaces the one thing that its path names. What comes out of a variant keeps its place, so that a mistake
is found in the variant's own line.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from meshsim import registry
from meshsim.errors import Mistake, ScenarioError, did_you_mean
from meshsim.scenario.files.nodes import Node, Place, dotted, shortened
from meshsim.scenario.files.text_reader import read_value

if TYPE_CHECKING:
    from meshsim.scenario.files.nodes import Path

CHOICES = {
    "load_balancer", "proxy_time", "think_time", "compute", "same_zone", "cross_zone", "errors", "propagation", "back_off",
    "retry_token_budget", "failure_accrual", "concurrency_limit", "locality", "shed",
}  # fmt: skip
"""Keys whose value is a choice by a single key: another key takes its place, where elsewhere it would stand beside it."""
_REPLAY = "replay"
_SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|\[(\d{1,9})\]|([^.\[\]"=]+)')


class Patch:
    """Lays patches over a scenario.

    Attributes:
        mistakes: What the patches take out although it is not there.
    """

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def variant(self, root: Node, name: str, patch: Node) -> Node:
        """The scenario with one of its variants."""
        return self._merged(root, patch, (), ("variants", name))

    def _merged(self, base: Node, patch: Node, path: Path, origin: Path) -> Node:
        if not isinstance(patch.value, dict) or not isinstance(base.value, dict) or self._chooses_anew(base, patch, path):
            return _moved(patch, origin)
        children, keys = dict(base.value), dict(base.keys)
        for key, change in patch.value.items():
            inner = (*path, key)
            if change.value is None:
                if key not in children:
                    self._nothing_there(patch, inner, origin, did_you_mean(key, children))
                children.pop(key, None)
                keys.pop(key, None)
            elif key in children:
                children[key] = self._merged(children[key], change, inner, origin)
                if children[key].place.origin == origin:
                    keys[key] = patch.keys[key]._replace(origin=origin)
            else:
                children[key] = _moved(change, origin)
                keys[key] = patch.keys[key]._replace(origin=origin)
        return Node(children, base.place, keys)

    @staticmethod
    def _chooses_anew(base: Node, patch: Node, path: Path) -> bool:
        """Whether the patch says another policy than the base, whose settings then mean nothing."""
        if not path or path[-1] not in CHOICES or not isinstance(base.value, dict) or not isinstance(patch.value, dict):
            return False
        old, new = set(base.value), set(patch.value)
        if path[-1] == "errors":
            return {"rate", _REPLAY} <= old | new and not {"rate", _REPLAY} <= new
        families = [{*members, _REPLAY} for members in registry.families().values()]
        return len(new) == 1 and not new & old and any(old <= members and new <= members for members in families)

    def _nothing_there(self, patch: Node, path: Path, origin: Path, hint: str) -> None:
        place = patch.keys[str(path[-1])]
        message = f"there is nothing here to take out{hint}"
        self.mistakes.append(Mistake(place.file, place.line, place.column, dotted((*origin, *path)), message))

    def setting(self, root: Node, argument: str) -> Node:
        """The scenario with one setting changed by `--set`.

        Args:
            root: The scenario.
            argument: `path=value`. A key with a dot or an equals sign in it stands in double quotes, a position in a list in
                brackets (`script[0]`).

        Raises:
            ScenarioError: It is not written so, or its path leads nowhere.
        """
        file = f"--set {shortened(argument, 80)}"
        path, text = _parse_setting(argument, file)
        value = _moved(read_value(text, file), (), file)
        return self._set(root, path, 0, value, Place(file, 0, 0))

    def value(self, root: Node, path_text: str, value: Node, place: Place) -> Node:
        """The scenario with the value of an axis of the matrix in its place.

        Args:
            root: The scenario.
            path_text: The axis: a path as `--set` takes it.
            value: With its own place, where a mistake in it is found.
            place: Of the axis.

        Raises:
            ScenarioError: The path is not written well, or leads nowhere.
        """
        try:
            path, _ = _parse_setting(f"{path_text}=", place.file)
        except ScenarioError:
            message = "is no path; write one like mesh.traffic.payment.retries.num_retries"
            raise ScenarioError([Mistake(place.file, place.line, place.column, "matrix", f"'{path_text}' {message}")]) from None
        return self._set(root, path, 0, value, place)

    def _set(self, node: Node, path: Path, depth: int, value: Node, place: Place) -> Node:
        if depth == len(path):
            return value
        part = path[depth]
        if isinstance(node.value, list):
            return self._set_item(node, path, depth, value, place)
        if isinstance(part, int):
            _refuse(place, path, f"there is no list at '{dotted(path[:depth])}'")
        children, keys = (dict(node.value), dict(node.keys)) if isinstance(node.value, dict) else ({}, {})
        if depth + 1 == len(path) and value.value is None:
            if part not in children:
                _refuse(place, path, f"there is nothing here to take out{did_you_mean(str(part), children)}")
            del children[str(part)], keys[str(part)]
            return Node(children, node.place, keys)
        if isinstance(node.value, dict) and self._chooses_anew(node, Node({str(part): value}, place), path[:depth]):
            children, keys = {}, {}
        if part not in children:
            keys[str(part)] = place
        children[str(part)] = self._set(children.get(str(part), Node({}, place)), path, depth + 1, value, place)
        return Node(children, node.place if isinstance(node.value, dict) else place, keys)

    def _set_item(self, node: Node, path: Path, depth: int, value: Node, place: Place) -> Node:
        items, part = list(node.value) if isinstance(node.value, list) else [], path[depth]
        index = part if isinstance(part, int) else int(part) if part.isdecimal() and len(part) < 9 else len(items)
        if index >= len(items):
            _refuse(
                place, path, f"'{dotted(path[:depth])}' is a list of {len(items)}: write a position from 0 to {len(items) - 1}"
            )
        items[index] = self._set(items[index], path, depth + 1, value, place)
        return Node(items, node.place)


def _parse_setting(argument: str, file: str) -> tuple[Path, str]:
    """The path and the text of the value."""
    path: list[str | int] = []
    at = 0
    while match := _SEGMENT.match(argument, at):
        quoted, index, bare = match.groups()
        if quoted is not None:
            try:
                path.append(str(json.loads(f'"{quoted}"')))
            except ValueError:
                break
        else:
            path.append(int(index) if index is not None else bare.strip())
        at = match.end()
        following = argument[at : at + 1]
        if following == "=":
            return tuple(path), argument[at + 1 :]
        if following == ".":
            at += 1
        elif following != "[":
            break
    raise ScenarioError(
        [Mistake(file, 0, 0, "", "write path=value, such as run.duration=2m or services.cart.script[0].compute=5ms")]
    )


def _refuse(place: Place, path: Path, message: str) -> None:
    raise ScenarioError([Mistake(place.file, place.line, place.column, dotted(path), message)])


def _moved(node: Node, origin: Path, file: str | None = None) -> Node:
    """The same content, its places relative to `origin`, or in no file but a `--set` argument."""

    def at(place: Place) -> Place:
        return place._replace(origin=origin) if file is None else Place(file, 0, 0)

    if isinstance(node.value, dict):
        inner = {key: _moved(child, origin, file) for key, child in node.value.items()}
        return Node(inner, at(node.place), {key: at(place) for key, place in node.keys.items()})
    if isinstance(node.value, list):
        return Node([_moved(child, origin, file) for child in node.value], at(node.place))
    return Node(node.value, at(node.place))
