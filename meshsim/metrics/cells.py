"""What a tally keeps of one load and route, of one service, of one station."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from meshsim.metrics.latency.dashboard import DashboardBuckets
from meshsim.metrics.latency.histogram import Histogram

if TYPE_CHECKING:
    from meshsim.records import Chunk

GATEWAY_PLACE = -1
NODE_PLACE = -2


def proxy_places(chunk: Chunk, services: int) -> np.ndarray:
    """Where each row of the proxies belongs.

    The gateway, the node proxies, the sidecars of a service by its number, and behind them all the waypoints of services.

    Args:
        chunk: Rows of `meshsim.records.PROXIES`.
        services: How many services there are.
    """
    kind, service = chunk["kind"], chunk["service"]
    places: np.ndarray = np.select([kind == 0, kind == 2, kind == 3], [GATEWAY_PLACE, NODE_PLACE, service + services], service)
    return places


class Failure(NamedTuple):
    """One way in which a request failed."""

    status: int
    grpc_status: int
    response_flags: int
    origin: int
    origin_flags: int


@dataclass(slots=True)
class RequestCell:
    """The requests of one load to one route."""

    latency: Histogram = field(default_factory=Histogram)
    successes: Histogram = field(default_factory=Histogram)
    """Latency of those that did not fail."""
    dashboard: DashboardBuckets = field(default_factory=DashboardBuckets)
    """The latency in the buckets of a dashboard."""
    ended: int = 0
    """Requests that ended while it was measured, whenever they started."""
    ended_well: int = 0
    attempts: int = 0
    tried: int = 0
    """Requests with at least one attempt."""
    failures: Counter[Failure] = field(default_factory=Counter)

    def merge(self, other: RequestCell) -> Self:
        """Add what the other holds; returns itself."""
        self.latency.merge(other.latency)
        self.successes.merge(other.successes)
        self.dashboard.merge(other.dashboard)
        self.ended += other.ended
        self.ended_well += other.ended_well
        self.attempts += other.attempts
        self.tried += other.tried
        self.failures.update(other.failures)
        return self


@dataclass(slots=True)
class ServiceCell:
    """The attempts at one service."""

    latency: Histogram = field(default_factory=Histogram)
    """From sent to the caller's outcome, of those that were sent."""
    dashboard: DashboardBuckets = field(default_factory=DashboardBuckets)
    """The same in the buckets of a dashboard."""
    response_time: Histogram = field(default_factory=Histogram)
    """From the queue to done, of those that got a worker."""
    waiting_time: Histogram = field(default_factory=Histogram)
    """From the queue to a worker."""
    attempts: int = 0
    calls: int = 0
    """First tries."""
    failures: Counter[tuple[int, int]] = field(default_factory=Counter)
    """All attempts that did not get what they asked for, by status and flags."""
    errors: int = 0
    """Those of them that were the service's."""
    worked_ns: int = 0
    wasted_ns: int = 0


@dataclass(slots=True)
class StationCell:
    """One instance or proxy while it was measured."""

    busy_ns: int = 0
    """Held workers, integrated."""
    queued_ns: int = 0
    peak_queue: int = 0
    """Longest queue at the end of an interval."""
    up_ns: int = 0
    """While the instance was up, told at the ends of intervals."""
    counted_until_ns: int = -1
    """Up to where there are counters; -1 before the first."""
