"""What one proxy's view of a destination has done so far."""

from __future__ import annotations

from operator import attrgetter

from meshsim.records import ACTIVITY

_COUNTS = attrgetter(*ACTIVITY)


class Activity:
    """What one proxy's view of a destination has done since the start: counts, each of which only grows (`ACTIVITY` of meshsim.records)."""

    __slots__ = tuple(ACTIVITY)

    def __init__(self) -> None:
        self.opened = self.closed = self.handshakes = self.resumed = self.connect_failures = self.connect_timeouts = 0
        self.pool_waits = self.connection_overflows = self.stale_picks = self.panic_picks = self.no_host = self.sessions_moved = 0
        self.endpoint_waits = self.failfasts = self.timeouts = 0
        self.retries = self.retries_refused = self.hedges = self.hedges_won = self.mirrored = 0
        self.breaker_rejected = self.throttled = self.limited = self.ejections = self.health_changes = 0
        self.cross_zone = self.cross_zone_bytes = 0

    def values(self) -> tuple[int, ...]:
        """The counts in the order of the columns."""
        counts: tuple[int, ...] = _COUNTS(self)
        return counts
