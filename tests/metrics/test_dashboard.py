"""What Prometheus would show, against quantiles worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up import MS, SECOND, plan, requests, summary_of

from meshsim.metrics.latency.dashboard import BOUNDS_MS, DashboardBuckets, histogram_quantile


def buckets_of(*latencies_ms: float) -> DashboardBuckets:
    made = DashboardBuckets()
    made.add(np.array([round(one * MS) for one in latencies_ms], dtype=np.int64))
    return made


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, 0.0),
        (0.1, 0.5),  # half of the two in the lowest bucket, which begins at 0
        (0.2, 1.0),
        (0.5, 7.5),  # rank 5 is the second of the four between 5 and 10
        (0.7, 10.0),
        (0.8, 10.0),  # beyond the highest finite bound
        (1.0, 10.0),
    ],
)
def test_a_quantile_lies_on_the_line_between_the_bounds_of_its_bucket(share: float, expected: float) -> None:
    """Ten requests: two up to 1, one up to 5, four up to 10, three above."""
    assert histogram_quantile(share, (1.0, 5.0, 10.0), (2, 3, 7, 10)) == pytest.approx(expected)


def test_a_documented_example_of_prometheus_arithmetic() -> None:
    """26 351 of 27 892 requests up to 1 s, 24 101 up to 0.5 s: p90 is 0.5 + 0.5 * (25 102.8 - 24 101) / 2 250."""
    assert histogram_quantile(0.9, (0.5, 1.0), (24_101, 26_351, 27_892)) == pytest.approx(0.722622, abs=1e-6)


def test_of_nothing_there_is_no_quantile() -> None:
    assert math.isnan(histogram_quantile(0.5, (1.0, 2.0), (0, 0, 0)))
    assert DashboardBuckets().quantile_s(0.5) is None


@pytest.mark.parametrize(
    ("latency_ms", "bucket"),
    [(0, 0), (0.4, 0), (0.7, 0), (0.999999, 0), (1, 2), (4.9, 2), (5, 3), (24.9, 4), (25, 5), (249.999, 7), (250, 8), (4e6, 19)],
)
def test_a_latency_is_counted_in_whole_milliseconds_below_the_bound(latency_ms: float, bucket: int) -> None:
    """Istio cuts 0.7 ms down to 0, which is below 0.5; Envoy counts 250 ms above the bound 250."""
    assert buckets_of(latency_ms).counts.argmax() == bucket


def test_the_buckets_are_envoy_s() -> None:
    assert len(BOUNDS_MS) == 19
    assert (BOUNDS_MS[0], BOUNDS_MS[7], BOUNDS_MS[-1]) == (0.5, 250, 3_600_000)
    assert list(BOUNDS_MS) == sorted(BOUNDS_MS)


def test_a_dashboard_may_be_far_from_the_exact_quantile() -> None:
    """All requests take 105 to 135 ms: the bucket goes from 100 to 250, and p99 is shown 85 % too high."""
    latencies_ms = np.linspace(105, 135, 10_000)
    starts = np.full(10_000, 3 * SECOND)
    latency = summary_of(
        plan(), requests=requests(started_ns=starts, ended_ns=starts + (latencies_ms * MS).astype(int))
    ).total.latency

    assert latency.p99_s == pytest.approx(0.1347, rel=0.0025)
    assert latency.dashboard_p99_s == pytest.approx(0.2485)
    assert latency.dashboard_quantile_s(0.5) == latency.dashboard_p50_s == pytest.approx(0.175)


def test_merging_is_the_same_as_counting_together() -> None:
    assert buckets_of(3, 30).merge(buckets_of(300)).counts.tolist() == buckets_of(3, 30, 300).counts.tolist()
