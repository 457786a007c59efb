"""What came after faults, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.numbers import aligned
from meshsim.report.tables import plain_table, to_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.over_time.recovery import Recovery

MOST = 8
"""Faults that are shown; by chance there may be hundreds."""


def table(console: Console, rows: Sequence[Recovery]) -> Table:
    """A row for each of the first faults, of all routes together."""
    shown = _of_all(rows)[:MOST]
    begins = to_width("from\ns", aligned([one.from_s for one in shown], 1.0, 1))
    ends = to_width("until\ns", aligned([one.until_s for one in shown], 1.0, 1))
    lost = to_width("requests\nlost", aligned([float(one.lost) for one in shown], 1.0, 0))
    columns = [begins, ends, lost]
    headers = [*(header for header, _ in columns), "as before\nafter", "outlives\nthe fault"]
    cells = [
        [*(column[place] for _, column in columns), _recovery(one), {True: "yes", False: "no", None: ""}[one.outlives]]
        for place, one in enumerate(shown)
    ]
    return plain_table(console, headers, cells, frozenset({0, 1, 2}))


def note(rows: Sequence[Recovery]) -> str:
    """What the columns mean, and what is left out."""
    more = len(_of_all(rows)) - MOST
    also = f" {more} more: `result.summary().faults_frame()`." if more > 0 else ""
    return (
        "Overlapping faults count as one. As before after: from the fault's end until as many requests are answered well, and as fast."
        f" Lost: failed until then.{also}"
    )


def _of_all(rows: Sequence[Recovery]) -> list[Recovery]:
    return [one for one in rows if one.route is None]


def _recovery(one: Recovery) -> str:
    if one.unknown:
        return f"unknown: {one.unknown}"
    return "never" if one.recovery_s is None else f"{one.recovery_s:.3g} s"
