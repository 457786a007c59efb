"""The judgement of a scenario's thresholds against a summary, in k6's words.

| metric                | of                | what is compared                                                        |
|-----------------------|-------------------|-------------------------------------------------------------------------|
| `latency`             | requests; service | as the caller saw it, failures included                                 |
| `dashboard_latency`   | requests; service | the same, as Prometheus would show it from Istio's histogram            |
| `errors`              | requests; service | failed requests; of a service: attempts that it failed, 4xx left out;   |
|                       | with `status`     | with `status`: those that ended with it, or with its class (`5xx`)      |
| `requests`            | requests; service | started in the measured window; of a service: attempts                  |
| `goodput`             | requests          | ended well in each second of the measured window                        |
| `retry_amplification` | requests; service | attempts for each call of a service; for each request of a route        |
| `recovery_time`       | route             | after the end of a fault until it is as before; `never` crosses         |
| `requests_lost`       | route             | requests that failed from a fault's begin until it was as before        |
| `outlived`            | route             | faults followed by a bad state that outlived them                       |
| `utilisation`         | service           | share of its workers that are held                                      |
| `waiting_time`        | service           | in the queue                                                            |
| `queue`               | service           | requests that wait: mean over all replicas, longest queue of one        |
| `wasted_work`         | service           | share of the computing that nobody waited for                           |
| `replica_hours`       | service           | time that its replicas are up                                           |
| `proxy_cpu`           | service           | cores that its sidecars keep busy; those of the gateway: `(gateway)`    |
| `throttled`           | service           | share of the periods of its CPU limit in which it stood still           |
| `pool_wait`           | service; pool     | mean wait for a connection of its pools                                 |
| `lag`                 | queue             | messages in a message queue: mean, most at the end of an interval       |
| `oldest_message`      | queue             | greatest age of the oldest message                                      |
| `message_time`        | queue             | from a message's reaching the queue until it was consumed               |
| `lost_messages`       | queue             | dropped, rejected, expired or discarded                                 |
| `dead_letters`        | queue             | gone to a `dead_letter` queue                                           |
| `cache_hit_ratio`     | service; cache    | share of the look-ups of its caches that are answered from them         |
| `cost`, `cross_zone`  | item              | what prices add up to; GiB between zones                                |
| `slow_time`           | stage; service;   | what the slowest 1 % of the requests spend on it: mean of each, share   |
|                       | route             | of their latency                                                        |

"Requests" are those of a route, a source, a consumer, or a route and one of the others. Without a label a figure is of all requests;
`retry_amplification`, and all from `utilisation` on, are of all services then, `proxy_cpu` of all proxies.
"""

from __future__ import annotations

import operator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from meshsim.metrics.figures import NoFigure, observe
from meshsim.scenario.thresholds import parse_condition, parse_selector
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.metrics.summary import Summary
    from meshsim.scenario.thresholds import Quantity

COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One threshold, and whether it holds."""

    metric: str
    """With its labels, as in the scenario: `latency{route:checkout}`."""
    condition: str
    """As in the scenario: `p(99)<800ms`."""
    observed: float | None
    """In the unit of the summary: seconds, share, count, per second; None where there was nothing to measure."""
    observed_text: str
    """For people: `412ms`, `1.3 %`, `no requests`."""
    passed: bool
    """False too where there was nothing to measure."""

    @property
    def text(self) -> str:
        """The threshold on one line."""
        return f"{self.metric} {self.condition}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        return cls(**content)


def judge(thresholds: Mapping[str, Sequence[str]], summary: Summary) -> list[Verdict]:
    """A verdict for each condition of each threshold, in the order of the scenario.

    Args:
        thresholds: Conditions by metric, both as text, as a scenario has them.
        summary: Of the run.
    """
    return [_judge(metric, condition, summary) for metric, conditions in thresholds.items() for condition in conditions]


def _judge(metric: str, text: str, summary: Summary) -> Verdict:
    selector = parse_selector(metric)
    condition = parse_condition(text, selector.metric)
    try:
        value = observe(selector.metric, dict(selector.labels), condition.aggregation, condition.argument, summary)
    except NoFigure as reason:
        return Verdict(str(selector), condition.text, None, str(reason), passed=False)
    limit = condition.limit / NS_PER_S if condition.quantity == "duration" else condition.limit
    passed = COMPARISONS[condition.operator](value, limit)
    return Verdict(str(selector), condition.text, value, figure_text(condition.quantity, value), passed)


def figure_text(quantity: Quantity, value: float) -> str:
    """An observed figure for people, in the unit that its condition is written in."""
    match quantity:
        case "duration":
            return format_duration(value * NS_PER_S)
        case "share":
            return f"{value * 100:.3g}%"
        case "rate":
            return f"{value:,.1f}/s"
        case "number":
            return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
