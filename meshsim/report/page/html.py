"""The report as one HTML file."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from meshsim.report.causes import why_requests_failed
from meshsim.report.page import repeat, tables
from meshsim.report.page.assumptions import Assumption, assumptions
from meshsim.report.page.charts import chart_groups, forest_group, slow_group
from meshsim.report.page.glossary import words
from meshsim.report.page.limits import LIMITS, SECTION, TRUST
from meshsim.report.page.sortable import by_destination, by_filter, by_route, by_service
from meshsim.report.page.sweep_charts import sweep_group
from meshsim.report.page.wording import confidence, plural
from meshsim.scenario.defaults import resolve
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshsim.experiments.comparison import Comparison

PACKAGE = "meshsim.report.page"
KINDS = {"comparison": "Comparison of variants", "sweep": "Sweep", "run": "Run"}
MOST_COLUMNS = 4
"""Variants side by side in a table that still fits on paper."""
_CODE = re.compile(r"`([^`]+)`")
_GATES = {"holds": ("good", "✓", "holds"), "crossed": ("bad", "✗", "crossed"), "undecided": ("noise", "≈", "undecided")}


def page(comparison: Comparison, *, command: str = "") -> str:
    """The report of a comparison, a sweep or runs: one HTML file that needs nothing else.

    Args:
        comparison: What to show.
        command: How it was made; what its manifest says where empty.

    Returns:
        HTML 5, the same text for the same comparison and versions. Opening it loads nothing.
    """
    template = _environment().get_template("page.html.j2")
    return template.render(_content(comparison, command)) + "\n"


def _content(comparison: Comparison, command: str) -> dict[str, Any]:
    """Everything that the template names."""
    table, thresholds = comparison.table(), comparison.thresholds()
    variants = comparison.variants
    groups = chart_groups(comparison)
    content: dict[str, Any] = {
        "css": Markup(_text("page.css")),  # noqa: S704 — a file of this package
        "js": Markup(_text("page.js")),  # noqa: S704 — a file of this package
        "version": metadata.version("meshsim"),
        "kind": KINDS.get(comparison.kind, comparison.kind),
        "title": comparison.name,
        "question": comparison.description,
        "basis": _basis(comparison),
        "verdict": comparison.verdict,
        "standings": tables.standings(thresholds, variants),
        "gates": [_gate(one) for one in comparison.gates],
        "notes": list(comparison.notes),
        "notes_link": f"{plural(len(comparison.notes), 'thing')} to know before you believe it",
        "baseline": variants[0],
        "is_paired": _is_paired(comparison),
        "replications": plural(comparison.replications, "replication"),
        "sweep": sweep_group(comparison),
        "changes": [] if comparison.kind == "sweep" else tables.changed(comparison),
        "changes_left": _changes_left(comparison),
        "thresholds": _thresholds(comparison),
        "causes": why_requests_failed(comparison),
        "figures": _figures(comparison, table, thresholds),
        "forest": forest_group(comparison, table),
        "groups": groups,
        "tables": [
            one
            for one in (
                by_route(comparison.routes()),
                by_service(comparison.services()),
                *by_destination(comparison.destinations()),
                by_filter(comparison.filters()),
            )
            if one
        ],
        "slow": slow_group(comparison),
        "assumptions": _assumptions(comparison),
        "limits": LIMITS,
        "limits_section": SECTION,
        "trust": TRUST,
        "command": command or str(comparison.manifest["repeat"]),
        "facts": repeat.facts(comparison),
        "digests": repeat.digests(comparison),
        "scenarios": repeat.listings(comparison),
        "words": words(comparison),
        "embedded": _embedded(repeat.as_json(comparison, table, thresholds)),
    }
    content["contents"] = list(_contents(content))
    return content


def _contents(content: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Anchor and name of each section that the page has, in its order."""
    yield "verdict", "Verdict"
    for key, name in (
        ("sweep", "The sweep"),
        ("changes", "What was changed"),
        ("thresholds", "Thresholds"),
        ("causes", "Why requests failed"),
    ):
        if content[key]:
            yield key, name
    yield "figures", content["figures"]["title"]
    yield from ((group.id, group.title) for group in content["groups"])
    yield "tables", "Routes and services"
    if content["slow"]:
        yield "slow", "One slow request"
    yield "assumptions", "Assumptions"
    if content["notes"]:
        yield "notes", "Before you believe it"
    yield from (("limits", "What the model does not cover"), ("repeat", "How to repeat it"), ("words", "Words"))


