"""How long something took: mean, extremes, quantiles."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from meshsim.metrics.latency.histogram import middles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.latency.dashboard import DashboardBuckets
    from meshsim.metrics.latency.histogram import Histogram

KEPT_QUANTILES = {"p50_s": 0.5, "p75_s": 0.75, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99, "p999_s": 0.999}
"""The quantiles that a summary holds even when it comes from JSON."""
KEPT_DASHBOARD = {"dashboard_p50_s": 0.5, "dashboard_p90_s": 0.9, "dashboard_p99_s": 0.99}
"""The same of a dashboard's view."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took."""

    count: int = 0
    mean_s: float | None = None
    min_s: float | None = None
    p50_s: float | None = None
    p75_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    p999_s: float | None = None
    max_s: float | None = None
    dashboard_p50_s: float | None = None
    """What Prometheus' `histogram_quantile` over Istio's buckets would show; None of times that Istio has no histogram of."""
    dashboard_p90_s: float | None = None
    dashboard_p99_s: float | None = None
    histogram: Histogram | None = field(default=None, compare=False, repr=False)
    """Gives all other quantiles; not part of the JSON."""
    dashboard: DashboardBuckets | None = field(default=None, compare=False, repr=False)
    """Gives all other quantiles of a dashboard; not part of the JSON."""

    @classmethod
    def of(cls, histogram: Histogram, dashboard: DashboardBuckets | None = None) -> Self:
        """The times in a histogram of nanoseconds, and in a dashboard's buckets."""
        if histogram.minimum is None or histogram.maximum is None:
            return cls(histogram=histogram, dashboard=dashboard)
        shown = {} if dashboard is None else {name: dashboard.quantile_s(share) for name, share in KEPT_DASHBOARD.items()}
        return cls(
            count=histogram.count,
            mean_s=histogram.mean / 1e9,
            min_s=histogram.minimum / 1e9,
            max_s=histogram.maximum / 1e9,
            **{name: histogram.quantile(share) / 1e9 for name, share in KEPT_QUANTILES.items()},
            **shown,
            histogram=histogram,
            dashboard=dashboard,
        )

    def quantile_s(self, share: float) -> float | None:
        """Seconds, within 0.2 %; None of nothing.

        Raises:
            LookupError: The summary was read from JSON, and this quantile is not kept there.
        """
        if not self.count:
            return None
        if self.histogram is not None:
            return self.histogram.quantile(share) / 1e9
        return self._kept(KEPT_QUANTILES, share, "p")

    def dashboard_quantile_s(self, share: float) -> float | None:
        """Seconds that a dashboard would show; None of nothing.

        Raises:
            LookupError: The summary was read from JSON, and this quantile is not kept there.
        """
        if not self.count:
            return None
        if self.dashboard is not None:
            return self.dashboard.quantile_s(share)
        return self._kept(KEPT_DASHBOARD, share, "dashboard's p")

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """The histogram: the middle of each bin in s, and how many it holds; both of shape (bins,), empty without a histogram."""
        if self.histogram is None:
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        numbers, counts = self.histogram.bins()
        return middles(numbers) / 1e9, counts

    def _kept(self, kept: Mapping[str, float], share: float, word: str) -> float | None:
        for name, one in kept.items():
            if abs(one - share) < 1e-12:
                value: float | None = getattr(self, name)
                return value
        raise LookupError(f"a summary read from JSON has no {word}{share * 100:g}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON: without the histograms."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"histogram", "dashboard"}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(**content)
