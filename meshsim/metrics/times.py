"""How long something took: mean, extremes, quantiles."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.histogram import Histogram

KEPT_QUANTILES = {"p50_s": 0.5, "p75_s": 0.75, "p90_s": 0.9, "p95_s": 0.95, "p99_s": 0.99, "p999_s": 0.999}
"""The quantiles that a summary holds even when it comes from JSON."""


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
    histogram: Histogram | None = field(default=None, compare=False, repr=False)
    """Gives all other quantiles; not part of the JSON."""

    @classmethod
    def of(cls, histogram: Histogram) -> Self:
        """The times in a histogram of nanoseconds."""
        if histogram.minimum is None or histogram.maximum is None:
            return cls(histogram=histogram)
        return cls(
            count=histogram.count,
            mean_s=histogram.mean / 1e9,
            min_s=histogram.minimum / 1e9,
            max_s=histogram.maximum / 1e9,
            **{name: histogram.quantile(share) / 1e9 for name, share in KEPT_QUANTILES.items()},
            histogram=histogram,
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
        for name, kept in KEPT_QUANTILES.items():
            if abs(kept - share) < 1e-12:
                value: float | None = getattr(self, name)
                return value
        raise LookupError(f"a summary read from JSON has no p{share * 100:g}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON: without the histogram."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "histogram"}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(**content)
