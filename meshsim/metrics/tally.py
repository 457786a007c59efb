"""Streaming accumulation of records into what a summary needs, in memory that does not grow with the length of the run.

Measured are the requests that *start* in [warm-up, duration), and with them their attempts, whenever those end. Rates of
completion, utilisation and queues are of that same stretch of time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.cells import Failure, RequestCell, ServiceCell, StationCell, proxy_places
from meshsim.metrics.over_time.recovery import RecoveryWatch
from meshsim.metrics.rows import groups, is_error_of_service, is_failed
from meshsim.metrics.warm_up import LatencySequence, until_ns

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk


class Tally:
    """A sink of records, of which `summarise` makes a `Summary` at any time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests: dict[tuple[int, int], RequestCell] = {}
        """By source and route."""
        self.services: dict[int, ServiceCell] = {}
        self.instances: dict[tuple[int, int], StationCell] = {}
        """By service and instance."""
        self.proxies: dict[tuple[int, int], StationCell] = {}
        """By place (see `proxy_places`) and instance."""
        self.last_counted_ns = plan.warm_up_ns
        """Until when there are counters."""
        self.cross_zone_bytes = 0
        """What went between zones."""
        self.recovery = RecoveryWatch(plan)
        self.sequence = LatencySequence(until_ns(plan))

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows of one of `meshsim.records.TABLES`."""
        match table:
            case "requests":
                self._take_requests(chunk)
                self.recovery.add(chunk)
                self.sequence.add(chunk)
            case "attempts":
                self._take_attempts(chunk)
            case "counters":
                self._take_stations(chunk, self.instances)
            case "destinations":
                time_ns = chunk["time_ns"]
                measured = (time_ns > self.plan.warm_up_ns) & (time_ns <= self.plan.duration_ns)
                self.cross_zone_bytes += int(chunk["cross_zone_bytes"][measured].sum())
            case "proxies":
                self._take_stations({**chunk, "service": proxy_places(chunk, len(self.plan.services))}, self.proxies)

    def _take_requests(self, chunk: Chunk) -> None:
        routes = len(self.plan.names.routes) + 1
        ended_ns = chunk["ended_ns"]
        is_measured = self._starts_measured(chunk["started_ns"])
        ends_measured = (ended_ns > self.plan.warm_up_ns) & (ended_ns <= self.plan.duration_ns)
        failed_rows = is_failed(chunk)
        for key, rows in groups(chunk["source"] * routes + chunk["route"] + 1):
            cell = self.requests.setdefault((key // routes, key % routes - 1), RequestCell())
            cell.ended += int(ends_measured[rows].sum())
            cell.ended_well += int((ends_measured[rows] & ~failed_rows[rows]).sum())
            measured = rows[is_measured[rows]]
            latency_ns = ended_ns[measured] - chunk["started_ns"][measured]
            failed = failed_rows[measured]
            cell.latency.add(latency_ns)
            cell.dashboard.add(latency_ns)
            cell.successes.add(latency_ns[~failed])
            attempts = chunk["attempts"][measured]
            cell.attempts += int(attempts.sum())
            cell.tried += int((attempts > 0).sum())
            if failed.any():
                kinds = np.stack([chunk[name][measured[failed]] for name in Failure._fields], axis=1)
                for kind, count in zip(*np.unique(kinds, axis=0, return_counts=True), strict=True):
                    cell.failures[Failure(*kind.tolist())] += int(count)

    def _take_attempts(self, chunk: Chunk) -> None:
        is_measured = self._starts_measured(chunk["request_started_ns"])
        failed_rows = is_failed(chunk)
        sent, arrived, started = chunk["sent_ns"], chunk["arrived_ns"], chunk["started_ns"]
        for service, everything in groups(chunk["service"]):
            rows = everything[is_measured[everything]]
            if service < 0 or not len(rows):
                continue
            cell = self.services.setdefault(service, ServiceCell())
            cell.attempts += len(rows)
            cell.calls += int((chunk["attempt"][rows] == 1).sum())
            cell.worked_ns += int(chunk["worked_ns"][rows].sum())
            cell.wasted_ns += int(chunk["wasted_ns"][rows].sum())
            bad = rows[failed_rows[rows]]
            if len(bad):
                cell.errors += int(is_error_of_service(chunk)[bad].sum())
                kinds = np.stack([chunk["status"][bad], chunk["response_flags"][bad]], axis=1)
                for (status, flags), count in zip(*np.unique(kinds, axis=0, return_counts=True), strict=True):
                    cell.failures[int(status), int(flags)] += int(count)
            was_sent = rows[(sent[rows] >= 0) & (chunk["ended_ns"][rows] >= 0)]
            latency_ns = chunk["ended_ns"][was_sent] - sent[was_sent]
            cell.latency.add(latency_ns)
            cell.dashboard.add(latency_ns)
            worked_on = rows[started[rows] >= 0]
            cell.waiting_time.add(started[worked_on] - arrived[worked_on])
            done = worked_on[chunk["finished_ns"][worked_on] >= 0]
            cell.response_time.add(chunk["finished_ns"][done] - arrived[done])

    def _take_stations(self, chunk: Chunk, cells: dict[tuple[int, int], StationCell]) -> None:
        time_ns = chunk["time_ns"]
        measured = np.flatnonzero((time_ns > self.plan.warm_up_ns) & (time_ns <= self.plan.duration_ns))
        if not len(measured):
            return
        self.last_counted_ns = max(self.last_counted_ns, int(time_ns[measured].max()))
        services, instances = chunk["service"][measured], chunk["instance"][measured]
        width = int(instances.max()) + 1
        for key, rows in groups((services + 2) * width + instances):
            cell = cells.setdefault((key // width - 2, key % width), StationCell())
            cell.busy_ns += int(chunk["busy_ns"][measured[rows]].sum())
            cell.queued_ns += int(chunk["queued_ns"][measured[rows]].sum())
            if "is_up" in chunk:
                self._take_up_time(cell, time_ns[measured[rows]], chunk["is_up"][measured[rows]])
            cell.peak_queue = max(cell.peak_queue, int(chunk["queued"][measured[rows]].max()))

    def _take_up_time(self, cell: StationCell, time_ns: np.ndarray, is_up: np.ndarray) -> None:
        """Each row speaks for the time since the row before it."""
        since_ns = cell.counted_until_ns if cell.counted_until_ns >= 0 else self.plan.warm_up_ns
        cell.up_ns += int((np.diff(time_ns, prepend=since_ns) * is_up).sum())
        cell.counted_until_ns = int(time_ns[-1])

    def _starts_measured(self, started_ns: np.ndarray) -> np.ndarray:
        is_measured: np.ndarray = (started_ns >= self.plan.warm_up_ns) & (started_ns < self.plan.duration_ns)
        return is_measured
