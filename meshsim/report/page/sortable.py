"""The tables that sort on a click: routes and services of all variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from meshsim.report.numbers import aligned
from meshsim.report.page.tables import is_nothing
from meshsim.report.page.wording import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class Column(NamedTuple):
    """A column of a table that can be sorted."""

    name: str
    unit: str = ""
    is_number: bool = False


class Cell(NamedTuple):
    """One cell: what it says, and what it is sorted by."""

    text: str
    value: str | None = None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Sortable:
    """A table that can be sorted by each of its columns."""

    title: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]


class Measure(NamedTuple):
    """A column of numbers: its name in the frame, its title and unit, and what it is multiplied with."""

    column: str
    title: str
    unit: str = ""
    scale: float = 1.0
    decimals: int = 2


ROUTES = (
    Measure("offered_per_s", "Requests", "/s"),
    Measure("goodput_per_s", "Goodput", "/s"),
    Measure("latency_p50_s", "Latency p50", "ms", 1000),
    Measure("latency_p90_s", "p90", "ms", 1000),
    Measure("latency_p99_s", "p99", "ms", 1000),
    Measure("latency_p999_s", "p99.9", "ms", 1000),
    Measure("error_share", "Errors", "%", 100),
    Measure("attempts_per_request", "Attempts", "per request"),
)
SERVICES = (
    Measure("replicas", "Replicas", "", 1, 0),
    Measure("attempts_per_s", "Attempts", "/s"),
    Measure("response_time_p50_s", "Response p50", "ms", 1000),
    Measure("response_time_p99_s", "p99", "ms", 1000),
    Measure("waiting_time_mean_s", "Waiting, mean", "ms", 1000),
    Measure("utilisation", "Busy", "%", 100, 0),
    Measure("queue_mean", "Queue, mean", "", 1, 1),
    Measure("queue_peak", "Longest queue", "", 1, 0),
    Measure("retry_amplification", "Attempts", "per call"),
    Measure("wasted_share", "Wasted", "%", 100, 1),
    Measure("error_share", "Errors", "%", 100),
)

DESTINATIONS = (
    Measure("timeouts", "Timeouts", "", 1, 0),
    Measure("retries", "Tries again", "", 1, 0),
    Measure("retries_refused", "Tries refused", "", 1, 0),
    Measure("hedges", "Hedges", "", 1, 0),
    Measure("ejections", "Ejections", "", 1, 0),
    Measure("panic_picks", "Panic picks", "", 1, 0),
    Measure("no_host", "No host", "", 1, 0),
    Measure("endpoint_waits", "Waited for a host", "", 1, 0),
    Measure("failfasts", "Failed fast", "", 1, 0),
    Measure("stale_picks", "Stale picks", "", 1, 0),
    Measure("sessions_moved", "Sessions moved", "", 1, 0),
    Measure("least_healthy_share", "Least healthy", "%", 100, 0),
    Measure("spread", "Busiest instance", "of the mean", 1, 2),
)
LIMITS = (
    Measure("breaker_rejected", "Breaker open", "", 1, 0),
    Measure("throttled", "Throttled", "", 1, 0),
    Measure("limited", "Over limit", "", 1, 0),
    Measure("mirrored", "Mirrored", "", 1, 0),
    Measure("pool_waits", "Pool waits", "", 1, 0),
    Measure("connection_overflows", "Pool full", "", 1, 0),
    Measure("pool_wait_mean_s", "Pool wait, mean", "ms", 1000),
    Measure("opened", "Connections", "", 1, 0),
    Measure("handshakes", "Handshakes", "", 1, 0),
    Measure("connect_failures", "Refused", "", 1, 0),
    Measure("connect_timeouts", "Connect timeouts", "", 1, 0),
)
FILTERS = (
    Measure("admitted", "Let pass", "", 1, 0),
    Measure("delayed", "Delayed", "", 1, 0),
    Measure("limited", "Limited", "", 1, 0),
    Measure("shadowed", "Would be limited", "", 1, 0),
    Measure("denied", "Denied", "", 1, 0),
    Measure("hit", "Hits", "", 1, 0),
    Measure("miss", "Misses", "", 1, 0),
    Measure("stale", "Stale answers", "", 1, 0),
    Measure("coalesced", "Waited for another", "", 1, 0),
    Measure("failed_open", "Failed open", "", 1, 0),
    Measure("failed_closed", "Failed closed", "", 1, 0),
    Measure("shed", "Shed", "", 1, 0),
    Measure("aborted", "Aborted", "", 1, 0),
    Measure("fairness", "Fairness", "0 to 1", 1, 2),
)
ALWAYS = {"least_healthy_share", "spread"}
"""Columns that are shown beside the others, and not alone."""
WIDEST = 13
"""Columns of numbers that fit on a desk beside two of names."""


def by_route(frame: pd.DataFrame) -> Sortable:
    """The routes of all variants."""
    caption = "latency as the client saw it, failures included; goodput are the requests that ended well"
    return _sortable("Routes", "Route", caption, frame, ROUTES)


def by_service(frame: pd.DataFrame) -> Sortable:
    """The services of all variants."""
    caption = "busy: share of the workers that are held; wasted: share of the computing whose answer nobody waited for"
    return _sortable("Services", "Service", caption, frame, SERVICES)


def by_destination(frame: pd.DataFrame) -> list[Sortable]:
    """What the policies of each caller did towards each destination, of all variants: one table, two where it would be too wide."""
    policies, limits = _happened(frame, DESTINATIONS), _happened(frame, LIMITS)
    caption = "counts over the whole run, in the mean over the replications; only what happened in some variant"
    parts = [("What policies did", [*policies, *limits])]
    if len(policies) + len(limits) > WIDEST:
        parts = [("What policies did", policies), ("Limits and connections", limits)]
    return [
        _sortable(title, "From, to", caption, frame, did) for title, did in parts if not {one.column for one in did} <= ALWAYS
    ]


def by_filter(frame: pd.DataFrame) -> Sortable | None:
    """What filters decided, of all variants; None where there are none."""
    did = _happened(frame, FILTERS)
    if not did:
        return None
    caption = "requests over the whole run, in the mean over the replications; fairness is Jain's index among the consumers"
    return _sortable("What filters decided", "Filter", caption, frame, did)


def _happened(frame: pd.DataFrame, measures: Sequence[Measure]) -> list[Measure]:
    return [one for one in measures if one.column in frame and (one.column in ALWAYS or (frame[one.column] > 0).any())]


def _sortable(title: str, index: str, caption: str, frame: pd.DataFrame, measures: Sequence[Measure]) -> Sortable:
    known = [one for one in measures if one.column in frame.columns]
    columns = [Column(index), Column("Variant")]
    columns += [Column(one.title, one.unit, is_number=True) for one in known]
    ordered = frame.reset_index(names="row")
    texts = {}
    for one in known:
        values = [None if is_nothing(value) else float(value) for value in ordered[one.column]]
        texts[one.column] = (values, [text.strip() for text in aligned(values, one.scale, one.decimals)])
    rows = []
    names = list(dict.fromkeys(ordered["row"]))
    order = sorted(range(len(ordered)), key=lambda at: names.index(ordered["row"].iloc[at]))
    for at in order:
        row = [Cell(str(ordered["row"].iloc[at])), Cell(str(ordered["variant"].iloc[at]))]
        for one in known:
            values, shown = texts[one.column]
            value = values[at]
            row.append(Cell(shown[at].replace("-", NOTHING), None if value is None else f"{value:.6g}", is_number=True))
        rows.append(row)
    return Sortable(title, caption, columns, rows)
