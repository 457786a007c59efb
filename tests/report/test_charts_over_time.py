"""What the charts draw and say: against frames whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frames import errors, faults, latency, nodes, services, timeline

from meshsim.report.charts import (
    attempts_over_time,
    in_flight_over_time,
    latency_ccdf,
    latency_over_time,
    load_over_time,
    queue_over_time,
    style,
    utilisation,
)
from meshsim.report.charts.over_time import by_variant, curves


@pytest.fixture(autouse=True)
def _off_screen():
    with style.off_screen():
        yield


def load(**columns):
    """Four intervals of 10 s of one variant, unless a column says otherwise."""
    count = max([len(values) for values in columns.values() if isinstance(values, list)], default=4)
    known = {"variant": "a", "replication": 0, "route": "(all)", "time_s": np.arange(count) * 10.0, "interval_s": 10.0}
    zero = dict.fromkeys(("offered_per_s", "goodput_per_s", "errors_per_s", "in_flight", "latency_p50_s", "latency_p99_s"), 0.0)
    return pd.DataFrame({**known, **zero, **columns})


def busy(**columns):
    known = {"service": "payment", "calls_per_s": 0.0, "attempts_per_s": 0.0, "queue": 0.0, "utilisation": 0.0}
    return load(**{**known, **columns}).drop(columns="route")


def lines_of(ax):
    return [line for line in ax.lines if len(line.get_xdata()) > 2]


def histogram(counts, variant="a", replication=0):
    return pd.DataFrame(
        {
            "variant": variant,
            "replication": replication,
            "route": "r",
            "latency_s": list(counts),
            "requests": list(counts.values()),
        }
    )


def test_a_point_of_the_ccdf_is_the_share_that_takes_longer():
    found = latency_ccdf.Distribution(np.array([0.1, 0.2, 1.0]), np.array([90, 9, 1]))

    assert found.slower(np.array([0.05, 0.1, 0.15, 0.2, 0.99, 1.0])) == pytest.approx([1, 0.1, 0.1, 0.01, 0.01, 0])
    assert [found.quantile(share) for share in (0.5, 0.9, 0.91, 0.99, 0.999)] == [0.1, 0.1, 0.2, 0.2, 1.0]


def test_the_ccdf_pools_replications_and_its_band_spans_them():
    frame = pd.concat([histogram({0.01: 900, 1.0: 100}), histogram({0.01: 800, 1.0: 200}, replication=1)])
    ax = latency_ccdf.latency_ccdf(frame)
    line = lines_of(ax)[0]
    share = np.interp(0.1, line.get_xdata(), line.get_ydata())
    band = ax.collections[0].get_paths()[0].vertices
    near = band[np.abs(np.log(band[:, 0] / 0.1)) < 0.05][:, 1]

    assert share == pytest.approx(0.15)
    assert (near.min(), near.max()) == (pytest.approx(0.1), pytest.approx(0.2))


def test_the_ccdf_says_p99_with_changes_and_who_is_slower_than_the_slo():
    frame = pd.concat([histogram({0.1: 980, 2.0: 20}), histogram({0.1: 985, 0.5: 15}, "b")])

    said = latency_ccdf.reading(frame, route="r", slo_s=1.0)
    assert said == (
        "The p99 of r is 2 s with a and 500 ms with b (\N{MINUS SIGN}75.0 %); the share slower than 1 s is 2 % with a and 0 % with b."
    )
    assert latency_ccdf.reading(frame).endswith("; 1 in 1,000 requests of a takes 2 s or longer.")


def test_equal_variants_differ_by_nothing():
    frame = pd.concat([histogram({0.1: 50}), histogram({0.1: 50}, "b")])

    assert latency_ccdf.reading(frame) == "The p99 of all requests is 100 ms with a and 100 ms with b (0.0 %)."


def test_latency_over_time_is_the_median_of_the_replications_and_skips_what_is_unknown():
    frame = pd.concat(load(replication=number, latency_p99_s=[0.1, np.nan, 0.3, 0.1 * number]) for number in range(3))
    found = curves(frame, "latency_p99_s", how="median")["a"]

    assert found.time_s == pytest.approx([5, 15, 25, 35])
    assert found.middle == pytest.approx([0.1, np.nan, 0.3, 0.1], nan_ok=True)
    assert found.low[3] == 0
    assert found.high[3] == pytest.approx(0.2)
    said = latency_over_time.reading(frame, faults=pd.DataFrame({"from_s": [20.0], "until_s": [30.0], "label": ["x is slow"]}))
    assert said == (
        "The highest p99 of an interval of 10 s, median of the replications, is 300 ms with a (at 25 s); that is during: x is slow."
    )


def test_two_thousand_intervals_become_two_hundred_points_of_the_same_mean():
    frame = load(in_flight=[float(number) for number in range(2000)])
    found = curves(frame, "in_flight")["a"]

    assert len(found.middle) == 200
    assert found.middle[:2] == pytest.approx([4.5, 14.5])
    assert found.time_s[:2] == pytest.approx([50, 150])


def test_errors_are_stacked_and_an_interval_without_a_row_had_none():
    frame = pd.concat(load(replication=number, offered_per_s=10.0, goodput_per_s=8.0, errors_per_s=2.0) for number in range(2))
    failed = pd.DataFrame(
        {
            "variant": "a",
            "replication": [0, 0, 1],
            "route": "(all)",
            "time_s": [10.0, 20.0, 20.0],
            "interval_s": 10.0,
            "flag": ["UT", "UT", "URX,UT"],
            "errors_per_s": [4.0, 2.0, 5.0],
        }
    )
    ax = load_over_time.load_over_time(frame, failed)
    tops = [part.get_paths()[0].vertices for part in ax.collections]
    at_25 = [vertices[vertices[:, 0] == 25][:, 1].max() for vertices in tops]
    at_15 = [vertices[vertices[:, 0] == 15][:, 1].max() for vertices in tops]

    assert at_25 == pytest.approx([1.0, 3.5])
    assert at_15 == pytest.approx([2.0, 2.0])
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "offered",
        "answered well (goodput)",
        "UT: timed out",
        "URX,UT: retries used up, timed out",
    ]


def test_the_load_is_said_with_the_most_frequent_flag():
    frame = load(offered_per_s=10.0, goodput_per_s=[10.0, 6.0, 10.0, 10.0], errors_per_s=[0.0, 4.0, 0.0, 0.0])
    failed = load(flag="UT", errors_per_s=[0.0, 3.0, 0.0, 0.0]), load(flag="UO", errors_per_s=[0.0, 1.0, 0.0, 0.0])

    assert load_over_time.reading(frame, pd.concat(failed)) == (
        "With a, 9/s of the 10/s offered are answered well; failures reach 4/s at 15 s, and 75 % of all failures are UT (timed out)."
    )
    tie = pd.concat([failed[0], failed[0].assign(flag="UO")])
    assert load_over_time.reading(frame, tie).endswith("the most frequent flags are UO and UT, with 50 % of the failures each.")
    whole = load(offered_per_s=10.0, goodput_per_s=10.0)
    assert load_over_time.reading(whole, failed[0][:0]) == "With a, 10/s of the 10/s offered are answered well, and none fails."


def test_a_flag_looks_the_same_whichever_variant_is_drawn():
    failed = pd.concat(
        [
            load(flag="UT", errors_per_s=5.0),
            load(flag="UO", errors_per_s=1.0, variant="b"),
            load(flag="UT", errors_per_s=0.5, variant="b"),
        ]
    )
    frame = pd.concat([load(offered_per_s=9.0), load(offered_per_s=9.0, variant="b")])
    colours = [flag_colours(frame, failed, variant) for variant in ("a", "b")]

    assert colours[0]["UT: timed out"] == colours[1]["UT: timed out"]
    assert len(colours[1]) == 2


def flag_colours(frame, failed, variant):
    legend = load_over_time.load_over_time(frame, failed, variant=variant).get_legend()
    texts = [text.get_text() for text in legend.get_texts()][2:]
    return dict(zip(texts, (patch.get_facecolor() for patch in legend.get_patches()), strict=True))


def test_attempts_per_call_are_the_ratio_of_sums_and_the_worst_interval_is_named():
    frame = pd.concat(
        [
            busy(calls_per_s=10.0, attempts_per_s=[10.0, 30.0, 10.0, 10.0]),
            busy(variant="b", calls_per_s=10.0, attempts_per_s=10.0),
        ]
    )

    assert attempts_over_time.reading(frame, service="payment") == (
        "The attempts per call of payment are 1.5 with a and 1 with b on average, and at most 3 in an interval (a, at 15 s)."
    )
    assert (
        attempts_over_time.reading(busy(calls_per_s=5.0, attempts_per_s=5.0), service="payment")
        == "No call of payment was tried again."
    )
    assert attempts_over_time.reading(busy(), service="payment") == "payment was not called."


def test_queues_and_requests_in_flight_are_said_by_their_highest_interval_after_the_warm_up():
    frame = busy(queue=[50.0, 1.0, 3.0, 2.0])

    assert queue_over_time.reading(frame, service="payment", warm_up_s=10) == (
        "The longest queue at payment, mean of an interval, is 3 with a (at 25 s)."
    )
    assert queue_over_time.reading(busy(), service="payment") == "No request waited at payment."
    assert in_flight_over_time.reading(load(in_flight=[9.0, 1.0, 3.0, 2.0]), warm_up_s=10) == (
        "The most requests in flight at the end of an interval are 3 with a (at 25 s)."
    )


def test_utilisation_is_weighed_by_time_and_the_busiest_service_is_first():
    frame = pd.concat(
        [
            busy(utilisation=[0.2, 0.2, 0.8, 0.8], interval_s=[30.0, 30.0, 10.0, 10.0]),
            busy(service="cart", utilisation=0.5),
        ]
    )
    ax = utilisation.utilisation(frame)

    assert [text.get_text() for text in ax.get_yticklabels()] == ["cart", "payment"]
    assert (
        utilisation.reading(frame) == "cart is the busiest service; the share of its workers that is busy there is 50 % with a."
    )
    marks = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert marks == pytest.approx([0.5, 0.35])


def test_of_many_variants_the_first_the_lowest_and_the_highest_are_said():
    values = {f"v{number}": float(number) for number in range(6)}

    assert by_variant(values, "number") == "0 with v0, and from 0 (v0) to 5 (v5) among all 6 variants"
    assert by_variant({"a": 1.0, "b": float("nan")}, "rate") == "1/s with a and unknown with b"


EMPTY = {
    "latency_ccdf": (latency()[:0],),
    "latency_over_time": (timeline()[:0],),
    "load_over_time": (timeline()[:0], errors()[:0]),
    "in_flight_over_time": (timeline()[:0],),
    "utilisation": (nodes()[:0],),
    "queue_over_time": (services()[:0],),
    "attempts_over_time": (services()[:0],),
}
MODULES = (latency_ccdf, latency_over_time, load_over_time, in_flight_over_time, utilisation, queue_over_time, attempts_over_time)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_empty_frame_says_that_nothing_was_measured(module):
    name = module.__name__.rpartition(".")[2]
    options = {"service": "payment"} if name in {"queue_over_time", "attempts_over_time"} else {}
    ax = getattr(module, name)(*EMPTY[name], **options)
    ax.get_figure(root=True).draw_without_rendering()

    assert [text.get_text() for text in ax.texts] == ["nothing was measured"]
    assert module.reading(*EMPTY[name], **options) in {"Nothing was measured.", "payment was not called."}


@pytest.mark.parametrize("count", [1, 2, 7, 2000])
def test_any_number_of_intervals_can_be_drawn(count):
    frame = timeline(("a", "b"), 2, count, 0.1)
    for ax in (
        latency_over_time.latency_over_time(frame, faults=faults()),
        in_flight_over_time.in_flight_over_time(frame, warm_up_s=0.05),
        load_over_time.load_over_time(frame, errors(("a", "b"), 2, count)),
    ):
        ax.get_figure(root=True).draw_without_rendering()
        assert ax.get_xlim() == pytest.approx((0, count * 0.1))


def test_zeros_and_gaps_are_left_out_of_a_log_axis():
    ax = latency_over_time.latency_over_time(load(latency_p99_s=[0.1, 0.0, np.nan, 0.2], latency_p50_s=0.01))
    tail = lines_of(ax)[-1].get_ydata()
    ax.get_figure(root=True).draw_without_rendering()

    assert np.isnan(tail[1:3]).all()
    assert tail[[0, 3]] == pytest.approx([0.1, 0.2])
