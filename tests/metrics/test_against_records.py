"""A summary, made as the records stream by, against the records themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshsim

if TYPE_CHECKING:
    from meshsim import Result

SCENARIO = {
    "name": "two-loads",
    "deployment": "gateway+mesh",
    "load": {
        "shoppers": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "300/s",
            "requests": {"browse": 3, "buy": 1},
            "timeout": "400ms",
        },
        "partner": {"executor": "constant-vus", "vus": 10, "think_time": "20ms", "requests": {"buy": 1}},
    },
    "gateway": {
        "routes": {"browse": {"path": "/browse", "to": "catalog"}, "buy": {"path": "/buy", "to": "cart", "timeout": "250ms"}}
    },
    "mesh": {"traffic": {"payment": {"retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "60ms"}}}},
    "services": {
        "catalog": {"replicas": 2, "workers": 4, "script": [{"compute": {"exponential": {"mean": "8ms"}}}], "errors": "1%"},
        "cart": {"replicas": 2, "workers": 8, "script": [{"compute": "3ms"}, {"call": "payment"}]},
        "payment": {
            "replicas": 2,
            "workers": 3,
            "queue": {"limit": 20},
            "errors": "5%",
            "script": [{"compute": {"lognormal": {"p50": "15ms", "p99": "120ms"}}}],
        },
    },
    "run": {"duration": "12s", "warm_up": "2s", "seed": 5},
}


@pytest.fixture(scope="module")
def result() -> Result:
    return meshsim.load(SCENARIO).run()


def test_requests_failures_and_latencies_are_those_of_the_records(result: Result) -> None:
    records = result.requests[result.requests["started_ns"].between(2e9, 12e9, inclusive="left")]
    failed = (records["status"] == 0) | (records["status"] >= 400)
    for one in (*result.summary().flows, *result.summary().routes, *result.summary().sources, result.summary().total):
        chosen = ((records["route"] == one.route) | (one.route is None)) & (
            (records["source"] == one.source) | (one.source is None)
        )
        latency_s = records.loc[chosen, "latency_s"]
        quantiles = [one.latency.p50_s, one.latency.p90_s, one.latency.p99_s, one.latency.p999_s]

        assert one.requests == chosen.sum()
        assert one.failures == (chosen & failed).sum()
        assert (
            one.failures_by_flag
            == records.loc[chosen & failed, "response_flags"].value_counts().loc[lambda counts: counts > 0].to_dict()
        )
        assert one.latency.mean_s == pytest.approx(latency_s.mean())
        assert (one.latency.min_s, one.latency.max_s) == pytest.approx((latency_s.min(), latency_s.max()))
        assert quantiles == pytest.approx(np.quantile(latency_s, [0.5, 0.9, 0.99, 0.999], method="inverted_cdf"), rel=0.0025)


def test_throughput_and_goodput_are_what_ended_in_the_window(result: Result) -> None:
    ended = result.requests[result.requests["ended_ns"].between(2e9, 12e9, inclusive="right")]
    well = ended[(ended["status"] > 0) & (ended["status"] < 400)]

    assert result.summary().total.throughput_per_s == len(ended) / 10
    assert result.summary().total.goodput_per_s == len(well) / 10


def test_attempts_work_and_waits_are_those_of_the_records(result: Result) -> None:
    records = result.attempts[result.attempts["request_started_ns"].between(2e9, 12e9, inclusive="left")]
    for one in result.summary().services:
        rows = records[records["service"] == one.name]
        served = rows[rows["started_ns"] >= 0]

        assert one.attempts == len(rows)
        assert one.retry_amplification == len(rows) / (rows["attempt"] == 1).sum()
        assert (one.worked_s, one.wasted_s) == pytest.approx((rows["worked_ns"].sum() / 1e9, rows["wasted_ns"].sum() / 1e9))
        assert one.waiting_time.mean_s == pytest.approx((served["started_ns"] - served["arrived_ns"]).mean() / 1e9)
        assert one.response_time.max_s == (served["finished_ns"] - served["arrived_ns"]).max() / 1e9


def test_utilisation_and_queues_are_the_integrals_of_the_counters(result: Result) -> None:
    counters = result.counters[result.counters["time_ns"].between(2e9, 12e9, inclusive="right")]
    for one in result.summary().services:
        rows = counters[counters["service"] == one.name]

        assert one.utilisation == pytest.approx(rows["busy_ns"].sum() / (one.replicas * one.workers * 10e9))
        assert one.queue_mean == pytest.approx(rows["queued_ns"].sum() / 10e9)


def test_little_s_law_holds_in_the_summary(result: Result) -> None:
    """Requests in the queue are arrivals per second times the wait, but for what stands in it at the edges of the window."""
    for one in result.summary().services:
        arrived_per_s = one.waiting_time.count / 10
        assert one.queue_mean == pytest.approx(arrived_per_s * (one.waiting_time.mean_s or 0), rel=0.03, abs=0.01)
