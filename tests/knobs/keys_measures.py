"""Figures of a result by which a key shows that it does something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim import Result
    from meshsim.metrics.summary import ServiceSummary


def latency(result: Result) -> float:
    """Mean latency that the clients saw, in s."""
    return result.summary().total.latency.mean_s or 0.0


def longest(result: Result) -> float:
    """Longest latency that a client saw, in s."""
    return result.summary().total.latency.max_s or 0.0


def shortest(result: Result) -> float:
    """Shortest latency that a client saw, in s."""
    return result.summary().total.latency.min_s or 0.0


def asked(result: Result) -> int:
    """Requests of the clients."""
    return result.summary().total.requests


def failures(result: Result) -> int:
    """Requests of the clients that failed."""
    return result.summary().total.failures


def tries(result: Result) -> float:
    """Attempts at the entry service for each request."""
    return result.summary().total.attempts_per_request or 0.0


def first_start(result: Result) -> int:
    """When the first request began, in ns."""
    return int(result.requests["started_ns"].min())


def last_start(result: Result) -> int:
    """When the last request began, in ns."""
    return int(result.requests["started_ns"].max())


def mean_start(result: Result) -> float:
    """When requests began in the mean, in ns."""
    return float(result.requests["started_ns"].mean())


def uneven_gaps(result: Result) -> float:
    """Standard deviation of the time between two requests, in ns."""
    return float(result.requests["started_ns"].sort_values().diff().std())


def flagged(flag: str) -> Callable[[Result], int]:
    """How many client requests failed with a flag, wherever it began."""
    return lambda result: sum(
        cause.count
        for cause in result.summary().total.causes
        if flag in (*cause.flags.split(","), *cause.origin_flags.split(","))
    )


def tries_flagged(flag: str, service: str = "back") -> Callable[[Result], int]:
    """How many attempts at a service failed with a flag."""
    return lambda result: sum(count for flags, count in at(result, service).failures_by_flag.items() if flag in flags.split(","))


def at(result: Result, service: str = "back") -> ServiceSummary:
    """The figures of a service."""
    return next(one for one in result.summary().services if one.name == service)


def of_service(figure: str, service: str = "back") -> Callable[[Result], float]:
    """A figure of a service's summary."""
    return lambda result: getattr(at(result, service), figure) or 0


def waiting(result: Result) -> float:
    """Mean wait in the queue of the back, in s."""
    return at(result).waiting_time.mean_s or 0.0


def counted(name: str, service: str = "back", caller: str | None = None) -> Callable[[Result], int]:
    """How often callers of a service did something, over the whole run."""
    assert name in ACTIVITY, name
    return lambda result: sum(
        one.counts.get(name, 0)
        for one in result.summary().destinations
        if one.service == service and caller in (None, one.caller)
    )


def spread(result: Result) -> float:
    """Attempts at the busiest instance of the back, over all its callers, as a multiple of the mean."""
    used = sent_to(result)["instance"].value_counts()
    return float(used.max() / used.sum())


def sent_to(result: Result, service: str = "back") -> Any:
    """Rows of the attempts that were sent to an instance of a service."""
    rows = result.attempts
    return rows[(rows["service"] == service) & (rows["instance"] >= 0)]


def instances_used(result: Result) -> int:
    """How many instances of the back got a request."""
    return int(sent_to(result)["instance"].nunique())


def share_of(*instances: int) -> Callable[[Result], float]:
    """Share of the attempts at the back that some of its instances got."""
    return lambda result: float(sent_to(result)["instance"].isin(instances).mean())


def busiest(result: Result) -> int:
    """The instance of the back that got most."""
    return int(sent_to(result)["instance"].mode()[0])


def attempts_at(service: str) -> Callable[[Result], int]:
    """How many attempts were sent to a service, copies included."""
    return lambda result: len(sent_to(result, service))


def mean_of(column: str, service: str = "back") -> Callable[[Result], float]:
    """Mean of a column of the attempts at a service."""
    return lambda result: float(result.attempts.loc[result.attempts["service"] == service, column].mean())


def sum_of(column: str, service: str = "back") -> Callable[[Result], float]:
    """Sum of a column of the attempts at a service."""
    return lambda result: float(result.attempts.loc[result.attempts["service"] == service, column].sum())


def proxies_used(service: str = "back") -> Callable[[Result], int]:
    """How many proxies sent attempts to a service."""
    return lambda result: int(sent_to(result, service)["proxy"].nunique())


def up(moment: str) -> Callable[[Result], float]:
    """Instances of the back that are up at the ends of intervals: `min`, `max` or `mean` over the run."""
    return lambda result: float(
        result.counters[result.counters["service"] == "back"].groupby("time_ns")["is_up"].sum().agg(moment)
    )


def wanted(moment: str, column: str = "desired") -> Callable[[Result], float]:
    """Replicas of the back that its autoscaler wants: `min`, `max` or `mean` over its looks; 0 where it has none."""
    return lambda result: float(result.autoscaling[column].agg(moment)) if len(result.autoscaling) else 0.0


def throttled(result: Result) -> float:
    """How long the back's processors stood still for want of quota, in s."""
    return sum(one.throttled_s for one in result.summary().cpu)


def cpu(result: Result) -> float:
    """Cores that all proxies together keep busy."""
    return sum(one.cpu_cores or 0.0 for one in result.summary().proxies)


def statuses(result: Result) -> float:
    """Mean HTTP status that the clients saw."""
    return float(result.requests["status"].mean())


def healthy(result: Result) -> float:
    """Least share of the back's instances that callers thought healthy."""
    return min(one.least_healthy_share for one in result.summary().destinations if one.service == "back")


def kept_requests(result: Result) -> int:
    """Rows of requests in the run directory; 0 where there is no such table."""
    return len(result.requests) if (result.directory / "requests.parquet").is_file() else 0
