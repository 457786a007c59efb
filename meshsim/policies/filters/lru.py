"""A store of bounded size whose entries expire."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lru(Generic[Value]):
    """As many entries as it may hold: to make room, the one goes that was neither read nor written for longest.

    An entry that has expired is not found, and keeps its place until somebody looks for it or it is the oldest: as in NGINX's zones,
    nothing sweeps, so that expired entries push out what is still good.
    """

    __slots__ = ("_entries", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        """Entries at most; with 0 nothing is ever kept."""
        self._entries: OrderedDict[int, tuple[int, Value]] = OrderedDict()
        """When it expires, and what it is; the one that makes room next stands first."""

    def __len__(self) -> int:
        """Entries, expired ones among them."""
        return len(self._entries)

    def get(self, key: int, now_ns: int) -> Value | None:
        """What is stored, which counts as a use of it; None where nothing is, or no longer.

        At the very instant at which it expires it is expired.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now_ns >= entry[0]:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: int, value: Value, expires_ns: int) -> None:
        """Store it as the one used last, in the place of any older one with the same key."""
        entries = self._entries
        entries[key] = expires_ns, value
        entries.move_to_end(key)
        if len(entries) > self._size:
            entries.popitem(last=False)

    def drop(self, key: int) -> None:
        """Forget one entry, if it is there."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
