"""A call graph as Mermaid text, which GitHub, GitLab and Notion draw.

Source: https://mermaid.js.org/syntax/flowchart.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from meshsim.report.charts.quantities import amount

if TYPE_CHECKING:
    from collections.abc import Hashable

CLIENT, GATEWAY = "(client)", "(gateway)"
OUTSIDE = (CLIENT, GATEWAY)
"""Callers that are no services."""
_MUCH = 0.01
"""From this share of failed tries on an edge is drawn in red."""


def calls(edges: pd.DataFrame, variant: str | None) -> pd.DataFrame:
    """Who calls whom, means over the replications of a variant.

    Args:
        edges: Frame `edges`: variant, replication, caller, service, attempts_per_s, error_share (NaN where nothing was sent).
        variant: Whose; None for the first.

    Returns:
        caller, service, attempts_per_s, error_share (failed among all tries, NaN where there was none); a row for each pair, in
        the order in which they come first.
    """
    mine = edges[edges["variant"] == (first(edges) if variant is None else variant)]
    if mine.empty:
        return pd.DataFrame({"caller": [], "service": [], "attempts_per_s": [], "error_share": []})
    failed = mine.assign(failed=(mine["attempts_per_s"] * mine["error_share"]).fillna(0.0))
    sums = failed.groupby(["caller", "service"], sort=False, as_index=False)[["attempts_per_s", "failed"]].sum()
    sums["error_share"] = (sums["failed"] / sums["attempts_per_s"]).where(sums["attempts_per_s"] > 0)
    sums["attempts_per_s"] /= max(mine["replication"].nunique(), 1)
    return sums[["caller", "service", "attempts_per_s", "error_share"]]


def first(frame: pd.DataFrame) -> Hashable:
    """The variant of the first row; an empty text where there is none."""
    return "" if frame.empty else frame["variant"].iloc[0]


def mermaid(edges: pd.DataFrame, variant: str | None = None) -> str:
    """The call graph of a variant as a Mermaid flow chart, left to right, with rates and failures on its edges.

    Args:
        edges: Frame `edges`.
        variant: Whose; None for the first.

    Returns:
        Text that ends with a newline, to stand in a fenced block of the language `mermaid`.
    """
    graph = calls(edges, variant)
    names = list(dict.fromkeys(name for pair in zip(graph["caller"], graph["service"], strict=True) for name in pair))
    number = {name: at for at, name in enumerate(names)}
    lines = ["flowchart LR"]
    for name in names:
        text = _quoted(name.strip("()") if name in OUTSIDE else name)
        lines.append(f"  n{number[name]}([{text}])" if name in OUTSIDE else f"  n{number[name]}[{text}]")
    failing = []
    for at, row in enumerate(graph.to_dict("records")):
        label = amount(row["attempts_per_s"], "rate")
        if row["error_share"] > 0:
            label += f", {amount(row['error_share'], 'share')} failed"
        if row["error_share"] >= _MUCH:
            failing.append(str(at))
        lines.append(f"  n{number[row['caller']]} -->|{_quoted(label)}| n{number[row['service']]}")
    if failing:
        lines.append(f"  linkStyle {','.join(failing)} stroke:#c4143c,color:#c4143c")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") + '"'
