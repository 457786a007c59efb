"""What the policies of each caller did towards each destination, over time: health, breakers, retries, connections by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.policies.activity import OUTSIDE, Key
from meshsim.metrics.rows import groups
from meshsim.records import ACTIVITY
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

LEVELS = (
    "members", "healthy", "connections", "in_flight", "pending", "active_retries", "breakers_open", "breakers_half_open",
    "concurrency_limit",
)  # fmt: skip
"""Columns of `destinations` that say how it is at an instant; those of `ACTIVITY` say what happened since the instant before."""
_SEEN = "seen"
"""Key of the time that the rows of a destination stand for."""


class PoliciesOverTime:
    """A sink of destinations; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.names
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[str, Key]] = Counted()
        """Key: what was counted, and of which way. What never happened has no row, so that it takes no memory."""
        self._last_ns: dict[Key, int] = {}
        """When the row before was written, by way."""
        self._proxies: dict[Key, int] = {}

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of destinations only."""
        if table != "destinations" or not len(chunk["time_ns"]):
            return
        for _ in range(self._axis.halvings(int(chunk["time_ns"].max()) - 1)):
            self._counted.halve()
        ways = (chunk["caller"], chunk["service"], chunk["subset"])
        code = ((ways[0] + 3) * 4096 + ways[1]) * 4096 + ways[2] + 1
        for _, rows in groups(code):
            self._add(Key(*(int(column[rows[0]]) for column in ways)), {name: column[rows] for name, column in chunk.items()})

    def _add(self, key: Key, rows: Chunk) -> None:
        """Rows of one way, in the order of time. Each is of the time since the row before it."""
        time_ns = rows["time_ns"]
        lengths_ns = np.diff(time_ns, prepend=self._last_ns.get(key, 0))
        intervals = (time_ns - 1) // self._axis.width_ns
        self._last_ns[key], self._proxies[key] = int(time_ns[-1]), int(rows["proxies"][-1])
        self._counted.add((_SEEN, key), intervals, lengths_ns)
        for name in LEVELS:
            if rows[name].any():
                self._counted.add((name, key), intervals, rows[name] * lengths_ns)
        for name in ACTIVITY:
            if rows[name].any():
                self._counted.add((name, key), intervals, rows[name])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each interval of each way on which anything was sent or done.

        Args:
            simulated_ns: How far the run has come.

        Returns:
            Columns of equal length: destination (such as `front to back`, with the subset in brackets), caller (a service, `(client)`,
            `(gateway)` or `(waypoint)`), service, subset (empty: all of it), time_s (start of the interval), interval_s, proxies (how
            many callers or proxies the row is the sum of); `LEVELS`, summed over them and as they were at the ends of the intervals of
            the run, NaN where nobody looked; healthy_share (of the members; NaN without any), breakers_open_share and
            breakers_half_open_share (of the proxies); and for each of `meshsim.records.ACTIVITY` a rate, such as retries_per_s.
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        moved = {key for name, key in self._counted.known() if name in ACTIVITY or name in {"connections", "in_flight"}}
        parts = [self._of(key, edges_ns) for key in sorted(moved)] or [self._of(Key(-1, 0, -1), edges_ns[:1])]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _of(self, key: Key, edges_ns: np.ndarray) -> dict[str, np.ndarray]:
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        seen_ns = self._counted.row((_SEEN, key), count)
        seen_ns = np.where(seen_ns > 0, seen_ns, np.nan)
        levels = {name: self._counted.row((name, key), count) / seen_ns for name in LEVELS}
        proxies = self._proxies.get(key, 1)
        caller = OUTSIDE.get(key.caller) or self._names.services[key.caller]
        service = self._names.services[key.service]
        subset = self._names.subsets[key.subset] if key.subset >= 0 else ""
        texts = {"destination": way_name(caller, service, subset), "caller": caller, "service": service, "subset": subset}
        with np.errstate(invalid="ignore", divide="ignore"):
            healthy_share = np.where(levels["members"] > 0, levels["healthy"] / levels["members"], np.nan)
        return {
            **{name: np.full(count, text, dtype=object) for name, text in texts.items()},
            "time_s": edges_ns[:-1] / NS_PER_S,
            "interval_s": lengths_s,
            "proxies": np.full(count, proxies, dtype=np.int64),
            **levels,
            "healthy_share": healthy_share,
            "breakers_open_share": levels["breakers_open"] / proxies,
            "breakers_half_open_share": levels["breakers_half_open"] / proxies,
            **{f"{name}_per_s": self._counted.row((name, key), count) / lengths_s for name in ACTIVITY},
        }


def way_name(caller: str, service: str, subset: str = "") -> str:
    """`front to back`, or `front to back (canary)`: as the summary names a destination."""
    return f"{caller} to {service}" + (f" ({subset})" if subset else "")
