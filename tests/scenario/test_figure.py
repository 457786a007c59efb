"""Names of figures, and gates on their change."""

from __future__ import annotations

import pytest

from meshsim.errors import UnitError
from meshsim.scenario.figure import of_threshold, parse_figure, parse_gate


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("p99", "latency:p(99)"),
        ("med", "latency:med"),
        ("latency:p99.9", "latency:p(99.9)"),
        ("latency{route:checkout}:p99", "latency{route:checkout}:p(99)"),
        (" latency{ route : checkout } : p(99) ", "latency{route:checkout}:p(99)"),
        ("latency{service:payment}:avg", "latency{service:payment}:avg"),
        ("errors{route:checkout}", "errors{route:checkout}:rate"),
        ("errors:count", "errors:count"),
        ("goodput", "goodput:rate"),
        ("retry_amplification{service:payment}", "retry_amplification{service:payment}:value"),
        ("waiting_time{service:payment}:p50", "waiting_time{service:payment}:p(50)"),
    ],
)
def test_a_figure_is_a_metric_with_labels_and_what_it_is_boiled_down_to(text: str, name: str) -> None:
    assert str(parse_figure(text)) == name
    assert str(parse_figure(name)) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency", "'latency' does not say which latency; write 'latency:p99' or 'latency:avg'"),
        ("latency:p", "'latency:p' does not say which percentile; write 'latency:p99'"),
        ("latency:p101", "'p' takes a percentile from 0 to 100, such as 'p99', not 101"),
        ("errors:p99", "errors has no 'p99' (one of: count, rate)"),
        ("latncy:p99", "unknown metric 'latncy'; did you mean 'latency'?"),
        ("latency{rout:a}:p99", "latency has no label 'rout'; did you mean 'route'?"),
        (
            "latency{route:a:p99",
            "'latency{route:a:p99' is no figure; write one like 'latency{route:checkout}:p99' or 'errors:rate'",
        ),
    ],
)
def test_what_is_no_figure_is_told_with_what_would_be_one(text: str, message: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_figure(text)

    assert str(error.value) == message


def test_which_direction_is_better_depends_on_the_metric() -> None:
    better = {text: parse_figure(text).better for text in ("latency:p99", "errors", "goodput", "requests", "utilisation")}

    assert better == {"latency:p99": "lower", "errors": "lower", "goodput": "higher", "requests": "", "utilisation": ""}


def test_a_thresholds_figure_is_what_it_judges() -> None:
    assert of_threshold("latency{route:checkout}", "p(99)<800ms") == parse_figure("latency{route:checkout}:p99")


@pytest.mark.parametrize(
    ("text", "figure", "operator", "limit", "is_relative"),
    [
        ("latency{route:checkout}:p99<=+5%", "latency{route:checkout}:p(99)", "<=", 0.05, True),
        ("p99 < +20ms", "latency:p(99)", "<", 0.02, False),
        ("goodput>=-3%", "goodput:rate", ">=", -0.03, True),
        ("goodput>=-10/s", "goodput:rate", ">=", -10.0, False),
        ("errors<=+0.5pp", "errors:rate", "<=", 0.005, False),
        ("retry_amplification<=+0.1", "retry_amplification:value", "<=", 0.1, False),
        ("p99<=0%", "latency:p(99)", "<=", 0.0, True),
    ],
)
def test_a_gate_limits_the_change_of_a_figure(text: str, figure: str, operator: str, limit: float, is_relative: bool) -> None:  # noqa: FBT001
    gate = parse_gate(text)

    assert (str(gate.figure), gate.operator, gate.limit, gate.is_relative) == (figure, operator, limit, is_relative)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p99<=5%", "a gate limits the change, which has a sign: write '<=+5%' or '<=-5%'"),
        ("p99", "'p99' is no gate; write one like 'latency{route:checkout}:p99<=+5%'"),
        ("p99<=+3", "'3' is no change of latency:p(99); write '+5%' of the baseline's value, or '+20ms'"),
        ("errors<=+3ms", "'3ms' is no change of errors:rate; write '+5%' of the baseline's value, or '+0.5pp'"),
        ("p99==+5%", "'p99==+5%' is no gate; write one like 'latency{route:checkout}:p99<=+5%'"),
    ],
)
def test_what_is_no_gate_is_told_with_what_would_be_one(text: str, message: str) -> None:
    with pytest.raises(UnitError) as error:
        parse_gate(text)

    assert str(error.value) == message
