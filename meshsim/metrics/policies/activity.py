"""What the policies of each caller did towards each destination, and how evenly its instances were used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshsim.metrics.policies.summaries import DestinationSummary
from meshsim.metrics.rows import groups
from meshsim.records import ACTIVITY
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

CLIENT, GATEWAY, WAYPOINT = -1, -2, -3
OUTSIDE = {CLIENT: "(client)", GATEWAY: "(gateway)", WAYPOINT: "(waypoint)"}


class Key(NamedTuple):
    """One caller's way to one destination."""

    caller: int
    service: int
    subset: int


class Activities:
    """A sink of destinations, filters and attempts, over the whole run: the warm-up included, since a policy may act there."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counts: dict[Key, np.ndarray] = {}
        self._proxies: dict[Key, int] = {}
        self._least_healthy: dict[Key, float] = {}
        self.refused: dict[tuple[int, int], int] = {}
        """By caller and service: all flags of tries that were never sent."""
        self.waited: Counter[tuple[int, int]] = Counter()
        """By caller and service: time that tries waited for a connection, given up or not, in ns."""
        self._waits: Counter[tuple[int, int]] = Counter()
        """How many tries, and waits that led to none, that is of."""
        self.cut_back_offs: set[tuple[int, int]] = set()
        """Callers and services with retries that were decided and, their back-off cut off, never sent."""
        self.judged: Counter[tuple[int, int, int]] = Counter()
        """By kind and service of the proxy and number of the filter."""
        self.acted: Counter[tuple[int, int, int]] = Counter()
        self._sent: dict[tuple[int, int], np.ndarray] = {}
        """By caller and service: attempts that were sent, by instance."""
        self._in_zone: Counter[tuple[int, int]] = Counter()
        self._placed: Counter[tuple[int, int]] = Counter()

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows."""
        if table == "destinations":
            self._take_destinations(chunk)
        elif table == "filters":
            for row in range(len(chunk["time_ns"])):
                key = tuple(int(chunk[name][row]) for name in ("kind", "service", "filter_number"))
                self.judged[key] += int(chunk["judged"][row])  # type: ignore[index]
                self.acted[key] += int(chunk["acted"][row])  # type: ignore[index]
        elif table == "attempts":
            self._take_attempts(chunk)
        elif table == "waits":
            self._take_waits(chunk)

    def least_healthy_share(self, key: Key) -> float:
        """The least share of the instances that callers thought healthy at the end of an interval."""
        return self._least_healthy[key]

    def counts(self, key: Key) -> dict[str, int]:
        """What was counted of one way, by name of the column."""
        return dict(zip(ACTIVITY, self._counts[key].tolist(), strict=True))

    @property
    def keys(self) -> list[Key]:
        """All ways that there are, in order."""
        return sorted(self._counts)

    def destinations(self) -> tuple[DestinationSummary, ...]:
        """A row for each way on which anything was sent or done."""
        return tuple(
            self._summary(key) for key in self.keys if self._counts[key].any() or (key.caller, key.service) in self._sent
        )

    def caller_name(self, caller: int) -> str:
        """A service, or who calls from outside."""
        return OUTSIDE.get(caller) or self._plan.names.services[caller]

    def _take_destinations(self, chunk: Chunk) -> None:
        counts = np.stack([chunk[name] for name in ACTIVITY], axis=1)
        columns = (chunk["caller"], chunk["service"], chunk["subset"])
        code = ((columns[0] + 3) * 4096 + columns[1]) * 4096 + columns[2] + 1
        for _, rows in groups(code):
            key = Key(*(int(column[rows[0]]) for column in columns))
            self._counts[key] = self._counts.get(key, np.zeros(len(ACTIVITY), dtype=np.int64)) + counts[rows].sum(axis=0)
            self._proxies[key] = int(chunk["proxies"][rows[0]])
            members = chunk["members"][rows]
            healthy = np.where(members > 0, chunk["healthy"][rows] / np.maximum(members, 1), 1.0)
            self._least_healthy[key] = min(self._least_healthy.get(key, 1.0), float(healthy.min()))

    def _take_attempts(self, chunk: Chunk) -> None:
        caller, service, instance = chunk["caller"], chunk["service"], chunk["instance"]
        known = np.flatnonzero(service >= 0)
        for _, positions in groups((caller[known] + 3) * 4096 + service[known]):
            rows = known[positions]
            key = int(caller[rows[0]]), int(service[rows[0]])
            unsent = rows[chunk["sent_ns"][rows] < 0]
            self.refused[key] = self.refused.get(key, 0) | int(np.bitwise_or.reduce(chunk["response_flags"][unsent], initial=0))
            self.waited[key] += int(chunk["connection_ns"][rows].sum())
            self._waits[key] += len(rows)
            sent = rows[instance[rows] >= 0]
            places = len(self._plan.services[key[1]].zones)
            counts = np.bincount(instance[sent], minlength=places)
            self._sent[key] = self._sent.get(key, np.zeros(places, dtype=np.int64)) + counts
            self._count_zones(key, chunk["proxy"][sent], instance[sent])

    def _take_waits(self, chunk: Chunk) -> None:
        """Of those who gave up waiting."""
        columns = [chunk[name] for name in ("caller", "service", "backoff_ns", "proxy_ns", "connection_ns")]
        for caller, service, back_off_ns, proxy_ns, connection_ns in zip(*(column.tolist() for column in columns), strict=True):
            if connection_ns:
                self.waited[caller, service] += connection_ns
                self._waits[caller, service] += 1
            elif back_off_ns and not proxy_ns:
                self.cut_back_offs.add((caller, service))

    def _count_zones(self, key: tuple[int, int], proxy: np.ndarray, instance: np.ndarray) -> None:
        caller, service = key
        zones = self._zones_of(caller)
        placed = np.flatnonzero(proxy >= 0)
        if zones is None or not len(placed):
            return
        same = zones[proxy[placed]] == np.asarray(self._plan.services[service].zones)[instance[placed]]
        self._in_zone[key] += int(same.sum())
        self._placed[key] += len(placed)

    def _zones_of(self, caller: int) -> np.ndarray | None:
        """The zone of each proxy of a caller; None where that is not told."""
        if caller >= 0 and self._plan.mesh is not None and self._plan.mesh.ambient is None:
            return np.asarray(self._plan.services[caller].zones)
        if caller == GATEWAY and self._plan.gateway is not None:
            return np.asarray(self._plan.gateway.zones)
        return None

    def _summary(self, key: Key) -> DestinationSummary:
        names, way = self._plan.names, (key.caller, key.service)
        sent = self._sent.get(way)
        total = 0 if sent is None else int(sent.sum())
        placed = self._placed[way]
        return DestinationSummary(
            caller=self.caller_name(key.caller),
            service=names.services[key.service],
            subset=names.subsets[key.subset] if key.subset >= 0 else None,
            proxies=self._proxies[key],
            spread=None if sent is None or not total else float(sent.max() * len(sent) / total),
            in_zone_share=self._in_zone[way] / placed if placed and len(names.zones) > 1 else None,
            least_healthy_share=self._least_healthy[key],
            counts={name: count for name, count in self.counts(key).items() if count},
            pool_wait_mean_s=self.waited[way] / self._waits[way] / NS_PER_S if self._waits[way] else 0.0,
        )
