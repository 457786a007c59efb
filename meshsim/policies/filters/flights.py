"""Calls that are on their way for several requests at once."""

from __future__ import annotations


class Flights:
    """Which keys somebody has gone to ask for, so that the others wait for the answer in place of asking too.

    Who waits for a call that fails has failed with it, as in Go's singleflight; otherwise a hundred requests would wait for a hundred
    timeouts, one after the other. A call that was given up because its own client left says nothing: one of the others asks then.
    """

    __slots__ = ("_ended", "_ended_ns", "_since_ns")

    def __init__(self) -> None:
        self._since_ns: dict[int, int] = {}
        """When each call began, by key."""
        self._ended: dict[int, bool] = {}
        """Keys whose calls have ended at `_ended_ns`, and whether well: whoever waited is judged again within that same instant."""
        self._ended_ns = -1

    def begin(self, key: int, now_ns: int) -> None:
        """Somebody goes to ask."""
        self._since_ns[key] = now_ns

    def is_on(self, key: int) -> bool:
        """Whether somebody has gone to ask, and is not back."""
        return key in self._since_ns

    def end(self, key: int, now_ns: int, status: int, timeout_ns: int) -> None:
        """Whoever went to ask is back.

        Args:
            key: What for.
            now_ns: Time.
            status: HTTP status of the answer; 0 where none came in time.
            timeout_ns: For how long it may take; without an answer, and sooner than that, the asker has left.
        """
        since_ns = self._since_ns.pop(key, now_ns)
        if status == 0 and now_ns - since_ns < timeout_ns:
            return
        if self._ended_ns != now_ns:
            self._ended.clear()
            self._ended_ns = now_ns
        self._ended[key] = status == 200

    def ended(self, key: int, now_ns: int) -> bool | None:
        """Whether a call for that has ended well at this very instant; None where none has ended."""
        return self._ended.get(key) if self._ended_ns == now_ns else None
