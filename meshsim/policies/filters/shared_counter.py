"""Counts that all replicas of a proxy share, and what each of them knows of these."""

from __future__ import annotations

from typing import NamedTuple

NOT_PENDING = -1


class Place(NamedTuple):
    """Where something is counted."""

    rule: int
    key: int
    """Number of the rule's counter."""
    window: int
    """Since time zero."""


class SharedCounter:
    """Counts of windows, in a store that all replicas can reach.

    A replica tells the store what it has counted when an interval is over. Nothing has to happen at that time itself: before anybody
    reads, the store makes up for what was due.
    """

    __slots__ = ("_counts", "_replicas", "_windows")

    def __init__(self) -> None:
        self._counts: dict[tuple[int, int], int] = {}
        self._windows: dict[tuple[int, int], int] = {}
        self._replicas: list[LocalCounter] = []

    def join(self, replica: LocalCounter) -> None:
        """A replica that has counts of its own."""
        self._replicas.append(replica)

    def count(self, now_ns: int, place: Place) -> int:
        """What all have told up to now."""
        for replica in self._replicas:
            replica.sync_if_due(now_ns)
        key = place.rule, place.key
        return self._counts[key] if self._windows.get(key) == place.window else 0

    def add(self, place: Place, count: int) -> None:
        """Count in the store. Of each key only the newest window is kept: nobody asks for an older one."""
        key = place.rule, place.key
        window = self._windows.get(key, NOT_PENDING)
        if place.window > window:
            self._windows[key] = place.window
            self._counts[key] = count
        elif place.window == window:
            self._counts[key] += count


class LocalCounter:
    """What one replica knows: the store's count when it last read that, and what it has counted itself since then.

    Args:
        store: Of all replicas.
        interval_ns: From the first that is counted until the store is told; then all is forgotten, and the store is read anew.
    """

    __slots__ = ("_due_ns", "_interval_ns", "_known", "_store", "_untold")

    def __init__(self, store: SharedCounter, interval_ns: int) -> None:
        self._store = store
        self._interval_ns = interval_ns
        self._known: dict[Place, int] = {}
        self._untold: dict[Place, int] = {}
        self._due_ns = NOT_PENDING
        store.join(self)

    def knows(self, place: Place) -> bool:
        """Whether the store's count has been read since the last sync."""
        return place in self._known

    def count(self, place: Place) -> int:
        """As far as this replica knows."""
        return self._known[place] + self._untold.get(place, 0)

    def read(self, now_ns: int, place: Place) -> None:
        """Learn the store's count."""
        self._known[place] = self._store.count(now_ns, place)

    def add(self, now_ns: int, place: Place, count: int, *, is_told: bool) -> None:
        """Count here, and tell the store at once or later."""
        if is_told:
            self._store.add(place, count)
            self._known[place] += count
        else:
            self._untold[place] = self._untold.get(place, 0) + count
        if self._due_ns == NOT_PENDING:
            self._due_ns = now_ns + self._interval_ns

    def sync_if_due(self, now_ns: int) -> None:
        """Tell the store, if it is time."""
        if NOT_PENDING != self._due_ns <= now_ns:
            self.sync()

    def sync(self) -> None:
        """Tell the store, and forget what it said before."""
        for place, count in self._untold.items():
            self._store.add(place, count)
        self._untold.clear()
        self._known.clear()
        self._due_ns = NOT_PENDING
