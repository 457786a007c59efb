"""Figures by consumer, and thresholds on all that there is."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import MS, SECOND, chunk, plan, requests, shop, summary_of

from meshsim.metrics.figures import NoFigure, observe
from meshsim.metrics.thresholds import judge
from meshsim.scenario.thresholds import METRICS, parse_selector

CONSUMERS = plan(sources=("app", "partner", "web"), consumers=("", "acme", "bond"), routes=("browse", "checkout"))
STARTED = np.full(6, 3 * SECOND)
CAME = requests(
    started_ns=STARTED, ended_ns=STARTED + np.array([1, 2, 3, 4, 5, 6]) * MS, source=[0, 1, 1, 2, 2, 2], route=[0, 0, 1, 0, 1, 1],
    status=[200, 200, 500, 200, 200, 503], attempts=[1, 1, 3, 1, 1, 1],
)  # fmt: skip


def test_requests_are_told_by_consumer_with_those_of_none_last() -> None:
    summary = summary_of(CONSUMERS, requests=CAME)

    assert [(one.consumer, one.requests, one.failures) for one in summary.consumers] == [
        ("acme", 2, 1), ("bond", 3, 1), ("(no consumer)", 1, 0),
    ]  # fmt: skip
    assert [(one.consumer, one.route, one.requests) for one in summary.consumer_routes] == [
        ("acme", "browse", 1), ("acme", "checkout", 1), ("bond", "browse", 1), ("bond", "checkout", 2), ("(no consumer)", "browse", 1),
    ]  # fmt: skip
    assert [one.consumer for one in summary.sources] == ["(no consumer)", "acme", "bond"]
    assert summary.consumers_frame().loc["bond", "latency_max_s"] == 0.006


def test_where_no_load_names_a_consumer_there_is_none() -> None:
    assert summary_of(plan(consumers=("",)), requests=requests(started_ns=STARTED, ended_ns=STARTED + MS)).consumers == ()


@pytest.mark.parametrize(
    ("metric", "condition", "observed"),
    [
        ("latency{consumer:acme}", "max<1s", 0.003),
        ("latency{consumer:bond,route:checkout}", "min<1s", 0.005),
        ("errors{consumer:bond}", "count<9", 1),
        ("requests{consumer:acme}", "count<9", 2),
        ("goodput{consumer:acme}", "count<9", 1),
        ("retry_amplification{consumer:acme}", "value<9", 2),
        ("dashboard_latency{consumer:bond,route:browse}", "p(50)<1s", 0.003),
    ],
)
def test_a_threshold_may_be_of_a_consumer(metric: str, condition: str, observed: float) -> None:
    (verdict,) = judge({metric: [condition]}, summary_of(CONSUMERS, requests=CAME))

    assert (verdict.observed, verdict.passed) == (pytest.approx(observed), True)


def test_a_consumer_without_a_request_has_no_figure() -> None:
    with pytest.raises(NoFigure, match="no requests"):
        observe("latency", {"consumer": "acme", "route": "checkout"}, "avg", None, summary_of(CONSUMERS))


@pytest.mark.parametrize(
    ("metric", "condition", "observed"),
    [
        ("queue{service:payment}", "avg<99", 23.4),
        ("queue{service:payment}", "max<99", 15),
        ("queue", "avg<99", 23.4),
        ("queue", "max<99", 15),
        ("replica_hours{service:cart}", "value<1", 16 / 3600),
        ("replica_hours", "value<1", 80 / 3600),
        ("proxy_cpu{service:(gateway)}", "value<9", 0.3),
        ("proxy_cpu{service:checkout-v1}", "value<9", 0.3),
        ("proxy_cpu{service:frontend}", "value<9", 3.2),
        ("proxy_cpu", "value<9", 4.4),
    ],
)
def test_queues_replicas_and_proxies_can_be_judged(metric: str, condition: str, observed: float) -> None:
    (verdict,) = judge({metric: [condition]}, shop())

    assert verdict.observed == pytest.approx(observed, rel=0.02)
    assert verdict.passed


def test_a_replica_that_is_down_costs_no_hours() -> None:
    """Of two replicas one is down at the end of two of eight measured seconds."""
    time, instance = (axis.ravel() for axis in np.meshgrid(np.arange(1, 12) * SECOND, [0, 1], indexing="ij"))
    is_up = 1 - ((instance == 1) & ((time == 4 * SECOND) | (time == 5 * SECOND)))
    rows = chunk("counters", time_ns=time, instance=instance, is_up=is_up)
    chunks = [{name: column[part] for name, column in rows.items()} for part in (slice(0, 7), slice(7, 22))]
    (payment,) = summary_of(plan(), counters=chunks).services

    assert payment.replica_hours == pytest.approx(14 / 3600)


def test_without_proxies_or_counters_there_is_no_figure() -> None:
    for metric, reason in (("proxy_cpu", "no proxies"), ("replica_hours", "nothing measured"), ("queue", "nothing measured")):
        with pytest.raises(NoFigure, match=reason):
            observe(metric, {}, "value", None, summary_of(plan(gateway=False)))


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_of_the_grammar_has_a_figure_or_a_reason_for_each_label_and_aggregation(metric: str) -> None:
    summary = shop()
    names = {"route": "checkout", "source": "partner", "consumer": "acme", "service": "payment"}
    for labels in ({}, *({label: names[label]} for label in METRICS[metric].labels if label in names)):
        for aggregation in METRICS[metric].aggregations:
            try:
                value = observe(metric, labels, aggregation, 90.0 if aggregation == "p" else None, summary)
            except NoFigure as reason:
                assert str(reason) in {
                    "no requests",
                    "no fault",
                    "no prices",
                    "no limit of the CPU",
                    "no cache",
                    "no connection pool",
                    "no message queue",
                }
            else:
                assert value >= 0
        assert parse_selector(metric).metric == metric
