"""How Deployments went over time: pods that are available, of the new version, there at all, and ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Intervals
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

FIGURES = ("available_share", "updated_share", "pods", "terminating")
_LEAST = frozenset({"available_share", "updated_share"})
_ROW = ("service", "time_ns", "desired", "available", "updated", "pods", "terminating")


class RolloutsOverTime:
    """A sink of deployments, which has few rows; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._rows: dict[int, list[tuple[float, ...]]] = {}
        """By service with rollouts, in the order of time: since when (ns), and `FIGURES`."""
        for number, service in enumerate(plan.services):
            life = service.lifecycle
            if life is not None and life.rollouts is not None:
                self._rows[number] = [(-1, 1.0, 1.0, life.replicas, 0)]

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of deployments only."""
        if table != "deployments":
            return
        for service, at_ns, desired, available, updated, pods, terminating in zip(
            *(chunk[name].tolist() for name in _ROW), strict=True
        ):
            shares = min(available, desired) / desired if desired else 1.0, updated / pods if pods else 1.0
            self._rows[service].append((at_ns, *shares, pods, terminating))

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each service with rollouts, and interval.

        Returns:
            Columns of equal length: service, time_s (start of the interval), interval_s, available_share (of the replicas wanted) and
            updated_share (of the pods, those of the version that all shall be of), both the least in the interval; pods and terminating (those
            that end), both the most in it.
        """
        self._axis.halvings(max(0, simulated_ns - 1))
        edges_ns = self._axis.edges_ns(simulated_ns)
        names = [self._plan.names.services[number] for number in self._rows]
        found = [_by_interval(np.asarray(rows, dtype=float), edges_ns) for rows in self._rows.values()]
        values = np.concatenate(found, axis=1) if found else np.zeros((len(FIGURES), 0))
        return {
            "service": np.repeat(np.asarray(names, dtype=object), len(edges_ns) - 1),
            "time_s": np.tile(edges_ns[:-1] / NS_PER_S, len(names)),
            "interval_s": np.tile(np.diff(edges_ns) / NS_PER_S, len(names)),
            **dict(zip(FIGURES, values, strict=True)),
        }


def _by_interval(rows: np.ndarray, edges_ns: np.ndarray) -> np.ndarray:
    """The figures of each interval, from how it stands at its start on; shape (figures, intervals)."""
    first = np.searchsorted(rows[:, 0], edges_ns[:-1], side="right") - 1
    behind = np.searchsorted(rows[:, 0], edges_ns[1:], side="left")
    made = [
        [(min if name in _LEAST else max)(rows[start : max(end, start + 1), at].tolist()) for at, name in enumerate(FIGURES, 1)]
        for start, end in zip(first, behind, strict=True)
    ]
    return np.asarray(made, dtype=float).reshape(-1, len(FIGURES)).T
