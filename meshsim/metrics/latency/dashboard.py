"""What a dashboard would show: Prometheus' `histogram_quantile` over Istio's `istio_request_duration_milliseconds`.

Istio records whole milliseconds, cut off and not rounded, in Envoy's default buckets, and Envoy counts in a bucket what lies below
its bound: a request of 0.7 ms is recorded as 0 and one of 25.0 ms lies above the bound 25. Prometheus then knows how many requests
each bucket holds and nothing else, and takes them to be spread evenly over it: a quantile from few, wide buckets can be far off.

Sources: the buckets, envoyproxy/envoy, source/common/stats/histogram_impl.cc (`HistogramSettingsImpl::defaultBuckets`; Istio sets
none of its own); what is below a bound, openhistogram/libcircllhist, src/circllhist.c (`hist_approx_count_below`); whole
milliseconds, istio/proxy, source/extensions/filters/http/istio_stats/istio_stats.cc (`IstioStatsFilter::log`); the quantile,
prometheus/prometheus, promql/quantile.go (`bucketQuantile`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import numpy as np

from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDS_MS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
)  # fmt: skip
"""Upper bounds of the buckets, label `le`; a last one has none."""
_EDGES_NS = np.array([max(1, math.ceil(bound)) * NS_PER_MS for bound in BOUNDS_MS], dtype=np.int64)
"""From where on a latency is not in the bucket: of whole milliseconds, 0 alone is below 0.5, and below 1."""


class DashboardBuckets:
    """Requests by bucket of Istio's histogram of request durations.

    Attributes:
        counts: int64, shape (20,): those in each bucket and in none before it; the last is le="+Inf".
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Sequence[int] | np.ndarray | None = None) -> None:
        self.counts = np.zeros(len(BOUNDS_MS) + 1, dtype=np.int64)
        if counts is not None:
            self.counts += np.asarray(counts, dtype=np.int64)

    def add(self, latencies_ns: np.ndarray) -> None:
        """Count requests: int64, shape (n,), none negative."""
        buckets = np.searchsorted(_EDGES_NS, latencies_ns, side="right")
        self.counts += np.bincount(buckets, minlength=len(self.counts))

    def merge(self, other: DashboardBuckets) -> Self:
        """Count all that the other has counted; returns itself."""
        self.counts += other.counts
        return self

    def quantile_s(self, share: float) -> float | None:
        """Seconds that `histogram_quantile` would show, over all of the time together; None of no request."""
        if not self.counts.sum():
            return None
        return histogram_quantile(share, BOUNDS_MS, np.cumsum(self.counts).tolist()) / 1e3


def histogram_quantile(share: float, bounds: Sequence[float], cumulated: Sequence[float]) -> float:
    """Prometheus' `histogram_quantile` of a classic histogram.

    Args:
        share: 0 to 1.
        bounds: Upper bounds of the buckets but the last one, le="+Inf"; rising, the first above 0.
        cumulated: How many are in each bucket or below it, the last one too: one more than bounds.

    Returns:
        In the unit of the bounds: on the straight line between the bounds of the bucket that holds the quantile, the lowest bucket
        beginning at 0; the highest bound where it lies above that; NaN of none.
    """
    if not cumulated[-1]:
        return math.nan
    rank = share * cumulated[-1]
    bucket = next((number for number, count in enumerate(cumulated[:-1]) if count >= rank), len(bounds))
    if bucket == len(bounds):
        return bounds[-1]
    low, below = (bounds[bucket - 1], cumulated[bucket - 1]) if bucket else (0.0, 0)
    inside = cumulated[bucket] - below
    return low + (bounds[bucket] - low) * ((rank - below) / inside) if inside else low
