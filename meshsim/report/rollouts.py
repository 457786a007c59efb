"""What rollouts did, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.numbers import NOTHING
from meshsim.report.tables import plain_table, to_width

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.policies.rollout_summary import RolloutSummary
    from meshsim.metrics.summary import Summary

NOTE = "Took: until all pods are of the new version and available. Pods: those of all versions, not counting terminating ones."


def table(console: Console, summary: Summary) -> Table:
    """A row for each rollout that has begun."""
    rows = summary.rollouts
    columns: dict[str, list[str]] = {
        "rollout\nnumber": [f"{one.revision}" for one in rows],
        "began\nat s": [f"{one.began_s:,.1f}" for one in rows],
        "took\ns": [NOTHING if one.duration_s is None else f"{one.duration_s:,.1f}" for one in rows],
        "replicas\n": [f"{one.desired:,}" for one in rows],
        "available\nleast": [f"{one.available_least:,}" for one in rows],
        "pods\nmost": [f"{one.pods_most:,}" for one in rows],
        "terminating\nmost": [f"{one.terminating_most:,}" for one in rows],
    }
    padded = [to_width(header, cells) for header, cells in columns.items()]
    return plain_table(
        console,
        ("\nservice", *(header for header, _ in padded), "\nstate"),
        list(zip([one.service for one in rows], *(cells for _, cells in padded), [state(one) for one in rows], strict=True)),
        frozenset(range(1, 1 + len(padded))),
    )


def state(one: RolloutSummary) -> str:
    """Such as `complete`, `4 of 10 updated` and `superseded`."""
    if one.duration_s is not None:
        return "complete"
    return "superseded" if one.is_superseded else f"{one.updated:,} of {one.desired:,} updated"
