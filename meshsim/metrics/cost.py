"""What a run costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLION = 1e6


@dataclass(frozen=True, slots=True)
class CostItem:
    """One thing that has a price."""

    item: str
    """One of `meshsim.scenario.thresholds.COST_ITEMS`."""
    service: str | None
    """Whose replicas; None of everything else."""
    quantity: float
    """In the measured window: hours, core hours, GiB, or millions of requests."""
    unit: str
    price: float
    """Of one."""

    @property
    def amount(self) -> float:
        """What it costs in the measured window."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class CostSummary:
    """What a run costs, in the measured window."""

    currency: str
    hours: float
    """Length of the window."""
    good_requests: int
    """Requests that started in it and were answered well."""
    items: tuple[CostItem, ...]
    """What has a price, in the order of `COST_ITEMS`, and within one in the order of the services."""

    def per_hour(self, item: str | None = None) -> float | None:
        """Of one item, or of all together; None where nothing was measured."""
        return self._amount(item) / self.hours if self.hours else None

    def per_million(self, item: str | None = None) -> float | None:
        """The same for each million requests that were answered well; None where none was."""
        return self._amount(item) / self.good_requests * MILLION if self.good_requests else None

    def _amount(self, item: str | None) -> float:
        return sum(one.amount for one in self.items if item in {None, one.item})

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From its JSON."""
        return cls(**{**content, "items": tuple(CostItem(**one) for one in content["items"])})
