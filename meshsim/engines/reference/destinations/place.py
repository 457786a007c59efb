"""Where a view of a destination belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.time.station import Station


class Place:
    """Where a view belongs: which proxy's it is, and where that stands among its like."""

    __slots__ = ("callers", "client", "key", "station", "zone")

    def __init__(
        self, key: int, zone: int, client: int = 0, callers: tuple[int, ...] = (), station: Station | None = None
    ) -> None:
        self.key = key
        self.zone = zone
        self.client = client
        """Number of the proxy among its like, from 0."""
        self.callers = callers
        """How many of its like there are in each zone."""
        self.station = station
        """The proxy's workers, which pay for handshakes; None without a proxy."""
