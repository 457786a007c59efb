"""What the caches of services did, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.tables import WIDE, Figure, figures_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.summary import Summary

NOTE = (
    "Over all replicas, after the warm-up. Hit %: the share of look-ups answered at once, stale values included. Coalesced: look-ups"
    " that waited for another's load."
)


def table(console: Console, summary: Summary) -> Table:
    """A row for each cache of each service."""
    rows = summary.caches
    figures = [
        Figure("hit\n%", [one.hit_ratio for one in rows], 100, 1),
        Figure("hits\n", [one.hits for one in rows], decimals=0),
        Figure("stale\n", [one.stale_hits for one in rows], decimals=0),
        Figure("misses\n", [one.misses for one in rows], decimals=0),
        Figure("coalesced\n", [one.coalesced for one in rows], decimals=0),
        Figure("waited\nmean ms", [one.wait_mean_s for one in rows], 1000),
        Figure("loads\n", [one.loads for one in rows], decimals=0),
        Figure("\nfailed", [one.failed_loads for one in rows], decimals=0, style=lambda count: "red" if count else ""),
        Figure("evicted\n", [one.evictions for one in rows], decimals=0),
    ]
    if console.width < WIDE:
        figures = [figure for figure in figures if figure.header not in {"hits\n", "stale\n", "waited\nmean ms"}]
    return figures_table(console, "cache", [one.label for one in rows], figures)
