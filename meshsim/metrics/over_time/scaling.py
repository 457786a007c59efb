"""How autoscalers went over time: replicas wanted and ready, and the metric that decided against its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Intervals
from meshsim.plan import NONE
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Autoscaling, Plan
    from meshsim.records import Chunk

_LOOK = ("service", "time_ns", "desired", "ready", "metric", "usage")


class ScalingOverTime:
    """A sink of autoscaling, which has few rows; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._looks: dict[int, list[tuple[int, float, float, float]]] = {}
        """By service that has an autoscaler, in the order of time: when (ns), replicas wanted and ready, metric by target."""
        self._scalers: dict[int, Autoscaling] = {}
        for number, service in enumerate(plan.services):
            life = service.lifecycle
            if life is not None and life.autoscaling is not None:
                self._looks[number] = [(-1, life.replicas, np.nan, np.nan)]
                self._scalers[number] = life.autoscaling

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of autoscaling only."""
        if table != "autoscaling":
            return
        for service, at_ns, desired, ready, metric, usage in zip(*(chunk[name].tolist() for name in _LOOK), strict=True):
            of_target = np.nan if metric == NONE else usage / self._scalers[service].metrics[metric].target
            self._looks[service].append((at_ns, desired, ready, of_target))

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each service that has an autoscaler, and interval.

        Returns:
            Columns of equal length: service, time_s (start of the interval), interval_s, and of the last look before its end wanted
            (replicas, from that look on), ready (of those before it; NaN before the first look) and of_target (the metric that asked
            for most, as a multiple of its target; NaN where none had figures).
        """
        self._axis.halvings(max(0, simulated_ns - 1))
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, parts = len(edges_ns) - 1, []
        for looks in self._looks.values():
            columns = np.asarray(looks, dtype=float).T
            parts.append(columns[1:, np.searchsorted(columns[0], edges_ns[1:], side="left") - 1])
        names = [self._plan.names.services[number] for number in self._looks]
        values = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0))
        return {
            "service": np.repeat(np.asarray(names, dtype=object), count),
            "time_s": np.tile(edges_ns[:-1] / NS_PER_S, len(names)),
            "interval_s": np.tile(np.diff(edges_ns) / NS_PER_S, len(names)),
            **dict(zip(("wanted", "ready", "of_target"), values, strict=True)),
        }
