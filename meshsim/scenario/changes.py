"""What one scenario says differently from another, setting by setting."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from meshsim.scenario.files.nodes import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path
    from meshsim.scenario.load import LoadedScenario

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is not the same."""

    path: str
    """Such as `mesh.traffic.payment.retries.num_retries`."""
    before: str | None
    """As YAML on one line; None where it is absent."""
    after: str | None


def changes(before: LoadedScenario, after: LoadedScenario) -> list[Change]:
    """Every setting that differs, in the order of the file; names and descriptions of the scenario aside."""
    yaml = YAML(typ="safe", pure=True)
    trees = [yaml.load(one.text) for one in (before, after)]
    for tree in trees:
        tree.pop("name", None)
        tree.pop("description", None)
    return [Change(dotted(path), _text(old), _text(new)) for path, old, new in _differences(trees[0], trees[1], ())]


def _differences(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Down to single settings: a mapping that only one of the two has is told by what is in it."""
    if before is _ABSENT and isinstance(after, dict) and after:
        before = {}
    elif after is _ABSENT and isinstance(before, dict) and before:
        after = {}
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _differences(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, str(key)))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, (*path, index))
    elif before is _ABSENT or after is _ABSENT or before != after:
        yield path, before, after


def _text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10_000
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue().removesuffix("\n").removesuffix("...").strip()
