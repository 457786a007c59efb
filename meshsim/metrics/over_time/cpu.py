"""How the processor time of services with `cpu` went over time, and how much they stood still for want of quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

_COUNTED = ("used_ns", "throttled_ns", "periods", "throttled_periods")


class CpuOverTime:
    """A sink of cpu; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the service."""
        self._services = {
            number: plan.names.services[number] for number, service in enumerate(plan.services) if service.cpu is not None
        }

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of cpu only."""
        if table != "cpu" or not len(chunk["time_ns"]):
            return
        ended_ns = chunk["time_ns"] - 1
        for _ in range(self._axis.halvings(int(ended_ns.max()))):
            self._counted.halve()
        intervals = ended_ns // self._axis.width_ns
        for service, rows in groups(chunk["service"]):
            for name in _COUNTED:
                self._counted.add((name, service), intervals[rows], chunk[name][rows])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each service with `cpu`, and interval.

        Returns:
            Columns of equal length: service, time_s (start of the interval), interval_s, used_cores (over all replicas, in the mean),
            throttled_share (of the quota's periods that ended; NaN where none did) and throttled_cores (processors that stood still
            for want of quota, over all replicas, in the mean).
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_ns = len(edges_ns) - 1, np.diff(edges_ns)
        of = {(name, one): self._counted.row((name, one), count) for name in _COUNTED for one in self._services}
        periods = {one: np.where(of["periods", one] > 0, of["periods", one], np.nan) for one in self._services}
        made: dict[str, list[np.ndarray]] = {
            "used_cores": [of["used_ns", one] / lengths_ns for one in self._services],
            "throttled_share": [of["throttled_periods", one] / periods[one] for one in self._services],
            "throttled_cores": [of["throttled_ns", one] / lengths_ns for one in self._services],
        }
        return {
            "service": np.repeat(np.asarray(list(self._services.values()), dtype=object), count),
            "time_s": np.tile(edges_ns[:-1] / NS_PER_S, len(self._services)),
            "interval_s": np.tile(lengths_ns / NS_PER_S, len(self._services)),
            **{name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in made.items()},
        }
