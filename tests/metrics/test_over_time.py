"""Tables by interval: what belongs where, in whichever order it comes, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import MS, SECOND, attempts, chunk, plan, requests

from meshsim.flags import Flag
from meshsim.metrics.edges import Edges, nodes
from meshsim.metrics.over_time.intervals import COARSE_ERROR, CoarseHistograms, coarse_bin, coarse_edges
from meshsim.metrics.over_time.requests import ErrorsOverTime, Timeline
from meshsim.metrics.over_time.services import ServicesOverTime
from meshsim.metrics.summarise import summarise
from meshsim.metrics.tally import Tally

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

TWO_ROUTES = plan(routes=("browse", "checkout"))


def table_of(sink: Any, simulated_ns: int, **tables: Any) -> pd.DataFrame:
    for table, chunks in tables.items():
        for one in chunks if isinstance(chunks, list) else [chunks]:
            sink.take(table, one)
    return pd.DataFrame(sink.table(simulated_ns))


def timeline(made: Plan, simulated_ns: int, came: Chunk | list[Chunk]) -> pd.DataFrame:
    return table_of(Timeline(made), simulated_ns, requests=came)


def test_a_request_counts_where_it_starts_and_where_it_ends() -> None:
    """Two start in the first second; one ends in it, the other, which fails, in the third."""
    came = requests(
        started_ns=np.array([0, 900 * MS]), ended_ns=np.array([200 * MS, 2_400 * MS]), status=[200, 503], attempts=[1, 3]
    )
    rows = timeline(plan(), 3 * SECOND, came).query("route == 'checkout'")

    assert rows["time_s"].tolist() == [0, 1, 2]
    assert rows["offered_per_s"].tolist() == [2, 0, 0]
    assert rows["goodput_per_s"].tolist() == [1, 0, 0]
    assert rows["errors_per_s"].tolist() == [0, 0, 1]
    assert rows["in_flight"].tolist() == [1, 1, 0]
    assert rows["attempts_per_s"].tolist() == [4, 0, 0]
    assert rows["latency_mean_s"].tolist()[0] == pytest.approx(0.85)
    assert np.isnan(rows["latency_mean_s"].tolist()[1:]).all()
    assert np.isnan(rows["latency_p99_s"].tolist()[1:]).all()


def test_an_interval_begins_with_its_start_and_ends_before_the_next() -> None:
    came = requests(
        started_ns=np.array([SECOND - 1, SECOND, 2 * SECOND - 1]), ended_ns=np.array([SECOND, 2 * SECOND - 1, 2 * SECOND])
    )
    rows = timeline(plan(), 2 * SECOND, came).query("route == '(all)'")

    assert rows["offered_per_s"].tolist() == [1, 2]
    assert rows["goodput_per_s"].tolist() == [0, 3]  # what ends at the very end of the run is in the last interval


def test_the_last_interval_ends_with_the_run() -> None:
    came = requests(started_ns=np.array([0, 2 * SECOND]), ended_ns=np.array([MS, 2_100 * MS]))
    rows = timeline(plan(), 2_500 * MS, came).query("route == '(all)'")

    assert rows["interval_s"].tolist() == [1, 1, 0.5]
    assert rows["offered_per_s"].tolist() == [1, 0, 2]


def test_what_comes_after_the_load_has_its_intervals_too() -> None:
    rows = timeline(plan(), 14 * SECOND, requests(started_ns=np.array([9 * SECOND]), ended_ns=13 * SECOND)).query(
        "route == '(all)'"
    )

    assert rows["in_flight"].tolist() == [0] * 9 + [1] * 4 + [0]


def test_all_routes_stand_first_and_are_the_sum() -> None:
    came = requests(started_ns=np.arange(6) * 100 * MS, ended_ns=np.arange(6) * 100 * MS + 10 * MS, route=[0, 1, 1, 0, 1, -1])
    rows = timeline(TWO_ROUTES, SECOND, came)

    assert rows["route"].tolist() == ["(all)", "browse", "checkout", "(no route)"]
    assert rows["offered_per_s"].tolist() == [6, 2, 3, 1]


def test_quantiles_are_within_a_bin_of_the_exact_ones() -> None:
    rng = np.random.default_rng(2)
    started = rng.integers(0, 10 * SECOND, 50_000)
    took = (np.exp(rng.normal(np.log(20), 1, 50_000)) * MS).astype(np.int64)
    rows = timeline(plan(), 30 * SECOND, requests(started_ns=started, ended_ns=started + took)).query("route == 'checkout'")

    for number in range(10):
        exact_s = np.quantile(took[started // SECOND == number], [0.5, 0.9, 0.99], method="inverted_cdf") / SECOND
        shown_s = rows.iloc[number][["latency_p50_s", "latency_p90_s", "latency_p99_s"]].to_numpy(dtype=float)
        assert shown_s == pytest.approx(exact_s, rel=COARSE_ERROR)


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=50))
def test_a_coarse_bin_holds_its_number_and_is_narrow(values: list[int]) -> None:
    numbers = np.array(values, dtype=np.int64)
    lowest, highest = coarse_edges(coarse_bin(numbers))

    assert ((lowest <= numbers) & (numbers <= highest)).all()
    assert ((highest - lowest) / 2 <= COARSE_ERROR * np.maximum(lowest, 1)).all()


@given(st.lists(st.integers(0, 299), max_size=5), st.integers(0, 2**32))
def test_neither_chunks_nor_the_order_of_rows_change_anything(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    started = rng.integers(0, 10 * SECOND, 300)
    status = rng.choice([200, 503], 300)
    columns = {
        "started_ns": started,
        "ended_ns": started + rng.integers(0, 5 * SECOND, 300),
        "route": rng.integers(-1, 2, 300),
        "status": status,
        "response_flags": np.where(status == 503, rng.choice([int(Flag.UT), int(Flag.UO)], 300), 0),
    }
    order = rng.permutation(300)
    parts = [
        requests(**{name: column[rows] for name, column in columns.items()})
        for rows in np.split(order, sorted(cuts))
        if len(rows)
    ]
    for sink in (Timeline, ErrorsOverTime):
        whole = table_of(sink(TWO_ROUTES), 15 * SECOND, requests=requests(**columns))
        pd.testing.assert_frame_equal(table_of(sink(TWO_ROUTES), 15 * SECOND, requests=parts), whole)


def test_a_run_of_many_intervals_keeps_two_thousand_at_most() -> None:
    """100 s in steps of 10 ms are 10 000; eight of them make one."""
    made = plan(duration_ns=100 * SECOND, interval_ns=10 * MS)
    started = np.arange(100_000) * MS
    rows = timeline(made, 100 * SECOND, requests(started_ns=started, ended_ns=started + 1)).query("route == 'checkout'")

    assert len(rows) == 1_250
    assert set(rows["interval_s"]) == {0.08}
    assert set(rows["offered_per_s"]) == {1_000}
    assert set(rows["in_flight"]) == {0}


def test_a_run_that_takes_longer_than_its_load_merges_what_it_has() -> None:
    """The load ends after 2 000 intervals, the last answer comes after 9 000: the same table as when that had been known."""
    early, late = np.arange(2_000) * MS, np.array([1_999 * MS])
    chunks = [requests(started_ns=early, ended_ns=early + 5 * MS), requests(started_ns=late, ended_ns=9 * SECOND)]
    short, long = plan(duration_ns=2 * SECOND, interval_ns=MS), plan(duration_ns=9_001 * MS, interval_ns=MS)
    rows = timeline(short, 9_001 * MS, chunks)

    pd.testing.assert_frame_equal(rows, timeline(long, 9_001 * MS, chunks))
    assert (rows["interval_s"].iloc[0], len(rows.query("route == '(all)'"))) == (0.008, 1_126)
    assert (
        rows.query("route == '(all)'")["offered_per_s"] * rows.query("route == '(all)'")["interval_s"]
    ).sum() == pytest.approx(2_001)


def test_the_memory_of_a_timeline_is_intervals_times_bins() -> None:
    sink = Timeline(plan(duration_ns=1_000 * SECOND, interval_ns=MS))
    rng = np.random.default_rng(1)
    for _ in range(20):
        started = rng.integers(0, 1_000 * SECOND, 5_000)
        sink.take("requests", requests(started_ns=started, ended_ns=started + rng.integers(MS, 1_000 * MS, 5_000)))
    octaves = np.log2(1_000) + 1

    assert sink.size_bytes <= 2_000 * 32 * octaves * 4


def test_halving_keeps_every_count() -> None:
    made = CoarseHistograms()
    made.add(np.array([0, 1, 2, 6]), np.array([5, 5, 70, 5]))
    made.halve()

    counts = made.counts(4, 200)
    assert counts.sum(axis=1).tolist() == [2, 1, 0, 1]
    assert counts[0, 5] == 2


def test_errors_are_told_by_route_and_flag_with_a_row_for_each_interval() -> None:
    ends = np.array([500, 700, 1_500, 1_600]) * MS
    came = requests(
        started_ns=ends - MS,
        ended_ns=ends,
        route=[0, 1, 1, 1],
        status=[504, 504, 503, 200],
        response_flags=[Flag.UT | Flag.URX, Flag.UT | Flag.URX, Flag.UO, 0],
    )
    rows = table_of(ErrorsOverTime(TWO_ROUTES), 2 * SECOND, requests=came)
    found = {(route, flag): part["errors_per_s"].tolist() for (route, flag), part in rows.groupby(["route", "flag"])}

    assert found == {
        ("(all)", "URX,UT"): [2, 0],
        ("(all)", "UO"): [0, 1],
        ("browse", "URX,UT"): [1, 0],
        ("checkout", "URX,UT"): [1, 0],
        ("checkout", "UO"): [0, 1],
    }


def test_without_an_error_the_table_has_its_columns_and_no_row() -> None:
    rows = table_of(ErrorsOverTime(plan()), SECOND, requests=requests(started_ns=np.array([0]), ended_ns=MS))

    assert list(rows.columns) == ["route", "time_s", "interval_s", "flag", "errors_per_s"]
    assert rows.empty


def test_an_attempt_counts_when_it_was_sent_and_its_failure_when_it_was_known() -> None:
    tries = attempts(
        request_started_ns=np.zeros(3, dtype=np.int64),
        sent_ns=np.array([100 * MS, 1_100 * MS, -1]),
        ended_ns=np.array([1_050 * MS, 1_200 * MS, 300 * MS]),
        attempt=[1, 2, 1],
        status=[504, 200, 503],
    )
    rows = table_of(ServicesOverTime(plan()), 2 * SECOND, attempts=tries)

    assert rows["attempts_per_s"].tolist() == [2, 1]
    assert rows["calls_per_s"].tolist() == [2, 0]
    assert rows["failures_per_s"].tolist() == [1, 1]
    assert np.isnan(rows["utilisation"]).all()


@pytest.mark.parametrize("cuts", [[], [1], [3], [2, 3, 5]])
def test_counters_are_means_over_their_interval_wherever_the_chunks_end(cuts: list[int]) -> None:
    """Two replicas of four workers; the mark of the warm-up cuts an interval of a second at 0.4 s."""
    time = np.repeat(np.array([400, 1_000, 2_000]) * MS, 2)
    rows = chunk(
        "counters",
        time_ns=time,
        instance=[0, 1] * 3,
        busy_ns=np.array([400, 0, 600, 0, 4_000, 2_000]) * MS,
        queued_ns=np.array([0, 0, 0, 0, 3_000, 0]) * MS,
        is_up=[1, 1, 1, 0, 1, 1],
    )
    chunks = [
        dict(zip(rows, part, strict=True)) for part in zip(*(np.split(column, cuts) for column in rows.values()), strict=True)
    ]
    found = table_of(ServicesOverTime(plan()), 2 * SECOND, counters=chunks)

    assert found["busy"].tolist() == [1, 6]
    assert found["utilisation"].tolist() == [1 / 8, 6 / 8]
    assert found["queue"].tolist() == [0, 3]
    assert found["replicas_up"].tolist() == [pytest.approx(1.4), 2]


def test_edges_are_by_caller_and_service_and_only_of_measured_requests() -> None:
    made = plan(services=("cart", "payment"))
    began = np.array([SECOND, 3 * SECOND, 3 * SECOND, 3 * SECOND, 3 * SECOND])
    tries = attempts(
        request_started_ns=began, caller=[-2, -2, -2, 0, -1], service=[0, 0, 0, 1, 1], status=[200, 200, 503, 200, 200],
        sent_ns=np.where(np.arange(5) == 4, -1, began), ended_ns=began + 5 * MS,
    )  # fmt: skip
    sink, tally = Edges(made), Tally(made)
    came = requests(started_ns=began[:2], ended_ns=began[:2] + 20 * MS)
    for one in (sink, tally):
        one.take("attempts", tries)
        one.take("requests", came)
    rows = pd.DataFrame(sink.table(12 * SECOND))

    assert rows[["caller", "service"]].to_numpy().tolist() == [
        ["(client)", "(gateway)"], ["(gateway)", "cart"], ["(client)", "payment"], ["cart", "payment"],
    ]  # fmt: skip
    assert rows["attempts_per_s"].tolist() == [1 / 8, 2 / 8, 1 / 8, 1 / 8]
    assert rows["error_share"].tolist() == [0, 0.5, 0, 0]
    assert rows["latency_p99_s"].tolist() == [
        pytest.approx(0.02),
        pytest.approx(0.005),
        pytest.approx(np.nan, nan_ok=True),
        pytest.approx(0.005),
    ]
    assert nodes(summarise(tally, 12 * SECOND))["service"] == ["(gateway)", "cart", "payment"]
    assert nodes(summarise(tally, 12 * SECOND))["attempts_per_s"] == [1 / 8, 2 / 8, 2 / 8]
