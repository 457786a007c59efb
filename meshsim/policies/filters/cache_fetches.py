"""Who is on the way for what a cache has not, and who waits for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked


class Fetch:
    """One request on its way for an answer."""

    __slots__ = ("is_stored", "lock_ends_ns", "ttl_ns")

    def __init__(self, ttl_ns: int, *, is_stored: bool, lock_ends_ns: int = 0) -> None:
        self.ttl_ns = ttl_ns
        """How long its answer is fresh."""
        self.is_stored = is_stored
        """Whether its answer is kept."""
        self.lock_ends_ns = lock_ends_ns
        """Until when others wait for it, if it holds the lock of its key."""


class CacheFetches:
    """The fetches of one cache, the lock of each key, and the deadlines of those who wait."""

    __slots__ = ("_copies", "_fetches", "_locks", "_waiting")

    def __init__(self) -> None:
        self._locks: dict[int, Fetch] = {}
        """By key: the fetch that the others leave the fetching to."""
        self._copies: dict[int, list[Fetch]] = {}
        """By key: those that nobody waits for."""
        self._fetches: dict[int, list[tuple[Asked, Fetch]]] = {}
        """By the request's identity; the request is kept with it, so that no other one can get the same identity meanwhile."""
        self._waiting: dict[int, tuple[Asked, int]] = {}
        """By the request's identity: until when it waits; in the order of these times, since all wait equally long."""

    def lock(self, key: int) -> Fetch | None:
        """The fetch that holds the lock of the key."""
        return self._locks.get(key)

    def take_lock(self, key: int, fetch: Fetch) -> None:
        """Give the lock to this fetch, whoever had it."""
        self._locks[key] = fetch

    def begin(self, asked: Asked, fetch: Fetch) -> None:
        """The request goes on, and its answer will come."""
        self._waiting.pop(id(asked), None)
        self._fetches.setdefault(id(asked), []).append((asked, fetch))

    def begin_copy(self, key: int, fetch: Fetch) -> None:
        """A copy of the request goes on in the background, with the lock of the key."""
        self._copies.setdefault(key, []).append(fetch)
        self._locks[key] = fetch

    def end(self, asked: Asked, key: int) -> Fetch | None:
        """The fetch of the request whose answer has come, with its lock given back; None where none is known.

        A request that has not gone on by itself is a copy, and those of one key are alike.
        """
        mine = self._fetches.get(id(asked))
        if mine is not None:
            _, fetch = mine.pop()
            if not mine:
                del self._fetches[id(asked)]
        else:
            copies = self._copies.get(key)
            if copies is None:
                return None
            fetch = copies.pop(0)
            if not copies:
                del self._copies[key]
        if self._locks.get(key) is fetch:
            del self._locks[key]
        return fetch

    def deadline_ns(self, asked: Asked, now_ns: int, timeout_ns: int) -> int:
        """Until when the request waits: `timeout_ns` from when it first had to."""
        waiting = self._waiting
        while waiting:  # Those whose callers left are never asked again; they stand at the front when their time is over.
            oldest = next(iter(waiting))
            if waiting[oldest][1] >= now_ns:
                break
            del waiting[oldest]
        return waiting.setdefault(id(asked), (asked, now_ns + timeout_ns))[1]

    def forget_waiting(self, asked: Asked) -> None:
        """The request waits no more."""
        self._waiting.pop(id(asked), None)
