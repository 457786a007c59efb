"""One figure by name, and a gate on its change: `latency{route:checkout}:p99`, `latency{route:checkout}:p99<=+5%`.

A figure is what a threshold judges without the limit: a metric with its labels, and what it is boiled down to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from meshsim.errors import UnitError, did_you_mean
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.thresholds import METRICS, parse_condition, parse_selector
from meshsim.units import NS_PER_S, parse_duration, parse_rate

if TYPE_CHECKING:
    from meshsim.scenario.thresholds import Quantity, Selector

Better: TypeAlias = Literal["lower", "higher", ""]

_FIGURE = re.compile(r"\s*([^\s:{}]+\s*(?:\{[^{}]*\})?)\s*(?::\s*(\S+))?\s*")
_PERCENTILE = re.compile(r"p\(?\s*(\d{1,3}(?:\.\d{1,12})?)\s*\)?", re.ASCII)
_GATE = re.compile(r"(.*?)\s*(<=|>=|<|>)\s*([+-]?)\s*(\d.*?)\s*")
_HIGHER_IS_BETTER = frozenset({"goodput"})
_NEITHER_IS_BETTER = frozenset({"requests", "utilisation"})
_USUAL = ("value", "rate", "avg", "per_hour")
"""What a metric is boiled down to where nothing is said, the first that it has; not so a latency."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run."""

    selector: Selector
    aggregation: str
    argument: float | None
    """Percentile of `p`, 0 to 100; else None."""
    quantity: Quantity

    def __str__(self) -> str:
        aggregation = f"p({self.argument:g})" if self.argument is not None else self.aggregation
        return f"{self.selector}:{aggregation}"

    @property
    def better(self) -> Better:
        """Which direction is the better one; empty where that depends on what one wants."""
        if self.selector.metric in _NEITHER_IS_BETTER:
            return ""
        return "higher" if self.selector.metric in _HIGHER_IS_BETTER else "lower"

    @property
    def is_quantile(self) -> bool:
        """Whether it is a quantile of times."""
        return self.aggregation in {"p", "med"}


@dataclass(frozen=True, slots=True)
class Gate:
    """How much a figure may change: `latency{route:checkout}:p99<=+5%`."""

    figure: Figure
    operator: str
    """`<=`, `<`, `>=` or `>`."""
    limit: float
    """Of the change against the baseline: a share where `is_relative`, else in the unit of the summary (s, share, per s)."""
    is_relative: bool
    text: str
    """As it was written."""


def parse_figure(text: str) -> Figure:
    """A figure by name.

    Args:
        text: `latency{route:checkout}:p99`; `errors{route:checkout}`, which is its `rate`; `p99`, which is that of all requests.

    Raises:
        UnitError: There is no such figure; the message says what to write.
    """
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise UnitError(f"{shown(text)} is no figure; write one like 'latency{{route:checkout}}:p99' or 'errors:rate'")
    head, aggregation = match.groups()
    if aggregation is None and (_PERCENTILE.fullmatch(head) or head in METRICS["latency"].aggregations):
        head, aggregation = "latency", head
    selector = parse_selector(head)
    known = METRICS[selector.metric].aggregations
    if aggregation is None:
        usual = next((one for one in _USUAL if one in known), None)
        if usual is None or selector.metric == "latency":
            raise UnitError(f"{shown(text)} does not say which latency; write '{selector}:p99' or '{selector}:avg'")
        return Figure(selector, usual, None, known[usual])
    if "p" in known and (percentile := _PERCENTILE.fullmatch(aggregation)):
        if float(percentile.group(1)) > 100:
            raise UnitError(f"'p' takes a percentile from 0 to 100, such as 'p99', not {percentile.group(1)}")
        return Figure(selector, "p", float(percentile.group(1)), known["p"])
    if aggregation == "p" and "p" in known:
        raise UnitError(f"{shown(text)} does not say which percentile; write '{selector}:p99'")
    if aggregation not in known:
        raise UnitError(f"{selector.metric} has no {shown(aggregation)}{did_you_mean(aggregation, known)}")
    return Figure(selector, aggregation, None, known[aggregation])


def of_threshold(metric: str, condition: str) -> Figure:
    """The figure that a threshold judges.

    Raises:
        UnitError: The threshold is not written well.
    """
    selector = parse_selector(metric)
    parsed = parse_condition(condition, selector.metric)
    return Figure(selector, parsed.aggregation, parsed.argument, parsed.quantity)


def parse_gate(text: str) -> Gate:
    """A gate.

    Args:
        text: A figure, a comparison, and how much it may change: `+5%` of the baseline's value, or `+20ms`, `-10/s`, `+0.5pp`
            (percentage points), `+0.1` in the figure's own unit.

    Raises:
        UnitError: It is not written so.
    """
    match = _GATE.fullmatch(text)
    if match is None:
        raise UnitError(f"{shown(text)} is no gate; write one like 'latency{{route:checkout}}:p99<=+5%'")
    figure_text, operator, sign, limit_text = match.groups()
    figure = parse_figure(figure_text)
    if not sign and not re.fullmatch(r"0+(\.0+)?\D*", limit_text):
        raise UnitError(
            f"a gate limits the change, which has a sign: write '{operator}+{limit_text}' or '{operator}-{limit_text}'"
        )
    limit, is_relative = _limit(limit_text, figure)
    return Gate(figure, operator, -limit if sign == "-" else limit, is_relative, text.strip())


def _limit(text: str, figure: Figure) -> tuple[float, bool]:
    """A limit without its sign, and whether it is a share of the baseline's value."""
    if relative := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text, re.ASCII):
        return float(relative.group(1)) / 100, True
    example = {"duration": "+20ms", "rate": "+10/s", "share": "+0.5pp", "number": "+0.1"}[figure.quantity]
    try:
        match figure.quantity:
            case "duration":
                return parse_duration(text) / NS_PER_S, False
            case "rate":
                return parse_rate(text), False
            case "share" if points := re.fullmatch(r"(\d+(?:\.\d+)?)\s*pp", text, re.ASCII):
                return float(points.group(1)) / 100, False
            case "number" if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
                return float(text), False
    except UnitError:
        pass
    raise UnitError(f"{shown(text)} is no change of {figure}; write '+5%' of the baseline's value, or '{example}'")
