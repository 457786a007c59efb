"""How message queues went over time: how many messages were there, how old the oldest was, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

_LOST = ("discarded", "expired", "dropped", "rejected")
_RATES = ("published", "consumed", "redelivered", "dead_lettered")


class QueuesOverTime:
    """A sink of message queues; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the queue."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of message queues only."""
        if table != "message_queues" or not len(chunk["time_ns"]):
            return
        for _ in range(self._axis.halvings(int(chunk["time_ns"].max()) - 1)):
            self._counted.halve()
        intervals = (chunk["time_ns"] - 1) // self._axis.width_ns
        for queue, rows in groups(chunk["queue"]):
            for name in (*_RATES, *_LOST, "there_ns"):
                self._counted.add((name, queue), intervals[rows], chunk[name][rows])
            in_time = rows[
                chunk["time_ns"][rows] <= self._plan.duration_ns
            ]  # later nothing is delivered, and what is there only grows old
            self._counted.add(("oldest_ns", queue), intervals[in_time], chunk["oldest_ns"][in_time])
            self._counted.add(("rows", queue), intervals[in_time])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each queue and interval.

        Returns:
            Columns of equal length: queue, time_s (start of the interval), interval_s, lag (messages there, in the mean), oldest_s (age of
            the oldest at the end of the interval; 0 after the end of the load), published_per_s, consumed_per_s, redelivered_per_s,
            dead_lettered_per_s and lost_per_s (discarded, expired, dropped or rejected).
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        parts = []
        for number, queue in enumerate(self._plan.names.queues):
            row = {name: self._counted.row((name, number), count) for name in (*_RATES, *_LOST, "there_ns", "oldest_ns", "rows")}
            parts.append(
                {
                    "queue": np.full(count, queue, dtype=object),
                    "time_s": edges_ns[:-1] / NS_PER_S,
                    "interval_s": lengths_s,
                    "lag": row["there_ns"] / NS_PER_S / lengths_s,
                    "oldest_s": row["oldest_ns"] / NS_PER_S / np.maximum(row["rows"], 1),
                    **{f"{name}_per_s": row[name] / lengths_s for name in _RATES},
                    "lost_per_s": np.sum([row[name] for name in _LOST], axis=0) / lengths_s,
                }
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
