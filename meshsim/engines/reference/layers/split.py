"""Traffic split among the subsets of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import SUBSET, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler


class SplitLayer:
    """Send a share of the calls to each subset; all tries of a call stay where it was sent.

    Source: Istio, networking/v1alpha3/virtual_service.proto (HTTPRouteDestination.weight); each subset is a cluster of its own.
    """

    __slots__ = ("_parts", "_shares", "_subsets")

    def __init__(self, parts: tuple[Handler, ...], shares: tuple[float, ...], subsets: tuple[int, ...]) -> None:
        self._parts = parts
        self._shares = shares
        """Upper bounds of the cumulated shares."""
        self._subsets = subsets
        """Whose each part is: a session stays in its own."""

    def call(self, call: Call) -> Steps:
        """What the subset answers."""
        session = call.session
        if session is not None and not session.is_over and session.instance.subset in self._subsets:
            return self._parts[self._subsets.index(session.instance.subset)].call(call)
        drawn = uniform(call.key, SUBSET)
        number = next(number for number, bound in enumerate(self._shares) if drawn < bound)
        return self._parts[number].call(call)
