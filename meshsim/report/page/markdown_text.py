"""A comparison as Markdown, for a pull request's comment or `$GITHUB_STEP_SUMMARY`."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from meshsim.report.causes import why_requests_failed
from meshsim.report.charts.mermaid import mermaid
from meshsim.report.page import repeat, tables, wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshsim.experiments.comparison import Comparison
    from meshsim.report.page.tables import FigureRow, ThresholdCell

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")
_LINE = re.compile(r"\s*[\r\n]+\s*")


def markdown(comparison: Comparison) -> str:
    """Verdict, thresholds, figures, what was changed, notes, and how to repeat it; in GitHub's Markdown."""
    thresholds = comparison.thresholds()
    parts = [
        f"## {_text(comparison.name)}",
        *([_text(comparison.description)] if comparison.description else []),
        f"**{_text(comparison.verdict)}**",
        *_standings(comparison),
        *_thresholds(comparison, tables.threshold_rows(thresholds, comparison.variants, comparison.replications)),
        *_causes(comparison),
        *_figures(comparison),
        *_changes(comparison),
        *_notes(comparison),
        _topology(comparison),
        _repeat(comparison),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standings(comparison: Comparison) -> list[str]:
    lines = [
        f"- {one.sign} **{_text(one.variant)}**: {one.word}{f' ({_text(one.detail)})' if one.detail else ''}".replace("-  ", "- ")
        for one in tables.standings(comparison.thresholds(), comparison.variants)
    ]
    lines += [
        f"- {_gate_sign(one.outcome)} gate {_code(one.gate)}, {_text(one.variant)}: {one.outcome}, {_text(one.text)}"
        for one in comparison.gates
    ]
    return ["\n".join(lines)] if lines else []


def _gate_sign(outcome: str) -> str:
    return {"holds": "✓", "crossed": "✗"}.get(outcome, "≈")


def _thresholds(comparison: Comparison, rows: Sequence[tables.ThresholdRow]) -> list[str]:
    if not rows:
        return []
    header = ["threshold", *map(_text, comparison.variants)]
    body = [[_code(row.code), *(_threshold(cell) for cell in row.cells)] for row in rows]
    return ["### Thresholds", _table(header, body)]


def _threshold(cell: ThresholdCell | None) -> str:
    if cell is None:
        return wording.NOTHING
    interval = f" ({cell.interval})" if cell.interval else ""
    held = f"<br>{cell.held}" if cell.held else ""
    return f"{cell.sign} {cell.word}: {_text(cell.value)}{_text(interval)}{held}"


def _causes(comparison: Comparison) -> list[str]:
    ways = why_requests_failed(comparison)
    if not ways:
        return []
    body = []
    for one in ways:
        for number, row in enumerate(one.rows):
            began = [_text(row.began_at), _code(row.began_as)]
            seen = [row.requests, row.share, _text(row.client_saw), _code(row.flags)]
            body.append([_text(one.variant) if number == 0 else "", _text(row.route), *seen, *began])
        if one.rest:
            body.append(["", one.rest, *[""] * 6])
    header = ["variant", "route", "requests", "of the route", "client saw", "flags", "began at", "as"]
    return ["### Why requests failed", _table(header, body)]


def _figures(comparison: Comparison) -> list[str]:
    groups = tables.figure_groups(comparison.table())
    is_compared = len(comparison.variants) > 1
    header = ["figure", "variant", f"value ({wording.confidence(comparison)} interval)"]
    header += [f"difference to {_text(comparison.variants[0])}", "what it says"] if is_compared else []
    body = []
    for group in groups:
        for number, row in enumerate(group.rows):
            body.append([_code(group.name) if number == 0 else "", *_figure(row, is_compared=is_compared)])
    methods = dict.fromkeys(group.method for group in groups if group.method)
    said = f"Intervals: {'; '.join(_text(method) for method in methods)}." if methods else ""
    return ["### Figures", _table(header, body), *([said] if said else [])]


def _figure(row: FigureRow, *, is_compared: bool) -> list[str]:
    cells = [_text(row.variant), f"{row.value}{f' ({row.interval})' if row.interval else ''}"]
    if is_compared:
        paired = ""
        if row.difference:
            paired = f"{row.difference}{f' ({row.difference_interval})' if row.difference_interval else ''}"
            paired += f"<br>{row.relative}" if row.relative else ""
        cells += [paired, f"{row.judgement.sign} {row.judgement.word}".strip()]
    return cells


def _changes(comparison: Comparison) -> list[str]:
    listed = tables.changed(comparison)
    if not listed:
        return []
    parts = []
    for variant in listed:
        lines = [
            f"  - {_code(one.path)}: {_value(one.before, 'not set')} → {_value(one.after, 'taken out')}" for one in variant.rows
        ]
        parts.append("\n".join([f"- **{_text(variant.name)}**: {variant.summary}", *lines]))
    return [f"### What was changed against {_text(comparison.variants[0])}", "\n".join(parts)]


def _notes(comparison: Comparison) -> list[str]:
    if not comparison.notes:
        return []
    return ["### Before you believe it", "\n".join(f"- {_text(note)}" for note in comparison.notes)]


def _topology(comparison: Comparison) -> str:
    graph = mermaid(comparison.edges, comparison.variants[0]) if len(comparison.edges) else ""
    if graph.count("\n") < 2:
        return ""
    title = f"Who calls whom ({escape(comparison.variants[0])})"
    return f"<details><summary>{title}</summary>\n\n```mermaid\n{graph}```\n\n</details>"


def _repeat(comparison: Comparison) -> str:
    lines = [f"- {name}: {_text(text)}" for name, text in repeat.facts(comparison)]
    lines += [f"- SHA-256 of {_text(of)}: {_code(digest)}" for of, _, digest in repeat.digests(comparison)]
    command = str(comparison.manifest["repeat"])
    shown = f"```sh\n{command}\n```\n\n" if command and "```" not in command else ""
    return f"<details><summary>How to repeat it</summary>\n\n{shown}{chr(10).join(lines)}\n\n</details>"


def _table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    first = list(header)
    lines = [first, ["---"] * len(first), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _value(text: str | None, absent: str) -> str:
    return f"*{absent}*" if text is None else _code(text)


def _code(text: str) -> str:
    """Code on one line, which ends no table cell: a bar in it is written as GitHub wants it."""
    flat = _LINE.sub(" ", text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", flat)), default=0) + 1)
    return f"{ticks} {flat} {ticks}" if "`" in flat else f"`{flat}`"


def _text(text: str) -> str:
    """Text on one line in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", _LINE.sub(" ", text))
