"""The tables of the report, ready to be set: thresholds, figures, changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.report.page import wording
from meshsim.report.page.precision import told
from meshsim.report.page.wording import Judgement, plural
from meshsim.scenario.figure import of_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from meshsim.experiments.comparison import Comparison
    from meshsim.scenario.changes import Change

HELD = Judgement("good", "✓", "held")
CROSSED = Judgement("bad", "✗", "crossed")
MOST_CHANGED = 12
"""Variants whose changes are listed; a sweep may have hundreds."""


class Standing(NamedTuple):
    """How a variant stands against all its thresholds."""

    variant: str
    sign: str
    word: str
    kind: str
    detail: str
    """Those that it crosses."""


class ThresholdCell(NamedTuple):
    """One threshold of one variant."""

    sign: str
    word: str
    kind: str
    value: str
    interval: str
    held: str
    """In how many replications it held; empty for one replication."""


class ThresholdRow(NamedTuple):
    """One threshold of all variants."""

    words: str
    code: str
    cells: list[ThresholdCell | None]


class FigureRow(NamedTuple):
    """One figure of one variant."""

    variant: str
    value: str
    interval: str
    difference: str
    relative: str
    difference_interval: str
    judgement: Judgement


class FigureGroup(NamedTuple):
    """One figure of all variants."""

    name: str
    words: str
    method: str
    """How its intervals were made."""
    rows: list[FigureRow]


class VariantChanges(NamedTuple):
    """What one variant says differently."""

    name: str
    summary: str
    rows: list[Change]


def standings(thresholds: pd.DataFrame, variants: Sequence[str]) -> list[Standing]:
    """Each variant in one line: whether it holds all its thresholds, and if not, which ones it crosses."""
    if thresholds.empty:
        return []
    made = []
    for name in variants:
        mine = thresholds[thresholds["variant"] == name]
        crossed = [wording.threshold_words(row["metric"], row["condition"]) for row in records(mine) if not row["passed"]]
        if not len(mine):
            made.append(Standing(name, "", "no thresholds", "none", ""))
        elif crossed:
            word = f"{len(crossed)} of {plural(len(mine), 'threshold')} crossed" if len(mine) > 1 else "the threshold crossed"
            made.append(Standing(name, "✗", word, "bad", "; ".join(crossed)))
        else:
            word = {1: "the threshold held", 2: "both thresholds held"}.get(len(mine), f"all {len(mine)} thresholds held")
            made.append(Standing(name, "✓", word, "good", ""))
    return made


def threshold_rows(thresholds: pd.DataFrame, variants: Sequence[str], replications: int) -> list[ThresholdRow]:
    """A row for each threshold, a cell for each variant; None where the variant has no such threshold."""
    found: dict[tuple[str, str], dict[str, ThresholdCell]] = {}
    for row in records(thresholds):
        cells = found.setdefault((row["metric"], row["condition"]), {})
        cells[row["variant"]] = _threshold_cell(row, replications)
    return [
        ThresholdRow(wording.threshold_words(metric, condition), f"{metric} {condition}", [cells.get(name) for name in variants])
        for (metric, condition), cells in found.items()
    ]


def _threshold_cell(row: dict[str, Any], replications: int) -> ThresholdCell:
    look = HELD if row["passed"] else CROSSED
    quantity = of_threshold(row["metric"], row["condition"]).quantity
    is_measured = not is_nothing(row["value"])
    number, low, high = (math.nan if is_nothing(row[name]) else float(row[name]) for name in ("value", "low", "high"))
    value, between = told(number, low, high, quantity) if is_measured else (str(row["observed_text"]), "")
    held = ""
    if replications > 1 and not is_nothing(row["held"]):
        times = round(float(row["held"]) * replications)
        held = f"held in {'all' if times == replications else 'none' if times == 0 else times} of {plural(replications, 'replication')}"
    return ThresholdCell(look.sign, look.word, look.kind, value, between, held)


def figure_groups(table: pd.DataFrame) -> list[FigureGroup]:
    """The comparison table, a group of rows for each figure."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in records(table):
        groups.setdefault(row["figure"], []).append(row)
    return [
        FigureGroup(
            name,
            wording.figure_words(name),
            "; ".join(dict.fromkeys(str(row["method"]) for row in rows if row["method"])),
            [_figure_row(row) for row in rows],
        )
        for name, rows in groups.items()
    ]


def _figure_row(row: dict[str, Any]) -> FigureRow:
    quantity = row["quantity"]
    relative, low, high = (wording.relative(row[name]) for name in ("relative", "relative_low", "relative_high"))
    judged = wording.judgement(row)
    value = told(row["value"], row["low"], row["high"], quantity)
    paired = told(row["difference"], row["difference_low"], row["difference_high"], quantity, is_difference=True)
    return FigureRow(
        variant=row["variant"],
        value=value.value,
        interval=value.interval,
        difference="" if judged.kind == "baseline" else paired.value,
        relative=""
        if judged.sign == "="
        else relative + (f" ({low.removesuffix(' %')} to {high})" if relative and low and high else ""),
        difference_interval=paired.interval,
        judgement=judged,
    )


def changed(comparison: Comparison) -> list[VariantChanges]:
    """What the variants say differently from the baseline."""
    listed = list(comparison.changes().items())[:MOST_CHANGED]
    return [VariantChanges(name, plural(len(rows), "setting") if rows else "changes nothing", rows) for name, rows in listed]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def is_nothing(value: Any) -> bool:
    """Whether there was nothing to measure."""
    return value is None or math.isnan(float(value))
