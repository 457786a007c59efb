"""Thresholds as in k6, judged against figures that are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from made_up import MS, SECOND, attempts, chunk, plan, requests, shop, summary_of

from meshsim.metrics.frames import errors_of_service
from meshsim.metrics.over_time.services import ServicesOverTime
from meshsim.metrics.thresholds import Verdict, judge

if TYPE_CHECKING:
    from meshsim.metrics.summary import Summary


@pytest.fixture(scope="module")
def summary() -> Summary:
    """100 requests with latencies of 1 to 100 ms, of which 5 fail; 120 attempts for 100 calls; half of the workers held."""
    starts = 3 * SECOND + np.arange(100)
    came = requests(
        started_ns=starts,
        ended_ns=starts + np.arange(1, 101) * MS,
        status=np.where(np.arange(100) < 5, 503, 200),
        attempts=np.where(np.arange(100) < 20, 2, 1),
    )
    tries = attempts(
        request_started_ns=np.full(120, 3 * SECOND),
        attempt=np.where(np.arange(120) < 100, 1, 2),
        wasted_ns=np.where(np.arange(120) < 30, 4 * MS, 0),
    )
    time = np.arange(3, 11) * SECOND
    held = [chunk("counters", time_ns=time, instance=number, busy_ns=2 * SECOND) for number in (0, 1)]
    return summary_of(plan(), requests=came, attempts=tries, counters=held)


@pytest.mark.parametrize(
    ("metric", "condition", "observed", "text", "passed"),
    [
        ("latency", "p(99)<100ms", 0.099, "99ms", True),
        ("latency", "p(99)<98ms", 0.099, "99ms", False),
        ("latency", "p(50)<=51ms", 0.050, "50ms", True),
        ("latency", "med>60ms", 0.050, "50ms", False),
        ("latency", "avg<50ms", 0.0505, "50.5ms", False),
        ("latency", "min>=1ms", 0.001, "1ms", True),
        ("latency", "max<=100ms", 0.1, "100ms", True),
        ("latency{route:checkout}", "p(97.5)<99ms", 0.098, "98ms", True),
        ("latency{route:checkout,source:shoppers}", "max<1s", 0.1, "100ms", True),
        ("latency{service:payment}", "avg<1s", 0.005, "5ms", True),
        ("errors", "rate<1%", 0.05, "5%", False),
        ("errors{source:shoppers}", "count<6", 5, "5", True),
        ("errors{service:payment}", "rate<1%", 0, "0%", True),
        ("requests", "count>=100", 100, "100", True),
        ("requests", "rate>12/s", 12.5, "12.5/s", True),
        ("requests{service:payment}", "count<100", 120, "120", False),
        ("goodput{route:checkout}", "rate>12/s", 11.875, "11.9/s", False),
        ("goodput", "count>=95", 95, "95", True),
        ("retry_amplification{service:payment}", "value<1.3", 1.2, "1.2", True),
        ("retry_amplification{route:checkout}", "value<1.1", 1.2, "1.2", False),
        ("utilisation{service:payment}", "value<80%", 0.5, "50%", True),
        ("waiting_time{service:payment}", "p(99)<2ms", 0.001, "1ms", True),
        ("waiting_time", "max<1ms", 0.001, "1ms", False),
        ("wasted_work", "value<20%", 0.25, "25%", False),
    ],
)
def test_a_threshold_is_judged_by_its_figure(
    summary: Summary, metric: str, condition: str, observed: float, text: str, *, passed: bool
) -> None:
    (verdict,) = judge({metric: [condition]}, summary)

    assert verdict.observed == pytest.approx(observed, rel=0.0025)
    assert (verdict.metric, verdict.condition, verdict.passed) == (metric, condition, passed)
    if not condition.startswith(("p(", "med")):  # a quantile may be a bin's width off
        assert verdict.observed_text == text


@pytest.mark.parametrize(
    ("metric", "condition", "reason"),
    [
        ("latency", "p(99)<1s", "no requests"),
        ("errors{route:checkout}", "rate<1%", "no requests"),
        ("errors{service:payment}", "rate<1%", "no attempts"),
        ("retry_amplification{service:payment}", "value<2", "no attempts"),
        ("waiting_time{service:payment}", "avg<1s", "no attempts"),
        ("utilisation{service:payment}", "value<80%", "nothing measured"),
        ("wasted_work", "value<1%", "no work done"),
        ("latency{route:checkout,source:shoppers}", "avg<1s", "no requests"),
    ],
)
def test_where_nothing_was_measured_a_threshold_does_not_hold_and_says_why(metric: str, condition: str, reason: str) -> None:
    (verdict,) = judge({metric: [condition]}, summary_of(plan()))

    assert (verdict.observed, verdict.observed_text, verdict.passed) == (None, reason, False)


def test_there_is_a_verdict_for_each_condition_in_the_order_of_the_scenario(summary: Summary) -> None:
    verdicts = judge({"latency": ["p(99)<1s", "avg<1ms"], "errors": ["rate<1%"]}, summary)

    assert [(one.text, one.passed) for one in verdicts] == [
        ("latency p(99)<1s", True),
        ("latency avg<1ms", False),
        ("errors rate<1%", False),
    ]


def test_a_figure_of_all_services_is_weighted_by_what_they_do() -> None:
    summary = shop()
    (verdict,) = judge({"retry_amplification": ["value<2"]}, summary)

    assert verdict.observed == sum(one.attempts for one in summary.services) / sum(one.calls for one in summary.services)


def test_a_verdict_survives_json(summary: Summary) -> None:
    (verdict,) = judge({"latency": ["p(99)<1s"]}, summary)

    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


STATUSES = np.array([200] * 90 + [503] * 4 + [500] * 1 + [429] * 3 + [0] * 2)


@pytest.mark.parametrize(
    ("metric", "requests_share", "service_share"),
    [
        ("errors{%s}", 0.10, 0.07),  # refused with 4xx is a failure to who asked, and no error of the service
        ("errors{%s,status:5xx}", 0.05, 0.05),
        ("errors{%s,status:503}", 0.04, 0.04),
        ("errors{%s,status:4xx}", 0.03, 0.03),
        ("errors{%s,status:429}", 0.03, 0.03),
        ("errors{%s,status:401}", 0.0, 0.0),
        ("errors{%s,status:0}", 0.02, 0.02),
    ],
)
def test_errors_may_be_asked_for_by_status_or_by_class(metric: str, requests_share: float, service_share: float) -> None:
    starts = 3 * SECOND + np.arange(100)
    came = requests(started_ns=starts, ended_ns=starts + MS, status=STATUSES)
    tries = attempts(request_started_ns=starts, status=STATUSES)
    found = summary_of(plan(), requests=came, attempts=tries)

    for label, share in (("route:checkout", requests_share), ("service:payment", service_share)):
        rate, count = judge({metric % label: ["rate<1%", "count<1"]}, found)
        assert rate.observed == pytest.approx(share)
        assert count.observed == round(share * 100)
    (of_all,) = judge({"errors{status:5xx}": ["rate<6%"]}, found)
    assert of_all.passed


def test_statuses_survive_json() -> None:
    starts = 3 * SECOND + np.arange(100)
    found = summary_of(plan(), attempts=attempts(request_started_ns=starts, status=STATUSES))
    (again,) = type(found).from_dict(json.loads(json.dumps(found.to_dict()))).services

    assert again.failures_by_status == {"0": 2, "429": 3, "500": 1, "503": 4}
    assert again == found.services[0]


@pytest.mark.parametrize(
    ("status", "grpc_status", "is_error"),
    [
        (503, -1, True), (504, -1, True), (0, -1, True), (401, -1, False), (404, -1, False), (429, -1, False),
        (200, 14, True), (200, 4, True), (200, 16, False), (200, 7, False), (200, 8, False),
    ],
)  # fmt: skip
def test_whose_error_it_is_follows_the_server_spans_of_opentelemetry(*, status: int, grpc_status: int, is_error: bool) -> None:
    """Every row failed for its caller; in the summary, over time and in the frames the same ones are the service's."""
    row = attempts(request_started_ns=[3 * SECOND], ended_ns=3 * SECOND + MS, status=status, grpc_status=grpc_status)
    (service,) = summary_of(plan(), attempts=row).services
    over_time = ServicesOverTime(plan())
    over_time.take("attempts", row)
    per_s = over_time.table(10 * SECOND)["failures_per_s"]

    assert (service.failures, sum(service.failures_by_status.values())) == (int(is_error), 1)
    assert (per_s.sum() > 0) == is_error
    assert errors_of_service(pd.DataFrame({"status": row["status"], "grpc_status": row["grpc_status"]})).tolist() == [is_error]
