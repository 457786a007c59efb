"""The one noun that everything else is made of: a handler takes a call and returns its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call


class Handler(Protocol):
    """Takes a call and returns its outcome: a layer, a route, a gateway, a whole way to a service."""

    def call(self, call: Call) -> Steps:
        """Steps that return an `Outcome`."""
        ...
