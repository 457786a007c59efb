"""What became of messages in the measured window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.latency.histogram import Histogram
from meshsim.metrics.latency.times import KEPT_QUANTILES, Times
from meshsim.metrics.policies.queue_summary import QueueSummary
from meshsim.metrics.rows import groups
from meshsim.plan import NONE, MessageEnd
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

COUNTED = (
    "published", "delivered", "redelivered", "consumed", "dead_lettered", "discarded", "expired", "dropped", "rejected", "done_again",
)  # fmt: skip
STANDING = ("waiting", "unacknowledged", "delayed")


class QueuesUsed:
    """A sink of message queues and messages: of what happened after the warm-up and before the end of the load."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen = [_Seen() for _ in plan.queues]
        self._until_ns = plan.warm_up_ns

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of message queues and of messages only."""
        plan = self._plan
        if table == "messages":
            published_ns = chunk["published_ns"]
            measured = (published_ns >= plan.warm_up_ns) & (published_ns < plan.duration_ns)
            for queue, rows in groups(chunk["queue"]):
                self._seen[queue].add_messages(chunk, rows, measured[rows])
        elif table == "message_queues":
            time_ns = chunk["time_ns"]
            rows = np.flatnonzero((time_ns > plan.warm_up_ns) & (time_ns <= plan.duration_ns))
            if len(rows):
                self._until_ns = max(self._until_ns, int(time_ns[rows].max()))
                for queue, mine in groups(chunk["queue"][rows]):
                    self._seen[queue].add_interval(chunk, rows[mine])

    def summaries(self) -> tuple[QueueSummary, ...]:
        """One for each queue."""
        window_ns = max(self._until_ns - self._plan.warm_up_ns, 1)
        names = self._plan.names
        return tuple(
            seen.summary(names.queues[number], "" if plan.service == NONE else names.services[plan.service], window_ns)
            for number, (plan, seen) in enumerate(zip(self._plan.queues, self._seen, strict=True))
        )


class _Seen:
    """One queue."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys((*COUNTED, "there_ns"), 0)
        self._peaks = [0, 0, 0]
        """Messages there, in one partition, and the age of the oldest, at the end of an interval."""
        self._times = Histogram()
        self._left = 0

    def add_interval(self, chunk: Chunk, rows: np.ndarray) -> None:
        for name in self._counts:
            self._counts[name] += int(chunk[name][rows].sum())
        there = sum(chunk[name][rows] for name in STANDING)
        peaks = (there, chunk["longest_partition"][rows], chunk["oldest_ns"][rows])
        self._peaks = [max(before, int(each.max())) for before, each in zip(self._peaks, peaks, strict=True)]

    def add_messages(self, chunk: Chunk, rows: np.ndarray, is_measured: np.ndarray) -> None:
        became = chunk["became"][rows]
        self._left += int((became == MessageEnd.LEFT).sum())
        consumed = rows[is_measured & (became == MessageEnd.CONSUMED)]
        self._times.add(chunk["ended_ns"][consumed] - chunk["published_ns"][consumed])

    def summary(self, queue: str, consumer: str, window_ns: int) -> QueueSummary:
        times = Times.of(self._times)
        return QueueSummary(
            queue,
            consumer,
            **{name: self._counts[name] for name in COUNTED},
            left=self._left,
            lag_mean=self._counts["there_ns"] / window_ns,
            lag_peak=self._peaks[0],
            longest_partition_peak=self._peaks[1],
            oldest_peak_s=self._peaks[2] / NS_PER_S,
            **{f"time_{name}": getattr(times, name) for name in ("mean_s", *KEPT_QUANTILES, "max_s")},
        )
