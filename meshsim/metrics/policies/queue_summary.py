"""What became of the messages of one queue."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """What became of the messages of one queue in the measured window."""

    queue: str
    consumer: str
    """The service that consumes it; empty for nobody."""
    published: int
    """Messages that reached it, those that it did not take included."""
    delivered: int
    redelivered: int
    """Deliveries of messages that had been delivered before."""
    consumed: int
    dead_lettered: int
    """Those that went to another queue."""
    discarded: int
    """Those that were given up after `max_deliveries` and went nowhere."""
    expired: int
    """Those that outlived `message_ttl` and went nowhere."""
    dropped: int
    rejected: int
    done_again: int
    """Deliveries that ended well, when their message had been delivered again: the work was done more than once."""
    left: int
    """Messages that are still there at the end of the run."""
    lag_mean: float
    """Messages that are there: those that wait, that consumers hold, and that stay away after a failure."""
    lag_peak: int
    """Most at the end of an interval."""
    longest_partition_peak: int
    """Most in one partition at the end of an interval; in a queue those that wait."""
    oldest_peak_s: float
    """Greatest age of the oldest message, at the end of an interval."""
    time_mean_s: float | None = None
    """From a message's reaching the queue until it was consumed; of those published in the window. None where none was."""
    time_p50_s: float | None = None
    time_p75_s: float | None = None
    time_p90_s: float | None = None
    time_p95_s: float | None = None
    time_p99_s: float | None = None
    time_p999_s: float | None = None
    time_max_s: float | None = None

    @property
    def lost(self) -> int:
        """Messages that nobody will work on."""
        return self.discarded + self.expired + self.dropped + self.rejected

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        return {one.name: getattr(self, one.name) for one in fields(self)[2:]}
