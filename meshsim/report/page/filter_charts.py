"""The charts of what filters decided over time: of each filter, and of its rules, routes and consumers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.metrics.over_time.decisions import SPLITS
from meshsim.report.charts import decisions_over_time
from meshsim.report.charts.panels import ways
from meshsim.report.page.drawings import Drawing, Group, draw
from meshsim.report.page.wording import plural

if TYPE_CHECKING:
    from meshsim.report.page.subject import Subject

MOST_SHOWN, MOST_FILTERS, MOST_SPLIT = 2, 6, 8
"""Filters in the open, those that are drawn at all, and charts by rule, route or consumer."""


def filters_group(subject: Subject) -> Group:
    """A chart for each filter that did anything but let pass, then by rule, route and consumer; none where there is none."""
    rows = decisions_over_time.lines(subject.decisions, None, None)
    names = [name for name, panels in ways(rows, decisions_over_time.PANELS).items() if panels]
    made = [_drawing(subject, f"filters-{at}", name) for at, name in enumerate(names[:MOST_FILTERS])]
    intro = f"{subject.intro}All replicas together; only what a filter decided in some variant has a panel."
    left = len(names) - MOST_FILTERS
    if left > 0:
        intro += f" {plural(left, 'further filter')} that did less: in the table “What filters decided” alone."
    more = made[MOST_SHOWN:] + _splits(subject, names[:MOST_SHOWN])
    return Group(
        "filters",
        "What filters decided over time",
        intro,
        made[:MOST_SHOWN],
        more,
        "Further filters, and by rule, route and consumer",
    )


def _splits(subject: Subject, names: list[str]) -> list[Drawing]:
    """Charts with a line for each rule, route or consumer, where a filter decided differently about them."""
    frame = subject.decisions
    made: list[Drawing] = []
    acted = frame[(frame["by"] != "") & (frame[list(decisions_over_time.ACTED)].sum(axis=1) > 0)]
    for at, name in enumerate(names):
        for by in SPLITS:
            for place, variant in enumerate(subject.variants):
                rows = acted[(acted["filter_name"] == name) & (acted["by"] == by) & (acted["variant"] == variant)]
                if len(rows) and len(made) < MOST_SPLIT:
                    made.append(_drawing(subject, f"filters-{at}-{by}-{place}", name, by=by, variant=variant))
    return made


def _drawing(subject: Subject, key: str, name: str, **split: str) -> Drawing:
    faults = subject.faults
    if split and "variant" in faults:
        faults = faults[faults["variant"] == split["variant"]].drop(columns="variant")
    of: dict[str, Any] = {"filter": name, "faults": faults, "warm_up_s": subject.warm_up_s, **split}
    chart = partial(decisions_over_time.decisions_over_time, subject.decisions, **of)
    whose = f", {split['variant']}" if len(subject.variants) > 1 and split else ""
    title = f"{name}, by {split['by']}{whose}" if split else name
    return draw(key, title, chart, decisions_over_time.reading(subject.decisions, **of))
