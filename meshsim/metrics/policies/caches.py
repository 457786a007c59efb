"""What the caches of services did in the measured window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.policies.summaries import CacheSummary
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

SUMS = ("hits", "stale_hits", "misses", "coalesced", "loads", "failed_loads", "evictions", "waited_ns")
PEAKS = ("loading", "entries")


class CachesUsed:
    """A sink of caches: of what those of all instances did after the warm-up and before the end of the load."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sums: dict[tuple[int, int], np.ndarray] = {}
        """By service and name: int64, in the order of `SUMS`."""
        self._peaks: dict[tuple[int, int], np.ndarray] = {}
        """The same in the order of `PEAKS`."""
        for number, service in enumerate(plan.services):
            for cache in service.caches:
                self._sums[number, cache.name] = np.zeros(len(SUMS), dtype=np.int64)
                self._peaks[number, cache.name] = np.zeros(len(PEAKS), dtype=np.int64)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of caches only."""
        if table != "caches":
            return
        time_ns = chunk["time_ns"]
        measured = np.flatnonzero((time_ns > self._plan.warm_up_ns) & (time_ns <= self._plan.duration_ns))
        names = len(self._plan.names.caches)
        for key, rows in groups(chunk["service"][measured] * names + chunk["cache"][measured]):
            mine, of = measured[rows], (key // names, key % names)
            self._sums[of] += np.asarray([chunk[name][mine].sum() for name in SUMS])
            self._peaks[of] = np.maximum(self._peaks[of], [chunk[name][mine].max() for name in PEAKS])

    def summaries(self) -> tuple[CacheSummary, ...]:
        """One for each cache of each service."""
        return tuple(self._summary(*of) for of in self._sums)

    def _summary(self, service: int, cache: int) -> CacheSummary:
        names = self._plan.names
        counted = dict(zip(SUMS, self._sums[service, cache].tolist(), strict=True))
        waited_ns, answered = counted.pop("waited_ns"), counted["hits"] + counted["stale_hits"]
        asked, waited = answered + counted["misses"] + counted["coalesced"], counted["coalesced"]
        loading, entries = self._peaks[service, cache].tolist()
        return CacheSummary(
            service=names.services[service],
            cache=names.caches[cache],
            hit_ratio=answered / asked if asked else None,
            wait_mean_s=waited_ns / waited / NS_PER_S if waited else None,
            most_loading=loading,
            entries=entries,
            **counted,
        )
