"""The processor time of services with `cpu`, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.numbers import NOTHING
from meshsim.report.tables import WIDE, Figure, figures_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.policies.summaries import CpuSummary

NOTE = (
    "Of each replica, after the warm-up. Throttled: the share of the quota's periods in which it stood still, and for how long its"
    " processors did, all together, as cAdvisor counts both."
)


def table(console: Console, rows: Sequence[CpuSummary]) -> Table:
    """A row for each service with `cpu`."""
    words = {"cores\nrequested": [_cores(one.requests) for one in rows], "\nlimit": [_cores(one.limits) for one in rows]}
    figures = [
        *(Figure(header, [None for one in rows]) for header in words),
        Figure("\nused", [one.used_cores for one in rows]),
        Figure("\nof it %", [one.used_share for one in rows], 100, 0),
        Figure("throttled\nperiods %", [one.throttled_share for one in rows], 100, 1),
        Figure("worst\nreplica %", [one.throttled_share_of_worst for one in rows], 100, 1),
        Figure("throttled\ns", [one.throttled_s for one in rows], decimals=1),
    ]
    shown = [figure for figure in figures if console.width >= WIDE or figure.header != "worst\nreplica %"]
    return figures_table(console, "service", [one.service for one in rows], shown, texts=words)


def _cores(value: float | None) -> str:
    return NOTHING if value is None else f"{value:g}"
