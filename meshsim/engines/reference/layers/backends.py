"""A rule with one cluster over several services: each try goes to the backend of the endpoint that was picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.flags import Flag

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler

ENDED_BY_THE_ROUTE = int(Flag.UT | Flag.SI)


class Way(NamedTuple):
    """What a try at one backend asks for, and the layers from the pool to the link."""

    operation: int
    handler: Handler


class BackendsLayer:
    """Send the try on to its endpoint's backend, whose operation the call asks for from then on."""

    __slots__ = ("_ways",)

    def __init__(self, ways: tuple[Way, ...]) -> None:
        self._ways = ways

    def call(self, call: Call) -> Steps:
        """What the backend answers; no generator of its own."""
        call.operation, handler = self._ways[call.endpoint.backend]
        return handler.call(call)


class LastTriedLayer:
    """Say of a timeout over all tries at which service it happened: the one that the last try went to."""

    __slots__ = ("_inner", "_service_of")

    def __init__(self, inner: Handler, service_of: dict[int, int]) -> None:
        self._inner = inner
        self._service_of = service_of
        """By operation."""

    def call(self, call: Call) -> Steps:
        """The inner outcome."""
        outcome: Outcome = yield from self._inner.call(call)
        if outcome.flags & ENDED_BY_THE_ROUTE:
            return outcome._replace(origin=self._service_of[call.operation])
        return outcome
