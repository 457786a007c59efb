"""Where a view belongs, what it has from others, and what it is to who tells it of instances and counts what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.time.station import Station
    from meshsim.engines.reference.travel.endpoint import EndpointView


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


class Pool(Protocol):
    """Whatever keeps a view's connections."""

    def drain(self) -> None:
        """Certificates have changed: no further request goes on a connection that was made before."""
        ...


class Reports(Protocol):
    """What brings a view the endpoints' own reports of their load."""

    def send(self, endpoint: EndpointView) -> None:
        """One report."""
        ...


class Part(Protocol):
    """The endpoints of one service: what discovery tells of, and what is counted."""

    key: int
    service: int
    activity: Activity
    endpoints: list[EndpointView]

    def join(self, index: int) -> None:
        """An instance of the service is there."""
        ...

    def leave(self, index: int) -> None:
        """It has gone."""
        ...
