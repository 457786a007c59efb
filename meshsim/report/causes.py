"""Why requests failed, by variant: what the client saw, and where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.metrics.summary import Cause
from meshsim.report.charts.quantities import amount
from meshsim.report.failures import began, seen

if TYPE_CHECKING:
    from meshsim.experiments.comparison import Comparison

MOST = 5
"""Ways to fail that each variant shows; `-o json` has all."""


class Row(NamedTuple):
    """One way in which requests of one route failed."""

    route: str
    requests: str
    share: str
    """Of the route's requests."""
    client_saw: str
    flags: str
    began_at: str
    began_as: str


class Ways(NamedTuple):
    """How the requests of one variant failed."""

    variant: str
    rows: list[Row]
    rest: str
    """What was rarer, in words; empty for nothing."""


def why_requests_failed(comparison: Comparison, most: int = MOST) -> list[Ways]:
    """The most frequent ways of each variant that has any, over all its replications."""
    found = comparison.failures().to_dict("records")
    ways = []
    for name in comparison.variants:
        mine = [row for row in found if row["variant"] == name]
        if mine:
            rest = sum(int(row["requests"]) for row in mine[most:])
            left = f"and {rest:,} requests in {len(mine) - most} rarer ways" if rest else ""
            ways.append(Ways(name, [_row(row) for row in mine[:most]], left))
    return ways


def _row(row: dict[Any, Any]) -> Row:
    cause = Cause(
        count=int(row["requests"]),
        status=int(row["status"]),
        grpc_status=None if row["grpc_status"] is None or row["grpc_status"] != row["grpc_status"] else int(row["grpc_status"]),
        flags=str(row["response_flags"]),
        origin=row["origin"] if isinstance(row["origin"], str) else None,
        origin_flags=str(row["origin_flags"]),
    )
    return Row(
        str(row["route"]), f"{cause.count:,}", amount(float(row["share"]), "share"), seen(cause), cause.flags, *began(cause)
    )
