"""A comparison in a terminal: the verdict, the thresholds by variant, one table of figures with their intervals and differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from meshsim.experiments.judgement import NOTHING, shown_value, signed, word
from meshsim.report.causes import why_requests_failed
from meshsim.report.numbers import count, percent
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.console import Console

    from meshsim.experiments.comparison import Comparison
    from meshsim.report.causes import Ways


MOST_CAUSES = 3
"""Ways to fail that each variant shows."""


def show(console: Console, comparison: Comparison) -> None:
    """Print it."""
    for line in _heading(comparison):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(Text(comparison.verdict, style="bold"))
    if comparison.standings:
        _section(console, "Thresholds", _thresholds(comparison))
    if comparison.gates:
        _section(console, "Gates", _gates(comparison))
    if blocks := {one.variant: _causes(one) for one in why_requests_failed(comparison, MOST_CAUSES)}:
        _section(console, "Why requests failed", _blocks(blocks, right={1, 2}))
    title = "Figures" if comparison.kind == "sweep" or len(comparison.variants) == 1 else "Figures, and differences to the first"
    _section(console, title, _figures(comparison))
    for line in _meanings(comparison):
        console.print(line)
    if comparison.notes:
        console.print()
        for note in comparison.notes:
            console.print(Text(f"! {note}", style="yellow"))
    console.print()
    console.print(Text.assemble("Results: ", (str(comparison.directory), "bold")), soft_wrap=True)


def _heading(comparison: Comparison) -> Iterator[Text]:
    what = count(len(comparison.variants), "point" if comparison.kind == "sweep" else "variant")
    parts = [what, f"{count(comparison.replications, 'replication')} each", f"seed {comparison.manifest['seed']}"]
    yield Text.assemble((comparison.name, "bold"), "  ", ", ".join(parts))
    if comparison.description:
        yield Text(comparison.description)
    duration, warm_up = (format_duration(round(comparison.manifest[key] * NS_PER_S)) for key in ("duration_s", "warm_up_s"))
    same = "random numbers" if comparison.kind == "sweep" else "requests"
    yield Text(f"{duration} simulated in each replication, figures after the warm-up of {warm_up}; all meet the same {same}")


def _thresholds(comparison: Comparison) -> list[Text]:
    """A block for each threshold, a line for each variant; of a sweep only the points that cross it."""
    blocks: dict[str, list[list[str | Text]]] = {}
    for one in comparison.standings:
        block = blocks.setdefault(one.text, [])
        if comparison.kind == "sweep" and one.passed:
            continue
        state = Text("✓ holds", style="green") if one.passed else Text("✗ crossed", style="red")
        block.append([one.variant, state, one.observed_text, f"held in {percent(one.held)} of the replications"])
    return _blocks({name: rows or [["holds at every point"]] for name, rows in blocks.items()}, right={2})


def _causes(one: Ways) -> list[list[str | Text]]:
    """A line for each way, the rarer ones together."""
    rows: list[list[str | Text]] = [
        [
            row.route,
            row.requests,
            row.share,
            f"client saw {row.client_saw} {row.flags}, began at {row.began_at} as {row.began_as}",
        ]
        for row in one.rows
    ]
    if one.rest:
        rows.append([one.rest])
    return rows


def _gates(comparison: Comparison) -> list[Text]:
    words = {
        "holds": Text("✓ holds", style="green"),
        "crossed": Text("✗ crossed", style="red"),
        "undecided": Text("? cannot be told: more replications would", style="yellow"),
    }
    blocks: dict[str, list[list[str | Text]]] = {}
    for one in comparison.gates:
        blocks.setdefault(one.gate, []).append([one.variant, words[one.outcome], one.text])
    return _blocks(blocks)


def _figures(comparison: Comparison) -> list[Text]:
    is_paired = comparison.kind != "sweep" and len(comparison.variants) > 1
    heads = ["", "value", "interval", *(["difference", "interval", ""] if is_paired else [])]
    blocks: dict[str, list[list[str | Text]]] = {"": [[Text(one, style="dim") for one in heads]]}
    for row in comparison.table().to_dict("records"):
        blocks.setdefault(str(row["figure"]), []).append(
            [str(row["variant"]), *_cells(cast("dict[str, Any]", row))[: len(heads) - 1]]
        )
    return _blocks(blocks, right={1, 2, 3, 4})


def _blocks(blocks: dict[str, list[list[str | Text]]], right: Collection[int] = ()) -> list[Text]:
    """Lines: a name, and under it rows whose columns are as wide in every block; columns `right` stand to the right."""
    rows = [row for block in blocks.values() for row in block]
    count = max((len(row) for row in rows), default=0)
    widths = [max((len(row[index]) for row in rows if len(row) > index), default=0) for index in range(count)]
    lines = []
    for name, block in blocks.items():
        if name:
            lines.append(Text(f" {name}", style="bold"))
        for row in block:
            line = Text("  ")
            for index, cell in enumerate(row):
                padding = " " * (widths[index] - len(cell))
                line.append_text(Text.assemble("  " if index else "", padding if index in right else "", cell))
                line.append("" if index in right else padding)
            line.rstrip()
            lines.append(line)
    return lines


def _cells(row: dict[str, Any]) -> list[str | Text]:
    quantity = row["quantity"]
    if math.isnan(row["value"]):
        return [NOTHING, "", "", "", ""]
    cells: list[str | Text] = [shown_value(quantity, row["value"]), _ends(quantity, row["low"], row["high"])]
    if math.isnan(row["difference"]):
        return [*cells, "", "", ""]
    relative = "" if not math.isfinite(row["relative"]) or not row["difference"] else f" ({row['relative']:+.1%})"
    difference = signed(quantity, row["difference"]) + relative
    said = word(row)
    return [
        *cells,
        difference,
        _ends(quantity, row["difference_low"], row["difference_high"], is_change=True),
        Text(said, style=_STYLES.get(said, "")),
    ]


_STYLES = {"better": "green", "worse": "red", "noise": "dim", "the same": "dim"}


def _ends(quantity: Any, low: float, high: float, *, is_change: bool = False) -> str:
    if math.isnan(low) or math.isnan(high):
        return "-"
    shown = signed if is_change else shown_value
    return f"{shown(quantity, low)} .. {shown(quantity, high)}"


def _meanings(comparison: Comparison) -> Iterator[Text]:
    """What the columns mean, and which interval it is."""
    table = comparison.table()
    yield Text()
    yield Text(f"interval: {comparison.confidence:.0%} confidence. {'; '.join(_methods(table))}.", style="dim")
    if table["difference"].notna().any() and comparison.kind != "sweep":
        yield Text(
            "difference: paired, replication by replication, under the same requests. noise: its interval holds zero, so it "
            "cannot be told from chance. pp: percentage points.",
            style="dim",
        )


def _methods(table: Any) -> Iterator[str]:
    """Each kind of interval with the figures it is of."""
    measured = table[table["value"].notna()]
    methods = {method: list(dict.fromkeys(part["figure"])) for method, part in measured.groupby("method", sort=False)}
    for method, figures in methods.items():
        listed = ", ".join(figures[:3]) + (" and others" if len(figures) > 3 else "")
        yield f"{method} ({listed})" if len(methods) > 1 else str(method)


def _section(console: Console, title: str, lines: list[Text]) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))
    for line in lines:
        console.print(line, soft_wrap=True)
