"""Histograms to a table and back, and runs together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import MS, SECOND, plan, requests, shop, summary_of

from meshsim.metrics.histogram_table import COLUMNS, histograms, pooled, pooled_times, with_histograms
from meshsim.metrics.latency.histogram import Histogram
from meshsim.metrics.summary import Summary

if TYPE_CHECKING:
    from meshsim.metrics.latency.times import Times

SHARES = (0.001, 0.123, 0.5, 0.975, 1.0)


def read_back(summary: Summary) -> Summary:
    """Through JSON and a table of plain lists, as Parquet gives them."""
    columns = {name: list(column) for name, column in histograms(summary).items()}
    return with_histograms(Summary.from_dict(json.loads(json.dumps(summary.to_dict()))), columns)


def all_times(summary: Summary) -> list[Times]:
    rows = (summary.total, *summary.routes, *summary.sources, *summary.flows, *summary.consumers, *summary.consumer_routes)
    return [
        *(times for one in rows for times in (one.latency, one.latency_of_successes)),
        *(times for one in summary.services for times in (one.latency, one.response_time, one.waiting_time)),
    ]


def two_consumers(seed: int = 1, count: int = 500) -> Summary:
    rng = np.random.default_rng(seed)
    made = plan(sources=("app", "partner", "web"), consumers=("", "partner-a", "partner-b"), routes=("browse", "checkout"))
    started = rng.integers(2 * SECOND, 10 * SECOND, count)
    return summary_of(
        made,
        requests=requests(
            started_ns=started,
            ended_ns=started + rng.integers(MS, 900 * MS, count),
            source=rng.integers(0, 3, count),
            route=rng.integers(-1, 2, count),
            status=rng.choice([200, 503], count),
        ),
    )


@pytest.mark.parametrize("summary", [shop(), two_consumers(), summary_of(plan())], ids=["shop", "consumers", "nothing"])
def test_a_summary_with_its_histograms_put_back_gives_every_quantile(summary: Summary) -> None:
    back = read_back(summary)

    assert back == summary
    for one, other in zip(all_times(back), all_times(summary), strict=True):
        assert [one.quantile_s(share) for share in SHARES] == [other.quantile_s(share) for share in SHARES]
        if other.dashboard is not None:
            assert [one.dashboard_quantile_s(share) for share in SHARES] == [
                other.dashboard_quantile_s(share) for share in SHARES
            ]


def test_the_table_has_one_row_for_each_bin_and_says_whose_it_is() -> None:
    table = histograms(two_consumers())
    rows = list(zip(*(table[name] for name in COLUMNS), strict=True))
    fine = [row for row in rows if row[0] == "latency" and row[5] == "fine"]

    assert len(rows) == len({row[:7] for row in rows})
    assert sum(row[7] for row in fine) == 500
    assert {row[2:4] for row in fine} == {("app", "(no consumer)"), ("partner", "partner-a"), ("web", "partner-b")}
    assert table["bin"].dtype == np.int32
    assert all(count > 0 for count in table["times"])


def test_runs_together_have_the_quantiles_of_all_their_requests() -> None:
    runs = [two_consumers(seed) for seed in (1, 2, 3)]
    together = pooled([read_back(one) for one in runs])
    merged = Histogram()
    for one in runs:
        merged.merge(one.routes[1].latency.histogram or Histogram())

    assert together.total.latency.count == 1_500
    assert together.routes[1].latency.quantile_s(0.99) == merged.quantile(0.99) / 1e9
    assert together.routes[1].latency.mean_s == pytest.approx(merged.mean / 1e9)
    assert together.total.requests == runs[0].total.requests
    assert pooled_times(runs, lambda one: one.total.latency) == together.total.latency
    assert together.total.latency.dashboard_p99_s is not None


def test_what_came_only_in_a_later_run_is_there_too() -> None:
    runs = [two_consumers(1, count=1), two_consumers(2)]

    assert {(one.route, one.source) for one in pooled(runs).flows} == {(one.route, one.source) for one in runs[1].flows}


def test_summaries_from_json_alone_cannot_be_put_together() -> None:
    bare = Summary.from_dict(two_consumers().to_dict())

    with pytest.raises(LookupError, match="no quantiles over several things together"):
        pooled([bare, bare])


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=60))
def test_a_histogram_is_made_again_from_its_bins(values: list[int]) -> None:
    one = Histogram()
    one.add(np.array(values, dtype=np.int64))
    again = Histogram.from_bins(*one.bins(), total=sum(values), minimum=min(values), maximum=max(values))

    assert [again.quantile(share) for share in SHARES] == [one.quantile(share) for share in SHARES]
    assert (again.count, again.total) == (one.count, one.total)
