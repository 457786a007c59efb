"""What autoscalers did, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.metrics.policies.summaries import HOLDS
from meshsim.report.numbers import NOTHING, aligned
from meshsim.report.tables import WIDE, plain_table, to_width

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.policies.summaries import ScalingSummary
    from meshsim.metrics.summary import Summary

NOTE = "Replicas wanted over the whole run. What decided and what held back most often, and at how many looks."


def table(console: Console, summary: Summary) -> Table:
    """A row for each service that has an autoscaler."""
    rows = summary.autoscaling
    hours = {one.name: one.replica_hours for one in summary.services}
    columns: dict[str, list[str]] = {
        "replicas\nstart": [f"{one.at_start:,}" for one in rows],
        "\nlowest": [f"{one.lowest:,}" for one in rows],
        "\nhighest": [f"{one.highest:,}" for one in rows],
        "\nend": [f"{one.at_end:,}" for one in rows],
        "\nmin-max": [f"{one.min_replicas:,}-{one.max_replicas:,}" for one in rows],
        "steps\nup": [f"{one.steps_up:,}" for one in rows],
        "\ndown": [f"{one.steps_down:,}" for one in rows],
    }
    if console.width >= WIDE:
        columns["replica\nhours"] = aligned([hours.get(one.service) for one in rows])
    padded = [to_width(header, cells) for header, cells in columns.items()]
    words = [[decided_by(one) for one in rows], [held_back_by(one) for one in rows]]
    return plain_table(
        console,
        ("\nservice", *(header for header, _ in padded), "\ndecided by", "\nheld back by"),
        list(zip([one.service for one in rows], *(cells for _, cells in padded), *words, strict=True)),
        frozenset(range(1, 1 + len(padded))),
    )


def decided_by(one: ScalingSummary) -> str:
    """The metric that asked for most at most looks, such as `cpu 80% (19 of 20)`."""
    if not one.metrics:
        return "no metrics" if one.looks else NOTHING
    name = min(one.metrics, key=lambda metric: (-one.metrics[metric], metric))
    return f"{name} ({one.metrics[name]:,} of {one.looks:,})"


def held_back_by(one: ScalingSummary) -> str:
    """What held a change back at most looks, such as `scale_up_limit (3 of 20)`; a dash where nothing did."""
    name = max(HOLDS, key=lambda hold: one.held_back.get(hold, 0))
    count = one.held_back.get(name, 0)
    return f"{name} ({count:,} of {one.looks:,})" if count else NOTHING
