"""How the connection pools of services went over time: connections held, and requests that wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

_SUMS = ("in_use_ns", "waiting_ns", "acquired", "timed_out")


class PoolsOverTime:
    """A sink of connection pools; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the service and the pool in one number."""
        self._width = len(plan.names.connection_pools)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of connection pools only."""
        if table != "connection_pools" or not len(chunk["time_ns"]):
            return
        for _ in range(self._axis.halvings(int(chunk["time_ns"].max()) - 1)):
            self._counted.halve()
        intervals = (chunk["time_ns"] - 1) // self._axis.width_ns
        for key, rows in groups(chunk["service"] * self._width + chunk["connection_pool"]):
            for name in _SUMS:
                self._counted.add((name, key), intervals[rows], chunk[name][rows])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each pool of each service, and interval.

        Returns:
            Columns of equal length: service, connection_pool, time_s (start of the interval), interval_s, and over all replicas in_use
            (connections held, in the mean), waiting (requests that wait for one, in the mean), acquired_per_s and timed_out_per_s
            (requests that waited in vain).
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        names, parts = self._plan.names, []
        for number, service in enumerate(self._plan.services):
            for pool in service.connection_pools:
                row = {name: self._counted.row((name, number * self._width + pool.name), count) for name in _SUMS}
                parts.append(
                    {
                        "service": np.full(count, names.services[number], dtype=object),
                        "connection_pool": np.full(count, names.connection_pools[pool.name], dtype=object),
                        "time_s": edges_ns[:-1] / NS_PER_S,
                        "interval_s": lengths_s,
                        "in_use": row["in_use_ns"] / NS_PER_S / lengths_s,
                        "waiting": row["waiting_ns"] / NS_PER_S / lengths_s,
                        "acquired_per_s": row["acquired"] / lengths_s,
                        "timed_out_per_s": row["timed_out"] / lengths_s,
                    }
                )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
