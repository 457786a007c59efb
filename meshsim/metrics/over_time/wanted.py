"""How many replicas of each service there should be over time: by its schedule, or by what its autoscaler decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk


class Wanted:
    """A sink of autoscaling, which has few rows."""

    def __init__(self, plan: Plan) -> None:
        self._changes: list[list[tuple[int, int]]] = []
        """By service: when (ns) the number becomes what, in the order of time."""
        for service in plan.services:
            life = service.lifecycle
            scheduled = [(0, len(service.zones))] if life is None else [(0, life.replicas), *life.scale]
            self._changes.append(scheduled)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of autoscaling only."""
        if table != "autoscaling":
            return
        changed = np.flatnonzero(chunk["desired"] != chunk["replicas"])
        for service, at_ns, replicas in zip(
            *(chunk[name][changed].tolist() for name in ("service", "time_ns", "desired")), strict=True
        ):
            self._changes[service].append((at_ns, replicas))

    def at(self, service: int, times_ns: np.ndarray) -> np.ndarray:
        """How many there should be at each time, int64."""
        since_ns, replicas = zip(*self._changes[service], strict=True)
        return np.asarray(replicas)[np.searchsorted(since_ns, times_ns, side="right") - 1]