def _basis(comparison: Comparison) -> str:
    """What the figures rest on, in a line."""
    manifest, count = comparison.manifest, len(comparison.variants)
    what = {"sweep": plural(count, "point"), "run": plural(count, "variant")}.get(comparison.kind, plural(count, "variant"))
    same = "every variant meets the same requests; " if count > 1 and _is_paired(comparison) else ""
    warm_up = f" after a warm-up of {_time(manifest['warm_up_s'])}" if manifest["warm_up_s"] else ""
    return (
        f"{what}, {plural(comparison.replications, 'replication')} each, {_time(manifest['duration_s'])} simulated, measured{warm_up}; "
        f"{same}{confidence(comparison)} intervals; seed {manifest['seed']}."
    ).replace("measured;", "all of it measured;")


def _is_paired(comparison: Comparison) -> bool:
    """Whether all variants meet the same requests: their loads and the length of the run are the same."""
    asked = [(one.scenario.load, one.scenario.run.duration) for one in comparison.experiments.values()]
    return all(one == asked[0] for one in asked)


def _gate(one: Any) -> dict[str, str]:
    kind, sign, word = _GATES[one.outcome]
    return {"kind": kind, "sign": sign, "word": word, "variant": one.variant, "gate": one.gate, "text": one.text}


def _changes_left(comparison: Comparison) -> str:
    left = len(comparison.variants) - 1 - tables.MOST_CHANGED
    return f"{left} more are not listed; the downloads below have all of them." if left > 0 else ""


def _thresholds(comparison: Comparison) -> dict[str, Any] | None:
    rows = tables.threshold_rows(comparison.thresholds(), comparison.variants, comparison.replications)
    if not rows:
        return None
    several = comparison.replications > 1
    caption = f"value over all replications with its {confidence(comparison)} interval" if several else ""
    is_matrix = len(comparison.variants) <= MOST_COLUMNS
    return {"variants": comparison.variants, "rows": rows, "caption": caption, "is_matrix": is_matrix}


def _figures(comparison: Comparison, table: Any, thresholds: Any) -> dict[str, Any]:
    is_compared = len(comparison.variants) > 1
    meets = "meet the same requests" if _is_paired(comparison) else "share their random draws as far as their loads are the same"
    intro = (
        f"Each difference is paired: a variant and {comparison.variants[0]} {meets} in each replication. "
        "Where its interval holds 0, the difference cannot be told from noise."
        if is_compared
        else "Each figure with its interval over the replications."
    )
    return {
        "title": "Comparison" if is_compared else "Figures",
        "intro": intro,
        "caption": "shares differ in percentage points; what is relative stands below" if is_compared else "",
        "confidence": confidence(comparison),
        "is_compared": is_compared,
        "groups": tables.figure_groups(table),
        "downloads": repeat.downloads(comparison, table, thresholds),
    }


def _assumptions(comparison: Comparison) -> dict[str, Any]:
    scenarios = {name: experiment.scenario for name, experiment in comparison.experiments.items()}
    grouped: dict[str, list[Assumption]] = {}
    for one in assumptions(scenarios):
        grouped.setdefault(one.product, []).append(one)
    products = [_product(name, found) for name, found in grouped.items()]
    total = sum(len(found) for found in grouped.values())
    names = dict.fromkeys(scenario.defaults for scenario in scenarios.values())
    intro = (
        f"The scenario says “defaults: {', '.join(names)}”, and leaves {total} settings to defaults. They are part of the result: "
        "each with its value, where it holds, and where it comes from."
    )
    return {"intro": intro, "products": products}


def _product(name: str, found: list[Assumption]) -> dict[str, Any]:
    is_own = name == "meshsim"
    about = "The defaults of meshsim itself, the same for every product." if is_own else resolve(name).about
    rows = [
        {
            "field": one.field,
            "meaning": one.meaning,
            "value": one.value,
            "note": one.note,
            "source": one.source,
            "where": one.where,
        }
        for one in found
    ]
    title = f"{plural(len(rows), 'default')} of {'meshsim itself' if is_own else name if name != 'none' else 'no product'}"
    return {"title": title, "caption": about, "rows": rows, "has_sources": not is_own}


def _embedded(text: str) -> Markup:
    """JSON that stands in a script element: nothing in it may end that."""
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 — escaped just here


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(PACKAGE, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["ticks"] = _ticks
    return made


def _ticks(text: str) -> Markup:
    """Text whose code stands between backticks, as in docstrings."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 — escaped first


@cache
def _text(name: str) -> str:
    return resources.files(PACKAGE).joinpath(name).read_text(encoding="utf-8").strip()


def _time(seconds: Any) -> str:
    return format_duration(round(float(seconds) * NS_PER_S))
