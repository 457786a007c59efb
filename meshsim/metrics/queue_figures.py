"""Figures of message queues by the words of a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.metrics.no_figure import NoFigure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshsim.metrics.policies.queue_summary import QueueSummary
    from meshsim.metrics.summary import Summary

FIELDS = {
    "avg": "time_mean_s", "med": "time_p50_s", "max": "time_max_s", "p50": "time_p50_s", "p75": "time_p75_s", "p90": "time_p90_s",
    "p95": "time_p95_s", "p99": "time_p99_s", "p99.9": "time_p999_s", "p100": "time_max_s",
}  # fmt: skip
"""What a summary keeps of the times of messages."""


def _of(summary: Summary, labels: Mapping[str, str]) -> list[QueueSummary]:
    found = [one for one in summary.message_queues if labels.get("queue") in {None, one.queue}]
    if not found:
        raise NoFigure("no message queue")
    return found


def _lag(summary: Summary, labels: Mapping[str, str], aggregation: str) -> float:
    found = _of(summary, labels)
    return sum(one.lag_mean for one in found) if aggregation == "avg" else max(one.lag_peak for one in found)


def _message_time(summary: Summary, labels: Mapping[str, str], aggregation: str) -> float:
    if aggregation not in FIELDS:
        raise NoFigure("of messages only p(50), p(75), p(90), p(95), p(99) and p(99.9) are kept")
    times = [time for one in _of(summary, labels) if (time := getattr(one, FIELDS[aggregation])) is not None]
    if not times:
        raise NoFigure("no message consumed")
    return float(max(times))


QUEUE_METRICS: dict[str, Callable[[Summary, Mapping[str, str], str], float]] = {
    "lag": _lag,
    "oldest_message": lambda summary, labels, _: max(one.oldest_peak_s for one in _of(summary, labels)),
    "message_time": _message_time,
    "lost_messages": lambda summary, labels, _: sum(one.lost for one in _of(summary, labels)),
    "dead_letters": lambda summary, labels, _: sum(one.dead_lettered for one in _of(summary, labels)),
}
"""Of one queue or, without a label, of all together; aggregations as in a threshold, with `p99` for `p(99)`."""
