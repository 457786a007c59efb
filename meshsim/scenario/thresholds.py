"""The grammar of `thresholds:`, as in k6: what is measured, of whom, and what must hold.

`"latency{route:checkout}": ["p(99)<800ms", "avg<=200ms"]` is a `Selector` and two `Condition`s; `meshsim.metrics` judges them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from meshsim.errors import UnitError, did_you_mean
from meshsim.scenario.files.nodes import shown
from meshsim.units import parse_duration, parse_rate, parse_share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Quantity: TypeAlias = Literal["duration", "share", "rate", "number"]
"""What a figure is: nanoseconds, 0 to 1, per second, or a bare number."""
GATEWAY = "(gateway)"
"""Stands in place of a service's name for the gateway itself, where a metric is of proxies."""
_REQUESTS = ("route", "source", "consumer")
_TIMES: dict[str, Quantity] = dict.fromkeys(("avg", "min", "med", "max", "p"), "duration")
_PARSERS: dict[str, Callable[[object], float]] = {"duration": parse_duration, "rate": parse_rate, "share": parse_share}


SLOW_TIME = "slow_time"
POOL_WAIT = "pool_wait"
CACHE_HIT_RATIO = "cache_hit_ratio"
COST = "cost"
COST_ITEMS = ("replicas", "gateway", "proxies", "proxy_cpu", "cross_zone", "requests")
"""What there may be a price of."""
STATUS = "status"
_STATUS = re.compile(r"0|[1-5]\d\d|[1-5]xx", re.ASCII)


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that can be judged."""

    doc: str
    labels: tuple[str, ...]
    aggregations: Mapping[str, Quantity]
    """What it can be boiled down to, and what that is."""


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "latency": Metric("what the caller saw, failures included", (*_REQUESTS, "service"), _TIMES),
        "dashboard_latency": Metric(
            "the same as Prometheus would show it: `histogram_quantile` over Istio's buckets",
            (*_REQUESTS, "service"),
            {"med": "duration", "p": "duration"},
        ),
        "errors": Metric(
            "requests that failed; of a service: attempts that it failed, without those refused with 4xx. With `status` (`503`, `5xx`, `4xx`; "
            "`0` where the caller gave up): those that ended with it",
            (*_REQUESTS, "service", STATUS),
            {"rate": "share", "count": "number"},
        ),
        "requests": Metric("requests made", (*_REQUESTS, "service"), {"rate": "rate", "count": "number"}),
        "goodput": Metric("requests answered well", _REQUESTS, {"rate": "rate", "count": "number"}),
        "retry_amplification": Metric("attempts for each request", (*_REQUESTS, "service"), {"value": "number"}),
        "recovery_time": Metric(
            "after the end of a fault, until as many requests are answered well and as fast as before; the longest of all faults",
            ("route",),
            {"value": "duration"},
        ),
        "requests_lost": Metric(
            "requests that failed from the begin of a fault until it was as before; of all faults together",
            ("route",),
            {"value": "number"},
        ),
        "outlived": Metric(
            "how many faults were followed by a bad state that outlived them (metastable): never as before, for at least as long as they lasted",
            ("route",),
            {"value": "number"},
        ),
        "utilisation": Metric(
            "share of the workers that are held; of the CPU that is used where there are none", ("service",), {"value": "share"}
        ),
        "waiting_time": Metric("time in the queue", ("service",), _TIMES),
        "queue": Metric(
            "requests that wait: mean over all replicas, longest queue of one", ("service",), {"avg": "number", "max": "number"}
        ),
        "wasted_work": Metric("share of the computing that nobody waited for", ("service",), {"value": "share"}),
        "replica_hours": Metric("time that replicas are up, in hours", ("service",), {"value": "number"}),
        "proxy_cpu": Metric(
            f"cores that the proxies keep busy: a service's sidecars, `service:{GATEWAY}`, or all",
            ("service",),
            {"value": "number"},
        ),
        SLOW_TIME: Metric(
            "what the slowest 1 % of the requests spend their time on: mean of each, share of their latency",
            ("stage", "service", "route"),
            {"avg": "duration", "share": "share"},
        ),
        COST: Metric(
            "what the prices of `cost` add up to: per hour, or per million requests answered well. With `item` one of "
            f"{', '.join(f'`{one}`' for one in COST_ITEMS)}",
            ("item",),
            {"per_hour": "number", "per_million": "number"},
        ),
        "throttled": Metric(
            "share of the periods of a CPU limit in which a service stood still; of several the most",
            ("service",),
            {"value": "share"},
        ),
        POOL_WAIT: Metric(
            "mean wait for a connection of a service's pools; of several the longest", ("service", "pool"), {"avg": "duration"}
        ),
        "lag": Metric(
            "messages in a queue: those that wait, are worked on, or stay away after a failure; of several queues `avg` is that of all together",
            ("queue",),
            {"avg": "number", "max": "number"},
        ),
        "oldest_message": Metric(
            "age of the oldest message in a queue; of several the greatest", ("queue",), {"max": "duration"}
        ),
        "message_time": Metric(
            "from a message's reaching a queue until it was consumed; of several queues the longest. Of `p` 50, 75, 90, 95, 99 and 99.9",
            ("queue",),
            {"avg": "duration", "med": "duration", "max": "duration", "p": "duration"},
        ),
        "lost_messages": Metric(
            "messages that a queue dropped, rejected, or gave up without a `dead_letter`", ("queue",), {"count": "number"}
        ),
        "dead_letters": Metric("messages that went to a `dead_letter` queue", ("queue",), {"count": "number"}),
        CACHE_HIT_RATIO: Metric(
            "share of the look-ups of a service's caches that are answered from them; of several the lowest",
            ("service", "cache"),
            {"value": "share"},
        ),
        "cross_zone": Metric("GiB between zones, per hour", (), {"per_hour": "number"}),
    }
)
"""Without a label the figure is of all requests, or of all services together."""

OPERATORS = ("<=", ">=", "==", "!=", "<", ">")
_SELECTOR = re.compile(r"\s*([^\s{}]*)\s*(?:\{([^{}]*)\})?\s*")
_CONDITION = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\(\s*([^()]*?)\s*\))?\s*(<=|>=|===?|!==?|<|>)\s*(\S.*?)\s*", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selector:
    """What is measured, and of whom: `latency{route:checkout}`."""

    metric: str
    """Key of `METRICS`."""
    labels: Mapping[str, str]
    """Name by label; empty for all."""

    def __str__(self) -> str:
        inside = ",".join(f"{label}:{name}" for label, name in self.labels.items())
        return f"{self.metric}{{{inside}}}" if inside else self.metric


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold: `p(99)<800ms`."""

    aggregation: str
    argument: float | None
    """Percentile of `p`, 0 to 100; else None."""
    operator: str
    """One of `OPERATORS`."""
    limit: float
    """In the unit of `quantity`."""
    quantity: Quantity
    text: str
    """As it was written."""


