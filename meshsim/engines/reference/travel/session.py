"""What a client's cookie says: the endpoint that it wants to come back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meshsim.engines.reference.travel.server import Server


class Session(NamedTuple):
    """What a client's cookie says."""

    operation: int
    """The route's destination, which the weights do not change any more."""
    instance: Server
    pod: int
    """Which of those that stood at the instance's place: the next one has another address."""
    until_ns: int
    """When the client forgets it; NONE for never."""

    @property
    def is_of_its_pod(self) -> bool:
        """Whether the endpoint is still the one that the cookie names."""
        return self.instance.pod == self.pod

    @property
    def is_over(self) -> bool:
        """Whether that endpoint has gone."""
        return not (self.instance.is_listed and self.is_of_its_pod)
