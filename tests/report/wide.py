"""A made-up comparison with the widest tables that a report has: long names, large numbers, and everything happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fakes

from meshsim.report.page.sortable import DESTINATIONS, FILTERS, LIMITS

if TYPE_CHECKING:
    import pandas as pd

LONG = {"frontend": "web-storefront-frontend", "payment": "payment-authorisation-service", "catalog": "product_catalogue_service"}
VARIANTS = {
    "as-is": "production-as-of-november",
    "budget": "retry-budget-of-20-percent",
    "no-retries": "no-retries-at-any-hop-at-all",
}


class WideComparison(fakes.FakeComparison):
    """Tables of destinations and filters with every column."""

    def destinations(self) -> pd.DataFrame:
        names = ["(gateway) to web-storefront-frontend", "web-storefront-frontend to product_catalogue_service"]
        return self._means("destination", names, {one.column: 12_345 / one.scale for one in (*DESTINATIONS, *LIMITS)})

    def filters(self) -> pd.DataFrame:
        names = ["web-storefront-frontend: global_rate_limit"]
        return self._means("filter_name", names, {one.column: 120_000.0 for one in FILTERS}).assign(fairness=0.93)

    def routes(self) -> pd.DataFrame:
        return super().routes().assign(latency_p999_s=123.4, offered_per_s=_thousands, goodput_per_s=123_456.0)

    def services(self) -> pd.DataFrame:
        return super().services().assign(attempts_per_s=_thousands, queue_mean=12_345.6, queue_peak=123_456)


def _thousands(frame: pd.DataFrame) -> pd.Series:
    return 300 * frame["offered_per_s" if "offered_per_s" in frame else "attempts_per_s"]


def comparison() -> WideComparison:
    """The fakes' scenario with long names."""
    scenario = _renamed(fakes.SCENARIO, LONG | VARIANTS)
    return WideComparison(fakes.comparison(scenario).experiments)


def _renamed(tree: Any, names: dict[str, str]) -> Any:
    if isinstance(tree, dict):
        return {names.get(key, key): _renamed(value, names) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_renamed(one, names) for one in tree]
    return names.get(tree, tree) if isinstance(tree, str) else tree
