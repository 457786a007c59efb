"""How the services of a run went over time: attempts, held workers, queues and replicas by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.rows import groups, is_error_of_service
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk


class ServicesOverTime:
    """A sink of attempts and counters; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the service."""
        self._last_ns = self._before_last_ns = 0
        """The last two instants at which counters were written."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows of attempts and counters."""
        if table == "attempts":
            self._take_attempts(chunk)
        elif table == "counters" and len(chunk["time_ns"]):
            self._take_counters(chunk)

    def _take_attempts(self, chunk: Chunk) -> None:
        """An attempt counts when it was sent, or where it never was when its caller was told so; a failure when it was known."""
        ended_ns = chunk["ended_ns"]
        made_ns = np.where(chunk["sent_ns"] >= 0, chunk["sent_ns"], ended_ns)
        if len(made_ns):
            self._reach(int(max(made_ns.max(), ended_ns.max(), 0)))
        is_first, failed = chunk["attempt"] == 1, is_error_of_service(chunk)
        for service, rows in groups(chunk["service"]):
            if service < 0:
                continue
            known, made = rows[ended_ns[rows] >= 0], rows[made_ns[rows] >= 0]
            self._counted.add(("attempts", service), made_ns[made] // self._axis.width_ns)
            self._counted.add(("calls", service), made_ns[made[is_first[made]]] // self._axis.width_ns)
            self._counted.add(("failures", service), ended_ns[known[failed[known]]] // self._axis.width_ns)

    def _take_counters(self, chunk: Chunk) -> None:
        """A row is of the time since the row before it: from the end of an interval of the plan, or less."""
        time_ns = chunk["time_ns"]
        instants, place = np.unique(time_ns, return_inverse=True)
        since_ns = np.concatenate([[self._last_ns], instants[:-1]])
        if instants[0] == self._last_ns:  # the chunk before ended in the middle of the rows of one instant
            since_ns[0] = self._before_last_ns
        self._last_ns, self._before_last_ns = int(instants[-1]), int(since_ns[-1])
        self._reach(int(instants[-1]) - 1)
        lengths_ns = (instants - since_ns)[place]
        intervals = (time_ns - 1) // self._axis.width_ns
        for service, rows in groups(chunk["service"]):
            for name in ("queued_ns", "busy_ns"):
                self._counted.add((name, service), intervals[rows], chunk[name][rows])
            self._counted.add(("instances_ns", service), intervals[rows], lengths_ns[rows])
            self._counted.add(("up_ns", service), intervals[rows], lengths_ns[rows] * chunk["is_up"][rows])

    def _reach(self, latest_ns: int) -> None:
        for _ in range(self._axis.halvings(latest_ns)):
            self._counted.halve()

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each service and interval.

        Returns:
            Columns of equal length: service, time_s (start of the interval), interval_s, calls_per_s (first tries),
            attempts_per_s, failures_per_s (attempts that it failed; not those refused with 4xx), utilisation (share of the workers
            that are held, of the replicas that are up where their number changes), queue (requests that wait, over all replicas, in
            the mean), busy (held workers, over all replicas, in the mean), replicas_up (in the mean).
            The last four are NaN where there were no counters.
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        parts = []
        for index, name in enumerate(self._plan.names.services):
            service = self._plan.services[index]
            replicas = len(service.zones)
            row = {
                key: self._counted.row((key, index), count)
                for key in ("calls", "attempts", "failures", "queued_ns", "busy_ns", "instances_ns", "up_ns")
            }
            seen_ns = np.where(row["instances_ns"] > 0, row["instances_ns"] / replicas, np.nan)
            is_scaled = service.lifecycle is not None and service.lifecycle.is_scaled
            there_ns = np.where(row["up_ns"] > 0, row["up_ns"], np.nan) if is_scaled else seen_ns * replicas
            parts.append(
                {
                    "service": np.full(count, name, dtype=object),
                    "time_s": edges_ns[:-1] / NS_PER_S,
                    "interval_s": lengths_s,
                    **{f"{key}_per_s": row[key] / lengths_s for key in ("calls", "attempts", "failures")},
                    "utilisation": row["busy_ns"] / (there_ns * service.servers),
                    "queue": row["queued_ns"] / seen_ns,
                    "busy": row["busy_ns"] / seen_ns,
                    "replicas_up": row["up_ns"] / seen_ns,
                }
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
