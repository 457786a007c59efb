"""How services used their connection pools, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.tables import WIDE, Figure, busy_style, figures_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.summary import Summary

NOTE = "Connections of each replica. Busy: of the busiest replica. The mean wait is that of all who wanted a connection, for nothing too."


def table(console: Console, summary: Summary) -> Table:
    """A row for each pool of each service."""
    rows = summary.connection_pools
    figures = [
        Figure("size\n", [one.maximum_pool_size for one in rows], decimals=0),
        Figure("in use\nmean", [one.in_use_mean for one in rows], decimals=1),
        Figure("busy\n%", [one.utilisation_of_busiest for one in rows], 100, 0, busy_style),
        Figure("wait\nmean ms", [one.wait_mean_s for one in rows], 1000),
        Figure("waiting\nmean", [one.waiting_mean for one in rows], decimals=1),
        Figure("\nmost", [one.waiting_peak for one in rows], decimals=0),
        Figure("acquired\n", [one.acquired for one in rows], decimals=0),
        Figure("timed\nout", [one.timed_out for one in rows], decimals=0, style=lambda count: "red" if count else ""),
    ]
    if console.width < WIDE:
        figures = [figure for figure in figures if figure.header not in {"acquired\n", "\nmost", "in use\nmean"}]
    return figures_table(console, "pool", [one.label for one in rows], figures)
