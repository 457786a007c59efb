"""One figure of a summary by the words of a threshold: metric, labels, aggregation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from meshsim.metrics.after_faults import outlived, recovery_time, requests_lost
from meshsim.metrics.edges import GATEWAY
from meshsim.metrics.histogram_table import merged
from meshsim.metrics.no_figure import Never, NoFigure
from meshsim.metrics.queue_figures import QUEUE_METRICS
from meshsim.metrics.summary import RequestSummary, ServiceSummary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.latency.times import Times
    from meshsim.metrics.summary import Summary

__all__ = ["Never", "NoFigure", "observe"]

Labels: TypeAlias = "Mapping[str, str]"
Services: TypeAlias = tuple[ServiceSummary, ...]
ServiceFigure: TypeAlias = Callable[[Services, str, float | None, float], float]
"""Services, aggregation, its argument, and the length of the measured window in s, to the figure."""


def observe(metric: str, labels: Labels, aggregation: str, argument: float | None, summary: Summary) -> float:
    """The figure that a threshold is about, in the units of the summary.

    Args:
        metric: Such as `latency`.
        labels: `route`, `source`, `consumer`, or `service`, `stage`; empty for all.
        aggregation: `p`, `avg`, `med`, `min`, `max`, `rate`, `count` or `value`.
        argument: N of `p(N)`, 0 to 100.
        summary: Of the run.

    Raises:
        NoFigure: There was nothing to measure; `Never` where what was waited for did not come.
    """
    if metric in QUEUE_METRICS:
        return QUEUE_METRICS[metric](summary, labels, aggregation if argument is None else f"p{argument:g}")
    if metric in SUMMARY_METRICS:
        return SUMMARY_METRICS[metric](summary, labels, aggregation)
    if "service" in labels and len(labels.keys() - {"status"}) > 1:
        raise NoFigure("not measured by route and service at once")
    if metric == "errors" and "status" in labels:
        return _errors_of_status(labels, aggregation, summary)
    if "service" in labels or (metric in SERVICE_METRICS and not labels):
        figure = SERVICE_METRICS.get(metric) or ATTEMPT_METRICS[metric]
        return figure(_services(labels, summary), aggregation, argument, summary.window_s)
    return REQUEST_METRICS[metric](_requests(labels, summary), aggregation, argument)


def _requests(labels: Labels, summary: Summary) -> RequestSummary:
    route, source, consumer = (labels.get(label) for label in ("route", "source", "consumer"))
    if source is not None and consumer is not None:
        raise NoFigure("not measured by source and consumer at once")
    if consumer is not None:
        candidates = summary.consumers if route is None else summary.consumer_routes
    elif source is not None:
        candidates = summary.sources if route is None else summary.flows
    elif route is not None:
        candidates = summary.routes
    else:
        return summary.total
    for one in candidates:
        if one.route == route and source in {None, one.source} and consumer in {None, one.consumer}:
            return one
    raise NoFigure("no requests")


def _services(labels: Labels, summary: Summary) -> Services:
    name = labels.get("service")
    found = tuple(one for one in summary.services if name in {None, one.name})
    if not found:
        raise NoFigure("no such service")
    return found


def _errors(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.failures if aggregation == "count" else _known(one.error_share, "no requests")


def _errors_of_status(labels: Labels, aggregation: str, summary: Summary) -> float:
    """Those that failed with one status, or with any of a class such as `5xx`."""
    if "service" in labels:
        (service,) = _services(labels, summary)
        by_status, everyone, nothing = service.failures_by_status, service.attempts, "no attempts"
    else:
        requests = _requests(labels, summary)
        by_status, everyone, nothing = requests.failures_by_status, requests.requests, "no requests"
    wanted = labels["status"]
    count = sum(times for status, times in by_status.items() if wanted in {status, f"{status[0]}xx"})
    return count if aggregation == "count" else _ratio(count, everyone, nothing)


def _offered(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.requests if aggregation == "count" else _known(one.offered_per_s, "nothing measured")


def _goodput(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.requests - one.failures if aggregation == "count" else _known(one.goodput_per_s, "nothing measured")


REQUEST_METRICS: dict[str, Callable[[RequestSummary, str, float | None], float]] = {
    "latency": lambda one, aggregation, argument: _of_times((one.latency,), aggregation, argument, "no requests"),
    "dashboard_latency": lambda one, aggregation, argument: _on_dashboard((one.latency,), aggregation, argument, "no requests"),
    "errors": _errors,
    "requests": _offered,
    "goodput": _goodput,
    "retry_amplification": lambda one, _, __: _known(one.attempts_per_request, "no attempts"),
}
"""Of a route, a load, a consumer, or all requests."""


def _attempt_latency(services: Services, aggregation: str, argument: float | None, _: float) -> float:
    return _of_times(tuple(one.latency for one in services), aggregation, argument, "no attempts")


def _dashboard_latency(services: Services, aggregation: str, argument: float | None, _: float) -> float:
    return _on_dashboard(tuple(one.latency for one in services), aggregation, argument, "no attempts")


def _attempt_errors(services: Services, aggregation: str, _: float | None, __: float) -> float:
    failures = sum(one.failures for one in services)
    return failures if aggregation == "count" else _ratio(failures, sum(one.attempts for one in services), "no attempts")


def _attempts(services: Services, aggregation: str, _: float | None, window_s: float) -> float:
    attempts = sum(one.attempts for one in services)
    return attempts if aggregation == "count" else _ratio(attempts, window_s, "nothing measured")


ATTEMPT_METRICS: dict[str, ServiceFigure] = {
    "latency": _attempt_latency,
    "dashboard_latency": _dashboard_latency,
    "errors": _attempt_errors,
    "requests": _attempts,
}
"""What a service has in common with a route: of its attempts."""


def _amplification(services: Services, _: str, __: float | None, ___: float) -> float:
    return _ratio(sum(one.latency.count for one in services), sum(one.calls for one in services), "no attempts")


def _utilisation(services: Services, _: str, __: float | None, ___: float) -> float:
    held = [(one.utilisation, one.replicas * one.workers) for one in services if one.utilisation is not None]
    return _ratio(sum(share * workers for share, workers in held), sum(workers for _, workers in held), "nothing measured")


def _wasted(services: Services, _: str, __: float | None, ___: float) -> float:
    return _ratio(sum(one.wasted_s for one in services), sum(one.worked_s for one in services), "no work done")


def _waiting(services: Services, aggregation: str, argument: float | None, _: float) -> float:
    return _of_times(tuple(one.waiting_time for one in services), aggregation, argument, "no attempts")


def _queue(services: Services, aggregation: str, _: float | None, __: float) -> float:
    means = [one.queue_mean for one in services if one.queue_mean is not None]
    if not means:
        raise NoFigure("nothing measured")
    return sum(means) if aggregation == "avg" else max(one.queue_peak for one in services)


def _replica_hours(services: Services, _: str, __: float | None, ___: float) -> float:
    hours = [one.replica_hours for one in services if one.replica_hours is not None]
    if not hours:
        raise NoFigure("nothing measured")
    return sum(hours)


SERVICE_METRICS: dict[str, ServiceFigure] = {
    "retry_amplification": _amplification,
    "utilisation": _utilisation,
    "waiting_time": _waiting,
    "queue": _queue,
    "wasted_work": _wasted,
    "replica_hours": _replica_hours,
}
"""Of a service or, without a label, of all services together."""


def _proxy_cpu(summary: Summary, labels: Labels, _: str) -> float:
    service = labels.get("service")
    name = None if service is None else "gateway" if service == GATEWAY else f"sidecar of {service}"
    chosen = [one for one in summary.proxies if name in {None, one.name}]
    cores = [one.cpu_cores for one in chosen if one.cpu_cores is not None]
    if not cores:
        raise NoFigure("nothing measured" if chosen else "no proxies")
    return sum(cores)


def _slow_time(summary: Summary, labels: Labels, aggregation: str) -> float:
    mine = [one for one in summary.slow_times if one.route == labels.get("route")]
    if not mine:
        raise NoFigure("no requests")
    chosen = [one for one in mine if labels.get("stage") in {None, one.stage} and labels.get("service") in {None, one.service}]
    return sum(one.share if aggregation == "share" else one.mean_s for one in chosen)


def _cost(summary: Summary, labels: Labels, aggregation: str) -> float:
    if summary.cost is None:
        raise NoFigure("no prices")
    item = labels.get("item")
    if aggregation == "per_hour":
        return _known(summary.cost.per_hour(item), "nothing measured")
    return _known(summary.cost.per_million(item), "no requests answered well")


def _throttled(summary: Summary, labels: Labels, _: str) -> float:
    """Of several services the one that is throttled most."""
    found = [one for one in summary.cpu if labels.get("service") in {None, one.service}]
    shares = [one.throttled_share for one in found if one.throttled_share is not None]
    if not shares:
        raise NoFigure("no limit of the CPU")
    return max(shares)


def _cache_hit_ratio(summary: Summary, labels: Labels, _: str) -> float:
    """Of several caches the one that hits least."""
    found = [one for one in summary.caches if labels.get("service") in {None, one.service}]
    ratios = [one.hit_ratio for one in found if labels.get("cache") in {None, one.cache} and one.hit_ratio is not None]
    return _known(min(ratios, default=None), "no look-ups" if found else "no cache")


def _pool_wait(summary: Summary, labels: Labels, _: str) -> float:
    """Of several pools the one that is waited for longest."""
    found = [one for one in summary.connection_pools if labels.get("service") in {None, one.service}]
    waits = [one.wait_mean_s for one in found if labels.get("pool") in {None, one.connection_pool}]
    if not waits:
        raise NoFigure("no connection pool")
    return max(waits)


def _cross_zone(summary: Summary, _: Labels, __: str) -> float:
    return _ratio(summary.cross_zone_gib, summary.window_s / 3600, "nothing measured")


SUMMARY_METRICS: dict[str, Callable[[Summary, Labels, str], float]] = {
    "proxy_cpu": _proxy_cpu,
    "recovery_time": recovery_time,
    "requests_lost": requests_lost,
    "outlived": outlived,
    "slow_time": _slow_time,
    "cost": _cost,
    "cross_zone": _cross_zone,
    "throttled": _throttled,
    "pool_wait": _pool_wait,
    "cache_hit_ratio": _cache_hit_ratio,
}
"""Of the run as a whole, each with labels of its own."""


def _of_times(parts: tuple[Times, ...], aggregation: str, argument: float | None, nothing: str) -> float:
    times = parts[0] if len(parts) == 1 else merged(parts)
    match aggregation:
        case "avg":
            return _known(times.mean_s, nothing)
        case "min":
            return _known(times.min_s, nothing)
        case "max":
            return _known(times.max_s, nothing)
        case "med":
            return _known(times.p50_s, nothing)
        case _:
            return _known(times.quantile_s((argument or 0.0) / 100), nothing)


def _on_dashboard(parts: tuple[Times, ...], aggregation: str, argument: float | None, nothing: str) -> float:
    times = parts[0] if len(parts) == 1 else merged(parts)
    return _known(times.dashboard_quantile_s(0.5 if aggregation == "med" else (argument or 0.0) / 100), nothing)


def _known(value: float | None, nothing: str) -> float:
    if value is None:
        raise NoFigure(nothing)
    return value


def _ratio(part: float, whole: float, nothing: str) -> float:
    if not whole:
        raise NoFigure(nothing)
    return part / whole
