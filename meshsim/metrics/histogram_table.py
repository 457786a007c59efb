"""The histograms of a summary to a table and back: what its JSON leaves out, so that other quantiles and runs together can be told.

A row is one bin that is not empty. The rows are of the requests by load and route, and of the attempts by service; all else is
sums of these.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from meshsim.metrics.latency.dashboard import DashboardBuckets
from meshsim.metrics.latency.histogram import Histogram
from meshsim.metrics.latency.times import Times
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from meshsim.metrics.summary import RequestSummary, ServiceSummary, Summary

_Name: TypeAlias = tuple[Any, ...]
"""Kind, route, source, consumer, service."""
_Part: TypeAlias = dict[str, np.ndarray]
"""Counts from bin 0 on, by scale."""
COLUMNS = ("kind", "route", "source", "consumer", "service", "scale", "bin", "times")
FINE, DASHBOARD = "fine", "dashboard"
"""Scales: the bins of `Histogram`, and Istio's buckets."""
_OF_REQUESTS = ("latency", "latency_of_successes")
_OF_SERVICES = ("latency", "response_time", "waiting_time")


def histograms(summary: Summary) -> dict[str, list[Any] | np.ndarray]:
    """The histograms of a summary that has them.

    Returns:
        Columns of equal length: kind (`latency`, `latency_of_successes`, `response_time`, `waiting_time`); route, source and
        consumer of requests, service of attempts, None where it is not of one; scale (`fine`: `Histogram`'s bins; `dashboard`:
        Istio's buckets); bin (its number, int32) and times (how many are in it, int64).
    """
    names: list[tuple[str | None, ...]] = []
    bins: list[np.ndarray] = [np.zeros(0, dtype=np.int32)]
    counts: list[np.ndarray] = [np.zeros(0, dtype=np.int64)]

    def add(times: Times, *name: str | None) -> None:
        for scale, (numbers, held) in _bins(times):
            names.extend([(*name, scale)] * len(numbers))
            bins.append(numbers)
            counts.append(held)

    for flow in summary.flows:
        for kind in _OF_REQUESTS:
            add(getattr(flow, kind), kind, flow.route, flow.source, flow.consumer, None)
    for service in summary.services:
        for kind in _OF_SERVICES:
            add(getattr(service, kind), kind, None, None, None, service.name)
    columns = zip(*names, strict=True) if names else [()] * 6
    return {
        **{name: list(column) for name, column in zip(COLUMNS[:6], columns, strict=True)},
        "bin": np.concatenate(bins),
        "times": np.concatenate(counts),
    }


