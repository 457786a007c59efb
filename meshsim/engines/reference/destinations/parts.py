"""What a view is to who tells it of instances and to who counts what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.travel.endpoint import EndpointView


class Part(Protocol):
    """The endpoints of one service: what discovery tells of, and what is counted."""

    key: int
    """Of its proxy."""
    luck: int
    """Of its own: of the proxy and the service that it asks."""
    service: int
    operation: int
    """What calls ask it for; NONE where they say so themselves."""
    activity: Activity
    endpoints: list[EndpointView]

    @property
    def present(self) -> tuple[int, int]:
        """How many endpoints the proxy knows of, and how many of them are neither ejected nor fail a check."""
        ...

    def join(self, index: int) -> None:
        """An instance of the service is there."""
        ...

    def leave(self, index: int) -> None:
        """It has gone."""
        ...
