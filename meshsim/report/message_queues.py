"""What became of messages, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.tables import WIDE, Figure, figures_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.summary import Summary

NOTE = (
    "Lag: messages that wait, are worked on, or stay away after a failure. Lost: dropped, rejected, expired or discarded. The time is from"
    " publication until a message was consumed."
)


def table(console: Console, summary: Summary) -> Table:
    """A row for each queue."""
    rows = summary.message_queues
    figures = [
        Figure("published\n", [one.published for one in rows], decimals=0),
        Figure("consumed\n", [one.consumed for one in rows], decimals=0),
        Figure("again\n", [one.redelivered for one in rows], decimals=0),
        Figure("dead\nletters", [one.dead_lettered for one in rows], decimals=0, style=_if_any),
        Figure("lost\n", [one.lost for one in rows], decimals=0, style=_if_any),
        Figure("left\n", [one.left for one in rows], decimals=0),
        Figure("lag\nmean", [one.lag_mean for one in rows], decimals=1),
        Figure("\nmost", [one.lag_peak for one in rows], decimals=0),
        Figure("oldest\ns", [one.oldest_peak_s for one in rows], decimals=1),
        Figure("time\np99 s", [one.time_p99_s for one in rows], decimals=2),
    ]
    if console.width < WIDE:
        figures = [
            figure for figure in figures if figure.header not in {"again\n", "consumed\n", "\nmost", "left\n", "lag\nmean"}
        ]
    return figures_table(console, "queue", [one.queue for one in rows], figures)


def _if_any(count: float) -> str:
    return "red" if count else ""
