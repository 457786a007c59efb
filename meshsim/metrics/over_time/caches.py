"""How the caches of services went over time: hits, loads, and look-ups that wait for another's load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

_RATES = ("loads", "failed_loads", "coalesced", "evictions")
_SUMS = ("hits", "stale_hits", "misses", *_RATES)


class CachesOverTime:
    """A sink of caches; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, int]] = Counted()
        """Key: what was counted, and the service and the cache in one number."""
        self._width = len(plan.names.caches)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of caches only."""
        if table != "caches" or not len(chunk["time_ns"]):
            return
        for _ in range(self._axis.halvings(int(chunk["time_ns"].max()) - 1)):
            self._counted.halve()
        intervals = (chunk["time_ns"] - 1) // self._axis.width_ns
        for key, rows in groups(chunk["service"] * self._width + chunk["cache"]):
            for name in _SUMS:
                self._counted.add((name, key), intervals[rows], chunk[name][rows])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each cache of each service, and interval.

        Returns:
            Columns of equal length: service, cache, time_s (start of the interval), interval_s, hit_ratio (share of the look-ups that were
            answered from it at once, with stale values too; NaN where there were none), and over all replicas lookups_per_s, loads_per_s,
            failed_loads_per_s, coalesced_per_s (look-ups that waited for another's load) and evictions_per_s.
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        names, parts = self._plan.names, []
        for number, service in enumerate(self._plan.services):
            for cache in service.caches:
                row = {name: self._counted.row((name, number * self._width + cache.name), count) for name in _SUMS}
                answered = row["hits"] + row["stale_hits"]
                asked = answered + row["misses"] + row["coalesced"]
                parts.append(
                    {
                        "service": np.full(count, names.services[number], dtype=object),
                        "cache": np.full(count, names.caches[cache.name], dtype=object),
                        "time_s": edges_ns[:-1] / NS_PER_S,
                        "interval_s": lengths_s,
                        "hit_ratio": answered / np.where(asked > 0, asked, np.nan),
                        "lookups_per_s": asked / lengths_s,
                        **{f"{name}_per_s": row[name] / lengths_s for name in _RATES},
                    }
                )
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
