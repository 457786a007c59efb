"""Where a view of a destination belongs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.sidecar import Owner


class Place:
    """Where a view belongs: which proxy's it is, and where that stands among its like."""

    __slots__ = ("callers", "client", "key", "proxy", "zone")

    def __init__(self, key: int, zone: int, client: int = 0, callers: tuple[int, ...] = (), proxy: Owner | None = None) -> None:
        self.key = key
        self.zone = zone
        self.client = client
        """Number of the proxy among its like, from 0."""
        self.callers = callers
        """How many of its like there are in each zone."""
        self.proxy = proxy
        """The proxy; None of callers without one."""

    @property
    def ticks(self) -> Ticks | None:
        """The clock that the proxy's timers go by; None for exact ones."""
        return None if self.proxy is None else self.proxy.ticks


@cache
def by_zone(zones: tuple[int, ...]) -> tuple[int, ...]:
    """How many of these there are in each zone."""
    return tuple(zones.count(zone) for zone in range(max(zones) + 1))