def parse_selector(text: str) -> Selector:
    """A key of `thresholds:`.

    Raises:
        UnitError: No such metric, or a label that it does not have.
    """
    match = _SELECTOR.fullmatch(text)
    if match is None or not match.group(1):
        raise UnitError(f"{shown(text)} is no metric; write 'latency' or 'latency{{route:checkout}}'")
    name, inside = match.groups()
    metric = METRICS.get(name)
    if metric is None:
        raise UnitError(f"unknown metric {shown(name)}{did_you_mean(name, METRICS)}")
    labels = _labels(name, metric, inside or "")
    if STATUS in labels and not _STATUS.fullmatch(labels[STATUS]):
        raise UnitError(f"{shown(labels[STATUS])} is no status; write '503', '5xx', or '0' where the caller gave up")
    if "service" in labels and len(labels.keys() - {STATUS}) > 1 and name not in {SLOW_TIME, POOL_WAIT, CACHE_HIT_RATIO}:
        raise UnitError("a service's figures are not known by route, source or consumer; write {service:...} alone")
    if "source" in labels and "consumer" in labels:
        raise UnitError("a load is of one consumer; write {source:...} or {consumer:...}")
    return Selector(name, MappingProxyType(labels))


def _labels(name: str, metric: Metric, inside: str) -> dict[str, str]:
    """What stands in the brackets after a metric."""
    labels: dict[str, str] = {}
    for part in inside.split(",") if inside.strip() else ():
        if not metric.labels:
            raise UnitError(f"{name} has no labels; write '{name}' alone")
        label, colon, value = (one.strip() for one in part.partition(":"))
        if not colon or not label or not value:
            raise UnitError(f"{shown(part.strip())} is no label; write '{name}{{{metric.labels[0]}:...}}'")
        if label not in metric.labels:
            raise UnitError(f"{name} has no label {shown(label)}{did_you_mean(label, metric.labels)}")
        if label in labels:
            raise UnitError(f"the label '{label}' is here twice")
        labels[label] = value
    return labels


def parse_condition(text: str, metric: str) -> Condition:
    """One condition on a metric.

    Args:
        text: Such as `p(99)<800ms`.
        metric: Key of `METRICS`.

    Raises:
        UnitError: It is not written so, or the metric has no such aggregation.
    """
    known = METRICS[metric].aggregations
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UnitError(f"{shown(text)} is no condition; write one like '{_example(metric)}'")
    aggregation, argument, operator, limit = match.groups()
    if aggregation not in known:
        if percentile := re.fullmatch(r"p(\d{1,2}(?:\.\d+)?)", aggregation):
            raise UnitError(f"{shown(aggregation)} is not k6's notation; write 'p({percentile.group(1)})'")
        raise UnitError(f"{metric} has no {shown(aggregation)}{did_you_mean(aggregation, known)}")
    if aggregation != "p" and argument is not None:
        raise UnitError(f"'{aggregation}' takes nothing in parentheses")
    return Condition(
        aggregation,
        _percentile(argument) if aggregation == "p" else None,
        {"===": "==", "!==": "!="}.get(operator, operator),
        _limit(limit, known[aggregation]),
        known[aggregation],
        text.strip(),
    )


def _percentile(argument: str | None) -> float:
    if not argument or not _NUMBER.fullmatch(argument) or float(argument) > 100:
        raise UnitError(f"'p' takes a percentile from 0 to 100, such as 'p(99)', not {shown(argument or None)}")
    return float(argument)


def _limit(text: str, quantity: Quantity) -> float:
    if quantity == "number":
        if not _NUMBER.fullmatch(text):
            raise UnitError(f"{shown(text)} is not a number")
        return float(text)
    if _NUMBER.fullmatch(text) and float(text):  # so that the message says which unit to write
        return float(_PARSERS[quantity](float(text) if "." in text else int(text)))
    return float(_PARSERS[quantity](text))


def _example(metric: str) -> str:
    aggregation, quantity = list(METRICS[metric].aggregations.items())[-1]
    limits = {"duration": "800ms", "share": "1%", "rate": "100/s", "number": "1.3"}
    return f"{aggregation}(99)<800ms" if aggregation == "p" else f"{aggregation}<{limits[quantity]}"