def with_histograms(summary: Summary, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> Summary:
    """A summary that was read from JSON, with its histograms put back, so that it gives any quantile.

    Args:
        summary: As `Summary.from_dict` gave it; its figures stay what they are.
        columns: As `histograms` gave them.
    """
    found = _read(columns)

    def requests(one: RequestSummary) -> RequestSummary:
        parts = [
            (kind, part)
            for (kind, route, source, consumer, service), part in found.items()
            if service is None
            and one.route in {None, route}
            and one.source in {None, source}
            and one.consumer in {None, consumer}
        ]
        latency, successes = ([part for kind, part in parts if kind == wanted] for wanted in _OF_REQUESTS)
        return replace(
            one,
            latency=_with(one.latency, latency, has_dashboard=True),
            latency_of_successes=_with(one.latency_of_successes, successes, has_dashboard=False),
        )

    def of_service(one: ServiceSummary) -> ServiceSummary:
        latency, response_time, waiting_time = ([found.get((kind, None, None, None, one.name), {})] for kind in _OF_SERVICES)
        return replace(
            one,
            latency=_with(one.latency, latency, has_dashboard=True),
            response_time=_with(one.response_time, response_time, has_dashboard=False),
            waiting_time=_with(one.waiting_time, waiting_time, has_dashboard=False),
        )

    return _changed(summary, requests, of_service)


def pooled(summaries: Sequence[Summary]) -> Summary:
    """A summary whose times are those of several runs together; its other figures are the first one's.

    Args:
        summaries: Of runs of the same plan, each with its histograms; one at least.
    """
    keyed = [{_key(one): one for one in _all_requests(summary)} for summary in summaries]
    services = [{one.name: one for one in summary.services} for summary in summaries]

    def requests(one: RequestSummary) -> RequestSummary:
        same = [each[_key(one)] for each in keyed if _key(one) in each]
        return replace(
            one,
            latency=merged(each.latency for each in same),
            latency_of_successes=merged(each.latency_of_successes for each in same),
        )

    def of_service(one: ServiceSummary) -> ServiceSummary:
        same = [each[one.name] for each in services]
        return replace(
            one,
            latency=merged(each.latency for each in same),
            response_time=merged(each.response_time for each in same),
            waiting_time=merged(each.waiting_time for each in same),
        )

    everything = _changed(summaries[0], requests, of_service)
    known = {_key(one) for one in summaries[0].flows}  # a rare flow may have had no request in the first run
    more = {key: each[key] for each in keyed for key in sorted(each, key=str) if _is_flow(key) and key not in known}
    return replace(everything, flows=(*everything.flows, *(requests(one) for one in more.values())))


def pooled_times(summaries: Sequence[Summary], pick: Callable[[Summary], Times]) -> Times:
    """The times of several runs together.

    Args:
        summaries: Of runs, each with its histograms.
        pick: Which times of each.
    """
    return merged(pick(summary) for summary in summaries)


def merged(parts: Iterable[Times]) -> Times:
    """Times of all parts together.

    Raises:
        LookupError: A part was read from JSON and has no histogram.
    """
    histogram, dashboard = Histogram(), DashboardBuckets()
    has_dashboard = False
    for one in parts:
        if one.histogram is not None:
            histogram.merge(one.histogram)
        elif one.count:
            raise LookupError("a summary read from JSON has no quantiles over several things together")
        if one.dashboard is not None:
            dashboard.merge(one.dashboard)
            has_dashboard = True
    return Times.of(histogram, dashboard if has_dashboard else None)


def _bins(times: Times) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """The bins that are not empty, by scale."""
    if times.histogram is not None:
        yield FINE, times.histogram.bins()
    if times.dashboard is not None:
        numbers = np.flatnonzero(times.dashboard.counts)
        yield DASHBOARD, (numbers.astype(np.int32), times.dashboard.counts[numbers])


def _read(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> dict[_Name, _Part]:
    """The counts of each scale by kind and names."""
    found: dict[_Name, _Part] = {}
    for name, rows in groupby(zip(*(columns[column] for column in COLUMNS), strict=True), key=lambda row: row[:6]):
        numbers, counts = zip(*(row[6:] for row in rows), strict=True)
        found.setdefault(name[:5], {})[name[5]] = np.bincount(numbers, weights=counts).astype(np.int64)
    return found


def _with(times: Times, parts: Iterable[_Part], *, has_dashboard: bool) -> Times:
    """Times with their histograms: the sum of the parts."""
    counts, dashboard = np.zeros(0, dtype=np.int64), DashboardBuckets()
    for part in parts:
        counts = _sum(counts, part.get(FINE, counts[:0]))
        dashboard.counts = _sum(dashboard.counts, part.get(DASHBOARD, counts[:0]))
    histogram = Histogram()
    if times.mean_s is not None and times.min_s is not None and times.max_s is not None:
        numbers = np.flatnonzero(counts)
        histogram = Histogram.from_bins(
            numbers,
            counts[numbers],
            total=round(times.mean_s * times.count * NS_PER_S),
            minimum=round(times.min_s * NS_PER_S),
            maximum=round(times.max_s * NS_PER_S),
        )
    return replace(times, histogram=histogram, dashboard=dashboard if has_dashboard else None)


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of two rows of counts from bin 0 on, as long as the longer one."""
    longer, shorter = (one.copy(), other) if len(one) >= len(other) else (other.copy(), one)
    longer[: len(shorter)] += shorter
    return longer


def _changed(
    summary: Summary, requests: Callable[[RequestSummary], RequestSummary], of_service: Callable[[ServiceSummary], ServiceSummary]
) -> Summary:
    def every(rows: Iterable[RequestSummary]) -> tuple[RequestSummary, ...]:
        return tuple(requests(one) for one in rows)

    return replace(
        summary,
        total=requests(summary.total),
        routes=every(summary.routes),
        sources=every(summary.sources),
        flows=every(summary.flows),
        consumers=every(summary.consumers),
        consumer_routes=every(summary.consumer_routes),
        services=tuple(of_service(one) for one in summary.services),
    )


def _all_requests(summary: Summary) -> Iterator[RequestSummary]:
    yield summary.total
    for rows in (summary.routes, summary.sources, summary.flows, summary.consumers, summary.consumer_routes):
        yield from rows


def _key(one: RequestSummary) -> tuple[str | None, ...]:
    return one.route, one.source, one.consumer


def _is_flow(key: tuple[str | None, ...]) -> bool:
    return key[0] is not None and key[1] is not None
