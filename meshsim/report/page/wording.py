"""What the report says of figures, differences and intervals."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from meshsim.report.charts.quantities import change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.experiments.comparison import Comparison

NOTHING = "\N{EN DASH}"
NOISE = "cannot be told from noise"
_SELECTOR = re.compile(r"(?P<metric>\w+)(?:\{(?P<labels>[^}]*)\})?(?::(?P<aggregation>.*))?")
_PERCENTILE = re.compile(r"p\(?(\d+(?:\.\d+)?)\)?")
_METRICS = {
    "latency": "latency",
    "errors": "share of failed requests",
    "requests": "requests",
    "goodput": "goodput",
    "throughput": "throughput",
    "retry_amplification": "attempts for each call",
    "utilisation": "utilisation",
    "waiting_time": "waiting time",
    "wasted_work": "wasted share of the computing",
    "recovery_time": "recovery time after a fault",
    "requests_lost": "requests lost by faults",
    "outlived": "faults that their effect outlived",
    "proxy_cpu": "cores that proxies keep busy",
    "replica_hours": "hours that replicas are up",
    "dashboard_latency": "latency as a dashboard would show it",
    "queue": "requests that wait",
    "cost": "cost",
    "cross_zone": "GiB that cross zones",
    "throttled": "throttled share of the periods of the CPU limit",
    "pool_wait": "wait for a connection of a pool",
}


_AGGREGATIONS = {
    "avg": "mean",
    "med": "median",
    "count": "count",
    "rate": "per second",
    "per_hour": "per hour",
    "per_million": "per million requests answered well",
}


class Judgement(NamedTuple):
    """What a paired difference says, never by colour alone."""

    kind: str
    """`better`, `worse`, `different`, `noise`, `baseline` or `unknown`: the name of its style."""
    sign: str
    word: str


_BASELINE = Judgement("baseline", "", "baseline")
_SAME = Judgement("noise", "=", "no difference")
_UNKNOWN = Judgement("unknown", "?", "no interval, so nothing can be said")


def judgement(row: Mapping[str, object]) -> Judgement:
    """What a row of the frame `figures` says of its difference to the baseline."""
    difference, low = _number(row["difference"]), _number(row["difference_low"])
    if math.isnan(difference):
        return _BASELINE if not math.isnan(_number(row["value"])) else _UNKNOWN
    if math.isnan(low) or math.isnan(_number(row["difference_high"])):
        return _UNKNOWN
    if difference == low == _number(row["difference_high"]) == 0:
        return _SAME
    if not row["is_distinct"]:
        return Judgement("noise", "≈", NOISE)
    better = row["better"]
    if better not in {"lower", "higher"}:
        return Judgement("different", "≠", "different")
    is_better = (difference < 0) == (better == "lower")
    return Judgement("better", "✓", "better") if is_better else Judgement("worse", "✗", "worse")


def relative(number: object) -> str:
    """`+12.3%`; empty where it has no meaning, as relative to nothing."""
    size = _number(number)
    return "" if math.isnan(size) or math.isinf(size) else change(size)


def confidence(comparison: Comparison) -> str:
    """`95 %`."""
    return f"{comparison.confidence * 100:g}\N{NO-BREAK SPACE}%"


def figure_words(figure: str) -> str:
    """A figure's name in words: `latency{route:checkout}:p(99)` is `latency p99, route checkout`."""
    found = _SELECTOR.fullmatch(figure)
    if found is None:
        return figure
    metric = _METRICS.get(found["metric"], found["metric"].replace("_", " "))
    if found["aggregation"] and (aggregation := _aggregation(found["metric"], found["aggregation"])):
        metric = f"{metric}, {aggregation}" if " " in metric else f"{metric} {aggregation}"
    labels = [part.replace(":", " ", 1) for part in (found["labels"] or "").split(",") if part]
    return ", ".join([metric[:1].upper() + metric[1:], *labels])


def threshold_words(metric: str, condition: str) -> str:
    """A threshold in words: `latency p99, route checkout, below 800ms`."""
    for sign, word in (("<=", "at most"), (">=", "at least"), ("==", "exactly"), ("!=", "not"), ("<", "below"), (">", "above")):
        aggregation, found, limit = condition.partition(sign)
        if found:
            return f"{figure_words(f'{metric}:{aggregation.strip()}')}: {word} {limit.strip()}"
    return f"{figure_words(metric)}: {condition}"


def plural(number: int, thing: str) -> str:
    """`1 replication`, `10 replications`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _aggregation(metric: str, text: str) -> str:
    if percentile := _PERCENTILE.fullmatch(text):
        return f"p{percentile[1]}"
    if text in {"rate", "value"} and metric != "requests":
        return ""
    return _AGGREGATIONS.get(text, text)


def _number(number: object) -> float:
    return math.nan if number is None else float(number)  # type: ignore[arg-type]
