"""What a cache holds: answers, in the order in which they were asked for."""

from __future__ import annotations

from collections import OrderedDict


class Entry:
    """One stored answer."""

    __slots__ = ("expires_ns", "status", "used_ns")

    def __init__(self, status: int, expires_ns: int, used_ns: int) -> None:
        self.status = status
        self.expires_ns = expires_ns
        """From then on it is stale; it stays there none the less."""
        self.used_ns = used_ns
        """When it was stored or last asked for."""


class CacheStore:
    """As many entries as it may hold; the one that was not asked for longest, or came first, makes room.

    Stale entries count: neither NGINX nor Varnish takes an answer away because it is stale, since it may yet be of use.
    """

    __slots__ = ("_capacity", "_entries", "_inactive_ns", "_is_lru")

    def __init__(self, capacity: int, inactive_ns: int, *, is_lru: bool = True) -> None:
        self._capacity = capacity
        self._inactive_ns = inactive_ns
        self._is_lru = is_lru
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        """Who makes room first stands first."""

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: int, now_ns: int) -> Entry | None:
        """The entry, fresh or stale, which counts as a use of it; None where there is none.

        What nobody asked for in `inactive_ns` is taken away here, when somebody asks again: in the order of use it stands before
        all that is active, so that it never makes anything else leave.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now_ns - entry.used_ns >= self._inactive_ns:
            del self._entries[key]
            return None
        entry.used_ns = now_ns
        if self._is_lru:
            self._entries.move_to_end(key)
        return entry

    def peek(self, key: int) -> Entry | None:
        """The entry, which does not count as a use of it."""
        return self._entries.get(key)

    def put(self, key: int, status: int, expires_ns: int, now_ns: int) -> None:
        """Store an answer; an older one of the same key is overwritten, and keeps its place where the first one in is the first out."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.status, entry.expires_ns, entry.used_ns = status, expires_ns, now_ns
            if self._is_lru:
                self._entries.move_to_end(key)
            return
        if len(self._entries) >= self._capacity:
            self._entries.popitem(last=False)
        self._entries[key] = Entry(status, expires_ns, now_ns)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
