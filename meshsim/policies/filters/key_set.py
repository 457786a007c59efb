"""The keys that an issuer of tokens signs with, and what of them one proxy knows."""

from __future__ import annotations

from bisect import bisect_right

REFETCH_BEFORE_NS = 5_000_000_000
"""How long before the end of its life Envoy fetches a key set in the background."""


class KeySet:
    """Keys are numbered from 0 in the order in which they sign; a set that is published holds all keys up to a newest one."""

    __slots__ = ("_born_ns", "_ends_ns", "_known", "_lifetime_ns", "_period_ns", "_publications", "_rotations")

    def __init__(
        self, rotations: tuple[int, ...], publish_ahead_ns: int, lifetime_ns: int | None, *, is_async: bool, born_ns: int = 0
    ) -> None:
        """Nothing is known yet, unless it comes by itself.

        Args:
            rotations: When the issuer begins to sign with its next key.
            publish_ahead_ns: How long before that the key is in the published set.
            lifetime_ns: For how long a proxy uses a set that it has fetched; None for a set that it has from the start and for ever.
            is_async: Whether it fetches a new one by itself in time.
            born_ns: When its process began, and fetched its first.
        """
        self._rotations = sorted(rotations)
        self._publications = [at_ns - publish_ahead_ns for at_ns in self._rotations]
        self._lifetime_ns = lifetime_ns
        self._ends_ns = 0
        """Until when the set is used that was fetched last."""
        self._known = self.published(0)
        self._period_ns = 0
        self._born_ns = born_ns
        if lifetime_ns is not None and is_async:
            self._period_ns = lifetime_ns - REFETCH_BEFORE_NS if lifetime_ns > REFETCH_BEFORE_NS else lifetime_ns

    def signing(self, at_ns: int) -> int:
        """The key that signs what is issued at a time."""
        return bisect_right(self._rotations, at_ns)

    def published(self, at_ns: int) -> int:
        """The newest key of the set that is published at a time."""
        return bisect_right(self._publications, at_ns)

    def is_missing(self, now_ns: int) -> bool:
        """Whether the proxy has no set, or none that it may still use."""
        return self._lifetime_ns is not None and not self._period_ns and now_ns >= self._ends_ns

    def known(self, now_ns: int) -> int:
        """The newest key that the proxy knows; only where the set is not missing."""
        return self.published(now_ns - (now_ns - self._born_ns) % self._period_ns) if self._period_ns else self._known

    def fetched(self, now_ns: int) -> None:
        """The set has come."""
        self._known = self.published(now_ns)
        self._ends_ns = now_ns + (self._lifetime_ns or 0)
