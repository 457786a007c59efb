"""The grammar of thresholds."""

from __future__ import annotations

import pytest

from meshsim.errors import UnitError
from meshsim.scenario.thresholds import METRICS, parse_condition, parse_selector


@pytest.mark.parametrize(
    ("text", "metric", "labels"),
    [
        ("latency", "latency", {}),
        ("latency{route:checkout}", "latency", {"route": "checkout"}),
        ("errors{ route: a , source:b }", "errors", {"route": "a", "source": "b"}),
        ("requests{}", "requests", {}),
        ("latency{consumer:acme,route:a}", "latency", {"consumer": "acme", "route": "a"}),
        ("proxy_cpu{service:(gateway)}", "proxy_cpu", {"service": "(gateway)"}),
        ("recovery_time{route:a}", "recovery_time", {"route": "a"}),
        ("errors{status:5xx}", "errors", {"status": "5xx"}),
        ("errors{service:a,status:429}", "errors", {"service": "a", "status": "429"}),
        ("errors{route:a,consumer:b,status:0}", "errors", {"route": "a", "consumer": "b", "status": "0"}),
    ],
)
def test_a_selector_is_a_metric_with_labels(text: str, metric: str, labels: dict[str, str]) -> None:
    selector = parse_selector(text)

    assert (selector.metric, dict(selector.labels)) == (metric, labels)
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("metric", "text", "expected"),
    [
        ("latency", "p(99)<800ms", ("p", 99.0, "<", 8e8, "duration")),
        ("latency", " p( 99.9 ) <= 1m30s ", ("p", 99.9, "<=", 9e10, "duration")),
        ("latency", "avg>0", ("avg", None, ">", 0.0, "duration")),
        ("errors", "rate<1%", ("rate", None, "<", 0.01, "share")),
        ("errors", "count===0", ("count", None, "==", 0.0, "number")),
        ("goodput", "rate>=1.5k/s", ("rate", None, ">=", 1500.0, "rate")),
        ("retry_amplification", "value<1.3", ("value", None, "<", 1.3, "number")),
        ("utilisation", "value<80%", ("value", None, "<", 0.8, "share")),
        ("dashboard_latency", "p(90)<1s", ("p", 90.0, "<", 1e9, "duration")),
        ("recovery_time", "value<=30s", ("value", None, "<=", 3e10, "duration")),
        ("queue", "avg<2.5", ("avg", None, "<", 2.5, "number")),
        ("queue", "max<100", ("max", None, "<", 100.0, "number")),
        ("replica_hours", "value<4", ("value", None, "<", 4.0, "number")),
        ("throttled", "value<10%", ("value", None, "<", 0.1, "share")),
        ("pool_wait", "avg<5ms", ("avg", None, "<", 5e6, "duration")),
        ("proxy_cpu", "value<1.5", ("value", None, "<", 1.5, "number")),
    ],
)
def test_a_condition_is_read_in_the_unit_of_its_metric(metric: str, text: str, expected: tuple[object, ...]) -> None:
    made = parse_condition(text, metric)

    assert (made.aggregation, made.argument, made.operator, made.limit, made.quantity) == expected
    assert made.text == text.strip()


@pytest.mark.parametrize(
    ("metric", "text", "message"),
    [
        ("latency", "p(99)", "'p(99)' is no condition; write one like 'p(99)<800ms'"),
        ("latency", "p99<8ms", "'p99' is not k6's notation; write 'p(99)'"),
        ("latency", "p(101)<8ms", "'p' takes a percentile from 0 to 100, such as 'p(99)', not '101'"),
        ("latency", "p<8ms", "'p' takes a percentile from 0 to 100, such as 'p(99)', not nothing"),
        ("latency", "avg(3)<8ms", "'avg' takes nothing in parentheses"),
        ("latency", "mean<8ms", "latency has no 'mean' (one of: avg, max, med, min, p)"),
        ("latency", "avg<800", "800 has no unit; write '800ms' or '800s'"),
        ("dashboard_latency", "avg<8ms", "dashboard_latency has no 'avg' (one of: med, p)"),
        ("errors", "rate<0.01", "0.01 has no unit; write '1%'"),
        ("retry_amplification", "value<1.3x", "'1.3x' is not a number"),
    ],
)
def test_what_is_no_condition_is_told(metric: str, text: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_condition(text, metric)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no metric; write 'latency' or 'latency{route:checkout}'"),
        ("latncy", "unknown metric 'latncy'; did you mean 'latency'?"),
        ("latency{route}", "'route' is no label; write 'latency{route:...}'"),
        ("errors{status:5x}", "'5x' is no status; write '503', '5xx', or '0' where the caller gave up"),
        ("errors{status:600}", "'600' is no status; write '503', '5xx', or '0' where the caller gave up"),
        ("latency{status:503}", "latency has no label 'status' (one of: consumer, route, service, source)"),
        ("utilisation{route:a}", "utilisation has no label 'route' (one of: service)"),
        ("recovery_time{service:a}", "recovery_time has no label 'service' (one of: route)"),
        ("cost{service:a}", "cost has no label 'service' (one of: item)"),
        ("cross_zone{item:a}", "cross_zone has no labels; write 'cross_zone' alone"),
        ("latency{source:a,consumer:b}", "a load is of one consumer; write {source:...} or {consumer:...}"),
        ("latency{route:a,route:b}", "the label 'route' is here twice"),
        (
            "latency{route:a,service:b}",
            "a service's figures are not known by route, source or consumer; write {service:...} alone",
        ),
    ],
)
def test_what_is_no_selector_is_told(text: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_selector(text)

    assert str(caught.value) == message


def test_every_metric_says_what_it_is() -> None:
    assert all(metric.doc and metric.aggregations for metric in METRICS.values())
