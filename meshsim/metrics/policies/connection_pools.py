"""How services used their connection pools in the measured window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.policies.summaries import PoolSummary
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import ConnectionPool, Plan
    from meshsim.records import Chunk

SUMS = ("in_use_ns", "waiting_ns", "acquired", "timed_out")


class PoolsUsed:
    """A sink of connection pools: of what the pools of all instances did after the warm-up and before the end of the load."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: dict[tuple[int, int], _Seen] = {}
        """By service and name."""
        for number, service in enumerate(plan.services):
            for pool in service.connection_pools:
                self._seen[number, pool.name] = _Seen(pool, len(service.zones))
        self._until_ns = plan.warm_up_ns

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of connection pools only."""
        if table != "connection_pools":
            return
        time_ns = chunk["time_ns"]
        measured = np.flatnonzero((time_ns > self._plan.warm_up_ns) & (time_ns <= self._plan.duration_ns))
        if not len(measured):
            return
        self._until_ns = max(self._until_ns, int(time_ns[measured].max()))
        names = len(self._plan.names.connection_pools)
        for key, rows in groups(chunk["service"][measured] * names + chunk["connection_pool"][measured]):
            self._seen[key // names, key % names].add(chunk, measured[rows])

    def summaries(self) -> tuple[PoolSummary, ...]:
        """One for each pool of each service."""
        window_ns = max(self._until_ns - self._plan.warm_up_ns, 1)
        names = self._plan.names
        return tuple(
            seen.summary(names.services[service], names.connection_pools[pool], window_ns)
            for (service, pool), seen in self._seen.items()
        )


class _Seen:
    """One pool of one service, over all its instances."""

    def __init__(self, pool: ConnectionPool, instances: int) -> None:
        self._pool = pool
        self._sums = np.zeros((instances, len(SUMS)), dtype=np.int64)
        """By instance."""
        self._peaks = [0, 0]
        """Held and waiting, at one instance at the end of an interval."""

    def add(self, chunk: Chunk, rows: np.ndarray) -> None:
        np.add.at(self._sums, chunk["instance"][rows], np.stack([chunk[name][rows] for name in SUMS], axis=1))
        for at, name in enumerate(("in_use", "waiting")):
            self._peaks[at] = max(self._peaks[at], int(chunk[name][rows].max()))

    def summary(self, service: str, name: str, window_ns: int) -> PoolSummary:
        in_use_ns, waiting_ns, acquired, timed_out = self._sums.sum(axis=0).tolist()
        return PoolSummary(
            service=service,
            connection_pool=name,
            maximum_pool_size=self._pool.size,
            in_use_mean=in_use_ns / window_ns,
            in_use_peak=self._peaks[0],
            utilisation_of_busiest=int(self._sums[:, 0].max()) / window_ns / self._pool.size,
            waiting_mean=waiting_ns / window_ns,
            waiting_peak=self._peaks[1],
            acquired=acquired,
            timed_out=timed_out,
            wait_mean_s=waiting_ns / (acquired + timed_out) / NS_PER_S if acquired + timed_out else 0.0,
        )
