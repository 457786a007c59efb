"""Keys of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keys_worlds import Section, gateway_world, mesh_world
from rows import Row

if TYPE_CHECKING:
    from meshsim import Result


def paid(result: Result) -> float:
    """What an hour costs."""
    summary = result.summary()
    return (summary.cost.per_hour() or 0.0) if summary.cost is not None else 0.0


def price(**settings: Any) -> Section:
    return {"cost": settings}


def currency(result: Result) -> float:
    """Which one it is."""
    cost = result.summary().cost
    return float(cost is not None and cost.currency == "EUR")


def rows_of(world: Section, name: str) -> Row:
    """Twice the price, twice the cost."""
    return Row(f"CostSection.{name}", world, price(**{name: 1.0}), price(**{name: 2.0}), paid, "more")


ZONED = mesh_world(front={"zone": "a"}, back={"zone": "b", "response_size": "64KiB"})
TIMED = mesh_world(mesh={"proxy_time": "1ms"})
ROWS = [
    Row("Scenario.cost", mesh_world(), {}, price(replica_hour=1.0), paid, "more"),
    Row("CostSection.currency", mesh_world(), price(replica_hour=1.0), price(replica_hour=1.0, currency="EUR"), currency, "more"),
    rows_of(mesh_world(), "replica_hour"),
    Row(
        "CostSection.services",
        mesh_world(),
        price(replica_hour=1.0),
        price(replica_hour=1.0, services={"back": 4.0}),
        paid,
        "more",
    ),
    rows_of(gateway_world(), "gateway_replica_hour"),
    rows_of(mesh_world(), "proxy_hour"),
    rows_of(TIMED, "proxy_core_hour"),
    rows_of(ZONED, "cross_zone_gib"),
    rows_of(mesh_world(), "million_requests"),
]
