"""One figure of a summary by the words of a threshold: metric, labels, aggregation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from meshsim.metrics.histogram import Histogram
from meshsim.metrics.summary import RequestSummary, ServiceSummary
from meshsim.metrics.times import Times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.summary import Summary

Services: TypeAlias = tuple[ServiceSummary, ...]
ServiceFigure: TypeAlias = Callable[[Services, str, float | None, float], float]
"""Services, aggregation, its argument, and the length of the measured window in s, to the figure."""


class NoFigure(LookupError):  # noqa: N818 — it is no error that nothing came
    """There was nothing to measure; the message says what was missing: `no requests`."""


def observe(metric: str, labels: Mapping[str, str], aggregation: str, argument: float | None, summary: Summary) -> float:
    """The figure that a threshold is about, in the units of the summary.

    Args:
        metric: Such as `latency`.
        labels: `route`, `source`, or `service`; empty for all.
        aggregation: `p`, `avg`, `med`, `min`, `max`, `rate`, `count` or `value`.
        argument: N of `p(N)`, 0 to 100.
        summary: Of the run.

    Raises:
        NoFigure: There was nothing to measure.
    """
    if "service" in labels and len(labels) > 1:
        raise NoFigure("not measured by route and service at once")
    if "service" in labels or (metric in SERVICE_METRICS and not labels):
        figure = SERVICE_METRICS.get(metric) or ATTEMPT_METRICS[metric]
        return figure(_services(labels, summary), aggregation, argument, summary.window_s)
    return REQUEST_METRICS[metric](_requests(labels, summary), aggregation, argument)


def _requests(labels: Mapping[str, str], summary: Summary) -> RequestSummary:
    route, source = labels.get("route"), labels.get("source")
    if route is None and source is None:
        return summary.total
    candidates = summary.sources if route is None else summary.routes if source is None else summary.flows
    for one in candidates:
        if one.route == route and one.source == source:
            return one
    raise NoFigure("no requests")


def _services(labels: Mapping[str, str], summary: Summary) -> Services:
    name = labels.get("service")
    found = tuple(one for one in summary.services if name in {None, one.name})
    if not found:
        raise NoFigure("no such service")
    return found


def _errors(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.failures if aggregation == "count" else _known(one.error_share, "no requests")


def _offered(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.requests if aggregation == "count" else _known(one.offered_per_s, "nothing measured")


def _goodput(one: RequestSummary, aggregation: str, _: float | None) -> float:
    return one.requests - one.failures if aggregation == "count" else _known(one.goodput_per_s, "nothing measured")


REQUEST_METRICS: dict[str, Callable[[RequestSummary, str, float | None], float]] = {
    "latency": lambda one, aggregation, argument: _of_times((one.latency,), aggregation, argument, "no requests"),
    "errors": _errors,
    "requests": _offered,
    "goodput": _goodput,
    "retry_amplification": lambda one, _, __: _known(one.attempts_per_request, "no attempts"),
}
"""Of a route, a load, or all requests."""


def _attempt_latency(services: Services, aggregation: str, argument: float | None, _: float) -> float:
    return _of_times(tuple(one.latency for one in services), aggregation, argument, "no attempts")


def _attempt_errors(services: Services, aggregation: str, _: float | None, __: float) -> float:
    failures = sum(one.failures for one in services)
    return failures if aggregation == "count" else _ratio(failures, sum(one.attempts for one in services), "no attempts")


def _attempts(services: Services, aggregation: str, _: float | None, window_s: float) -> float:
    attempts = sum(one.attempts for one in services)
    return attempts if aggregation == "count" else _ratio(attempts, window_s, "nothing measured")


ATTEMPT_METRICS: dict[str, ServiceFigure] = {
    "latency": _attempt_latency,
    "errors": _attempt_errors,
    "requests": _attempts,
}
"""What a service has in common with a route: of its attempts."""


def _amplification(services: Services, _: str, __: float | None, ___: float) -> float:
    return _ratio(sum(one.attempts for one in services), sum(one.calls for one in services), "no attempts")


def _utilisation(services: Services, _: str, __: float | None, ___: float) -> float:
    held = [(one.utilisation, one.replicas * one.workers) for one in services if one.utilisation is not None]
    return _ratio(sum(share * workers for share, workers in held), sum(workers for _, workers in held), "nothing measured")


def _wasted(services: Services, _: str, __: float | None, ___: float) -> float:
    return _ratio(sum(one.wasted_s for one in services), sum(one.worked_s for one in services), "no work done")


def _waiting(services: Services, aggregation: str, argument: float | None, _: float) -> float:
    return _of_times(tuple(one.waiting_time for one in services), aggregation, argument, "no attempts")


SERVICE_METRICS: dict[str, ServiceFigure] = {
    "retry_amplification": _amplification,
    "utilisation": _utilisation,
    "waiting_time": _waiting,
    "wasted_work": _wasted,
}
"""Of a service or, without a label, of all services together."""


def _of_times(parts: tuple[Times, ...], aggregation: str, argument: float | None, nothing: str) -> float:
    times = parts[0] if len(parts) == 1 else _merged(parts)
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


def _merged(parts: tuple[Times, ...]) -> Times:
    merged = Histogram()
    for one in parts:
        if one.histogram is not None:
            merged.merge(one.histogram)
        elif one.count:
            raise LookupError("a summary read from JSON has no quantiles over all services")
    return Times.of(merged)


def _known(value: float | None, nothing: str) -> float:
    if value is None:
        raise NoFigure(nothing)
    return value


def _ratio(part: float, whole: float, nothing: str) -> float:
    if not whole:
        raise NoFigure(nothing)
    return part / whole
