"""The points of a sweep: `matrix:` with `include` and `exclude` as in GitHub Actions, and `--vary path=a..b:step`.

Source: GitHub, Workflow syntax for GitHub Actions, jobs.<job_id>.strategy.matrix.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from meshsim.errors import Mistake, ScenarioError, UnitError, did_you_mean
from meshsim.scenario.files.nodes import Finding, shown
from meshsim.units import format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INCLUDE = "include"
EXCLUDE = "exclude"
VARIANT = "variant"
"""An axis that takes names of variants and no setting."""
MOST_POINTS = 10_000
_RANGE = re.compile(r"\s*(-?\d[^.]*(?:\.\d[^.]*)?)\s*\.\.\s*(-?\d[^.:]*(?:\.\d[^.:]*)?)\s*:\s*(\d.*?)\s*")
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(.*)", re.ASCII)


def points(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All points, in the order of the axes, the last one running fastest; then what `include` adds.

    Args:
        matrix: Lists of values by path; `exclude` takes out every combination that agrees with one of its entries, `include`
            adds its settings to the combinations that it agrees with, or is a point of its own where it agrees with none.
    """
    axes = {path: values for path, values in matrix.items() if path not in {INCLUDE, EXCLUDE}}
    found = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    excluded = matrix.get(EXCLUDE) or []
    original = [one for one in found if not any(_agrees(one, entry, entry) for entry in excluded)]
    extended = [dict(one) for one in original]
    added = []
    for entry in matrix.get(INCLUDE) or []:
        fitting = [index for index, one in enumerate(original) if _agrees(one, entry, [path for path in entry if path in axes])]
        if not fitting or not (set(entry) - set(axes)):
            if not any(_agrees(one, entry, entry) for one in extended):
                added.append(dict(entry))
            continue
        for index in fitting:
            extended[index] |= entry
    return [*extended, *added]


def findings(tree: Any) -> Iterator[Finding]:
    """What is wrong with the shape of `matrix:`."""
    matrix = tree.get("matrix") if isinstance(tree, dict) else None
    if not isinstance(matrix, dict):
        return
    count = 1
    for path, values in matrix.items():
        if path in {INCLUDE, EXCLUDE}:
            yield from _entries(matrix, path)
        elif not isinstance(values, list) or not values:
            yield Finding(("matrix", path), f"write a list of values, such as [1, 2, 4], not {shown(values)}")
        else:
            count *= len(values)
            variants = tree.get("variants") if isinstance(tree.get("variants"), dict) else {}
            for index, value in enumerate(values):
                if path == VARIANT and value not in variants:
                    yield Finding(("matrix", path, index), f"unknown variant {shown(value)}{did_you_mean(str(value), variants)}")
                elif value in values[:index] and type(value) is type(values[values.index(value)]):
                    yield Finding(("matrix", path, index), f"{shown(value)} is here twice")
    if count > MOST_POINTS:
        yield Finding(("matrix",), f"{count:,} points; a sweep has {MOST_POINTS:,} at most", at_key=True)


def _entries(matrix: Mapping[str, Any], key: str) -> Iterator[Finding]:
    entries = matrix[key]
    if not isinstance(entries, list):
        yield Finding(("matrix", key), f"write a list of combinations, not {shown(entries)}")
        return
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not entry:
            yield Finding(("matrix", key, index), f"write values by path, such as {{run.seed: 2}}, not {shown(entry)}")
            continue
        for path, value in entry.items() if key == EXCLUDE else ():
            if path not in matrix:
                hint = did_you_mean(path, set(matrix) - {INCLUDE, EXCLUDE})
                yield Finding(("matrix", key, index, path), f"no axis of the matrix{hint}", at_key=True)
            elif isinstance(matrix[path], list) and value not in matrix[path]:
                yield Finding(("matrix", key, index, path), f"{shown(value)} is no value of that axis: nothing is taken out")


def parse_vary(argument: str) -> tuple[str, list[str]]:
    """An axis of `--vary`: its path and its values, as `--set` takes them.

    Args:
        argument: `path=a..b:step` with both ends (`load.shoppers.rate=100/s..800/s:100/s`), or `path=a,b,c`.

    Raises:
        ScenarioError: It is not written so.
    """
    path, equals, text = argument.partition("=")
    file = f"--vary {argument[:80]}"
    example = "write path=from..to:step, such as load.shoppers.rate=100/s..800/s:100/s, or path=a,b,c"
    if not equals or not path.strip() or not text.strip():
        raise ScenarioError([Mistake(file, 0, 0, "", example)])
    if ".." not in text:
        values = [one.strip() for one in _split(text)]
        if not all(values) or len(set(values)) < len(values):
            raise ScenarioError([Mistake(file, 0, 0, path.strip(), f"an empty value, or one that is there twice; {example}")])
        return path.strip(), values
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ScenarioError([Mistake(file, 0, 0, path.strip(), f"{shown(text)} is no range; {example}")])
    try:
        return path.strip(), _range(*match.groups())
    except UnitError as error:
        raise ScenarioError([Mistake(file, 0, 0, path.strip(), str(error))]) from None


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _range(first: str, last: str, step: str) -> list[str]:
    """Values from the first to the last, both if the step leads there. A unit may stand at each of the three or at the last two."""
    numbers = [_NUMBER.fullmatch(text.strip()) for text in (first, last, step)]
    units = [match.group(2).strip() if match else "" for match in numbers]
    if len({unit for unit in units if unit}) <= 1 and all(numbers):
        unit = next((unit for unit in units if unit), "")
        low, high, width = (Decimal(match.group(1)) for match in numbers if match)
        return [f"{value.normalize():f}{unit}" for value in _steps(low, high, width)]
    low, high, width = (Decimal(parse_duration(text.strip())) for text in (first, last, step))
    return [format_duration(int(value), 12) for value in _steps(low, high, width)]


def _steps(low: Decimal, high: Decimal, width: Decimal) -> list[Decimal]:
    if width <= 0 or high < low:
        raise UnitError("a range goes upwards: from the smaller to the larger value, by a step of more than 0")
    count = int((high - low) / width) + 1
    if count > MOST_POINTS:
        raise UnitError(f"{count:,} values; a sweep has {MOST_POINTS:,} points at most")
    return [low + width * index for index in range(count)]


def _agrees(point: Mapping[str, Any], entry: Mapping[str, Any], paths: Sequence[str] | Mapping[str, Any]) -> bool:
    return all(path in point and point[path] == entry[path] for path in paths)
