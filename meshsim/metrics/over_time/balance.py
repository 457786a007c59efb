"""How evenly each caller used the instances of each service over time, and how much of it stayed in its zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.over_time.policies import way_name
from meshsim.metrics.over_time.wanted import Wanted
from meshsim.metrics.policies.activity import GATEWAY, OUTSIDE
from meshsim.metrics.rows import groups
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

MOST_INTERVALS = 200
"""Fewer and longer than those of other tables: there is a row for each instance, and a few attempts are never evenly spread."""
_PLACED, _IN_ZONE = -1, -2
"""Stand for an instance: attempts whose zones are known, and of them those that stayed in the caller's."""

Way = tuple[int, int]


class BalanceOverTime:
    """A sink of attempts and autoscaling; its intervals are some of those of `meshsim.metrics.over_time.requests` together."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        together = max(1, -(-plan.duration_ns // (plan.interval_ns * MOST_INTERVALS)))
        self._axis = Intervals(plan.interval_ns * together, plan.duration_ns)
        self._counted: Counted[tuple[Way, int]] = Counted()
        """Key: caller and service, and the instance that was picked."""
        self._wanted = Wanted(plan)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows of attempts, and what autoscalers decided. An attempt counts when it was sent; one that never was counts for nobody."""
        self._wanted.take(table, chunk)
        if table != "attempts":
            return
        sent = np.flatnonzero((chunk["instance"] >= 0) & (chunk["service"] >= 0) & (chunk["sent_ns"] >= 0))
        if not len(sent):
            return
        for _ in range(self._axis.halvings(int(chunk["sent_ns"][sent].max()))):
            self._counted.halve()
        caller, service = chunk["caller"][sent], chunk["service"][sent]
        for _, rows in groups((caller + 3) * 4096 + service):
            way = int(caller[rows[0]]), int(service[rows[0]])
            places = sent[rows]
            self._add(way, chunk["sent_ns"][places] // self._axis.width_ns, chunk["instance"][places], chunk["proxy"][places])

    def _add(self, way: Way, intervals: np.ndarray, instance: np.ndarray, proxy: np.ndarray) -> None:
        for number, rows in groups(instance):
            self._counted.add((way, number), intervals[rows])
        zones = caller_zones(self._plan, way[0])
        placed = np.flatnonzero(proxy >= 0)
        if zones is None or not len(placed) or len(self._plan.names.zones) < 2:
            return
        is_same = zones[proxy[placed]] == np.asarray(self._plan.services[way[1]].zones)[instance[placed]]
        self._counted.add((way, _PLACED), intervals[placed])
        self._counted.add((way, _IN_ZONE), intervals[placed[is_same]])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each interval of each caller and service.

        Args:
            simulated_ns: How far the run has come.

        Returns:
            Columns of equal length: destination (such as `front to back`), caller, service, time_s (start of the interval),
            interval_s, attempts_per_s (that were sent), spread (attempts at the instance that got the most, by the mean over all
            instances: 1 is even, and chance alone makes it more where there are few), used_share (of the instances, those that got
            any), in_zone_share (of the attempts, those that stayed in the caller's zone; NaN where there is but one zone or the
            caller's is not told). The last three are NaN where nothing was sent. Instances are as many as are wanted at the
            beginning of the interval, those that are down included; more where more got attempts.
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        ways = sorted({way for way, _ in self._counted.known()})
        parts = [self._of(way, edges_ns) for way in ways] or [self._of((-1, 0), edges_ns[:1])]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _of(self, way: Way, edges_ns: np.ndarray) -> dict[str, np.ndarray]:
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        places = len(self._plan.services[way[1]].zones)
        sent = np.stack([self._counted.row((way, number), count) for number in range(places)])
        used = (sent > 0).sum(axis=0)
        instances = np.maximum(used, self._wanted.at(way[1], edges_ns[:-1]))
        total, placed = sent.sum(axis=0), self._counted.row((way, _PLACED), count)
        caller = OUTSIDE.get(way[0]) or self._plan.names.services[way[0]]
        service = self._plan.names.services[way[1]]
        texts = {"destination": way_name(caller, service), "caller": caller, "service": service}
        with np.errstate(invalid="ignore"):
            return {
                **{name: np.full(count, text, dtype=object) for name, text in texts.items()},
                "time_s": edges_ns[:-1] / NS_PER_S,
                "interval_s": lengths_s,
                "attempts_per_s": total / lengths_s,
                "spread": sent.max(axis=0) * instances / total,
                "used_share": np.where(total > 0, used / instances, np.nan),
                "in_zone_share": self._counted.row((way, _IN_ZONE), count) / placed,
            }


def caller_zones(plan: Plan, caller: int) -> np.ndarray | None:
    """The zone of each proxy of a caller; None where that is not told, as in `meshsim.metrics.policies.activity`."""
    if caller >= 0 and plan.mesh is not None and plan.mesh.ambient is None:
        return np.asarray(plan.services[caller].zones)
    if caller == GATEWAY and plan.gateway is not None:
        return np.asarray(plan.gateway.zones)
    return None
