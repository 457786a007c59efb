"""Bytes to text, and text to a scenario's nodes: what is no text, no mapping or nothing at all is told here."""

from __future__ import annotations

import re

from meshsim.errors import Mistake, ScenarioError
from meshsim.scenario.files.nodes import Node, Place, refuse_what_is_no_text
from meshsim.scenario.files.yaml_reader import YamlReader

LARGEST_BYTES = 5_000_000
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(text: str, file: str) -> tuple[Node, list[Mistake]]:
    """The one document of a text.

    Returns:
        Its content, a mapping, and what was wrong with the YAML but did not hinder reading on.

    Raises:
        ScenarioError: It cannot be read, or is no mapping.
    """
    if found := _UNPRINTABLE.search(text):
        before = text[: found.start()]
        place = Place(file, before.count("\n") + 1, found.start() - before.rfind("\n"))
        raise ScenarioError(
            [Mistake(place.file, place.line, place.column, "", f"a character that is no text (U+{ord(found.group()):04X})")]
        )
    reader = YamlReader(text, file)
    root = reader.read()
    if root is None:
        raise ScenarioError([Mistake(file, 1, 1, "", "the file is empty; a scenario is a mapping that begins with `name:`")])
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else "a single value"
        message = f"the file is {kind}; a scenario is a mapping that begins with `name:`"
        raise ScenarioError([*reader.mistakes, Mistake(file, root.place.line, root.place.column, "", message)])
    refuse_what_is_no_text(root)
    return root, reader.mistakes


def read_value(text: str, file: str) -> Node:
    """One value in YAML's notation, as `--set` takes it.

    Raises:
        ScenarioError: It cannot be read.
    """
    if found := _UNPRINTABLE.search(text):
        raise ScenarioError([Mistake(file, 0, 0, "", f"a character that is no text (U+{ord(found.group()):04X})")])
    try:
        reader = YamlReader(text, file)
        node = reader.read() or Node(None, Place(file, 0, 0))
    except ScenarioError as error:
        raise ScenarioError([Mistake(file, 0, 0, "", one.message) for one in error.mistakes]) from None
    if reader.mistakes:
        raise ScenarioError([Mistake(file, 0, 0, "", one.message) for one in reader.mistakes])
    refuse_what_is_no_text(node)
    return node


def decoded(content: bytes, file: str) -> str:
    """The text of a file.

    Raises:
        ScenarioError: It is too large, or not UTF-8.
    """
    if len(content) > LARGEST_BYTES:
        message = f"the file has {len(content):,} bytes; a scenario has {LARGEST_BYTES:,} at most"
        raise ScenarioError([Mistake(file, 1, 1, "", message)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise ScenarioError(
            [Mistake(place.file, place.line, place.column, "", f"not text in UTF-8 (byte 0x{content[error.start]:02x})")]
        ) from None
