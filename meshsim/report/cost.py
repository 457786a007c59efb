"""What a run costs, as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.numbers import aligned
from meshsim.report.tables import plain_table, to_width

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from meshsim.metrics.cost import CostSummary

WORDS = {
    "gateway": "gateway",
    "proxies": "sidecars, node proxies, waypoints",
    "proxy_cpu": "their processor time",
    "cross_zone": "traffic between zones",
    "requests": "requests",
}


def table(console: Console, cost: CostSummary) -> Table:
    """A row for each thing with a price, and the sum."""
    hours = cost.hours or 1.0
    million = cost.good_requests / 1e6
    names = [f"replicas of {one.service}" if one.service else WORDS[one.item] for one in cost.items]
    amounts = [*(one.amount for one in cost.items), sum(one.amount for one in cost.items)]
    unpriced = [None]  # of the sum
    columns = {
        "\nan hour": aligned([*(one.quantity / hours for one in cost.items), *unpriced]),
        "\nof": [*(one.unit for one in cost.items), ""],
        "\nprice": aligned([*(one.price for one in cost.items), *unpriced], most=4),
        f"{cost.currency}\nan hour": aligned([amount / hours for amount in amounts]),
        "a million\ngood answers": aligned([amount / million if million else None for amount in amounts]),
    }
    padded = [(header, cells) if header == "\nof" else to_width(header, cells) for header, cells in columns.items()]
    return plain_table(
        console,
        ("", *(header for header, _ in padded)),
        list(zip([*names, "all"], *(cells for _, cells in padded), strict=True)),
        frozenset({1, 3, 4, 5}),
    )
