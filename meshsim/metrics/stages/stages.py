"""Where the time goes: the latency of the slowest requests divided by service and stage, and one slow request in full."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, Any

from meshsim.metrics.rows import NO_ROUTE
from meshsim.metrics.stages.critical_path import CLIENT, GATEWAY, NONE, split
from meshsim.metrics.stages.one_request import spans_of
from meshsim.metrics.stages.slow_sample import ALL_ROUTES, Records, SlowSample
from meshsim.records import STAGES
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

__all__ = ["SLOW_SHARE", "STAGES", "SlowSample", "spans", "spans_of_records", "stages", "stages_of_records"]

SLOW_SHARE = 0.01
"""Of the requests, which count as the slowest."""
TYPICAL = 0.99
"""Quantile of the request that is shown in full: a slow one, but no freak."""
_OUTSIDE = {CLIENT: "(client)", GATEWAY: "(gateway)"}


def stages(sample: SlowSample, share: float = SLOW_SHARE) -> dict[str, list[Any]]:
    """Where the time goes on the slowest requests of each route, failures included.

    The sums over service and stage are the mean latency of these requests, to the nanosecond.

    Args:
        sample: Has seen the records.
        share: Of the requests of a route, the slowest so many, but ten at least where there are that many.

    Returns:
        Columns of equal length, for all routes together, `(all)`, and for each: route, service (or `(gateway)`, `(client)`), stage
        (one of `STAGES`), mean_s (seconds for each slow request), share (of their latency). Only what took time.
    """
    return stages_of_records(sample.records(), share)


def stages_of_records(records: Records, share: float = SLOW_SHARE) -> dict[str, list[Any]]:
    """As `stages`, of records."""
    slowest = {route: records.slowest(route, share) for route in (ALL_ROUTES, *sorted(set(records.requests["route"].tolist())))}
    divided = _divided(records, {position for positions in slowest.values() for position in positions.tolist()})
    rows = [row for route, positions in slowest.items() for row in _rows(records, route, positions, divided)]
    columns = ("route", "service", "stage", "mean_s", "share")
    return {name: [row[at] for row in rows] for at, name in enumerate(columns)}


def spans(sample: SlowSample, which: int | None = None) -> dict[str, list[Any]]:
    """One slow request, for a waterfall.

    Args:
        sample: Has seen the records.
        which: Number of a request that the sample holds; None for the one whose latency is the 99th percentile: a typical slow one,
            where the slowest of all would be a freak. Of equal ones in that place the number decides.

    Returns:
        Columns of equal length, a row for each stage of each span; without any where there is no request. request; span, in order of
        the start, from 0, the client; parent (-1 of the first), depth; service (or `(gateway)`, `(client)`), operation (of client
        and gateway the route), attempt (from 1), instance (as in `payment/0`); stage, from_s, until_s (from the start of the
        request); status and flags of the attempt. A span's first and last rows are its beginning and end, if need be without
        length. The waits before a try (back-off, connection, proxy) stand in the span of its caller.
    """
    return spans_of_records(sample.records(), which)


def spans_of_records(records: Records, which: int | None = None) -> dict[str, list[Any]]:
    """As `spans`, of records."""
    position = _position(records, which)
    rows = [] if position is None else list(_span_rows(records, position))
    columns = (
        "request", "span", "parent", "depth", "service", "operation", "attempt", "instance", "stage", "from_s", "until_s",
        "status", "response_flags",
    )  # fmt: skip
    return {name: [row[at] for row in rows] for at, name in enumerate(columns)}


def _divided(records: Records, positions: set[int]) -> dict[int, Counter[tuple[int, str]]]:
    """Nanoseconds by service and stage of each of these requests."""
    requests = records.requests
    ordered = sorted(positions)
    tries = records.tries_of(requests["request"][ordered])
    divided = {}
    for position in ordered:
        number, started_ns, ended_ns = (int(requests[name][position]) for name in ("request", "started_ns", "ended_ns"))
        spent: Counter[tuple[int, str]] = Counter()
        for service, stage, from_ns, until_ns in split(started_ns, ended_ns, tries[number], knows_waits=records.knows_waits):
            spent[service, stage] += until_ns - from_ns
        divided[position] = spent
    return divided


def _rows(
    records: Records, route: int, positions: np.ndarray, divided: dict[int, Counter[tuple[int, str]]]
) -> Iterator[tuple[str, str, str, float, float]]:
    """Rows of the frame for the slowest of one route."""
    spent: Counter[tuple[int, str]] = Counter()
    for position in positions.tolist():
        spent.update(divided[position])
    total_ns = sum(spent.values())
    name = "(all)" if route == ALL_ROUTES else _route(records, route)
    for service, stage in sorted(spent, key=lambda key: (key[0] != CLIENT, key[0], STAGES.index(key[1]))):
        spent_ns = spent[service, stage]
        yield name, _service(records)(service), stage, spent_ns / len(positions) / NS_PER_S, spent_ns / total_ns


def _route(records: Records, route: int) -> str:
    return NO_ROUTE if route == NONE else records.routes[route]


def _service(records: Records) -> Callable[[int], str]:
    return lambda service: _OUTSIDE.get(service) or records.services[service]


def _position(records: Records, which: int | None) -> int | None:
    """Where the request stands that is to be shown."""
    numbers = records.requests["request"]
    if which is not None:
        if which not in numbers:
            raise ValueError(f"request {which} is not among those that were kept and measured")
        return int((numbers == which).argmax())
    ranked = records.ranked(ALL_ROUTES)
    return int(ranked[len(ranked) - ceil(TYPICAL * len(ranked))]) if len(ranked) else None


def _span_rows(records: Records, position: int) -> Iterator[tuple[Any, ...]]:
    requests = {name: int(column[position]) for name, column in records.requests.items() if name != "drawn"}
    number, started_ns = requests["request"], requests["started_ns"]
    tries = records.tries_of(records.requests["request"][[position]])[number]
    name = _service(records)
    for place, span in enumerate(spans_of(started_ns, requests["ended_ns"], tries)):
        one = span.attempt
        service = name(span.service)
        operation = _route(records, requests["route"]) if one is None else records.operations[one.operation]
        instance = "" if span.instance == NONE else f"{service}/{span.instance}"
        status, flags = (requests["status"], requests["response_flags"]) if one is None else (one.status, one.response_flags)
        told = (span.parent, span.depth, service, operation, 1 if one is None else one.attempt, instance)
        for segment in span.segments:
            times = ((segment.from_ns - started_ns) / NS_PER_S, (segment.until_ns - started_ns) / NS_PER_S)
            yield (number, place, *told, segment.stage, *times, status, records.flag_text(flags))
