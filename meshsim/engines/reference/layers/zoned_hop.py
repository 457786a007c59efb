"""The innermost layer where there are several zones: what goes from one to another is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.layers.hop import HopLayer
from meshsim.engines.reference.travel.sizes import answer_kib

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Operation


class ZonedHopLayer(HopLayer):
    """As `HopLayer`; a request counts when it is sent, its answer when it has come and is no failure, which says next to nothing."""

    __slots__ = ("_operations", "_view")

    def __init__(
        self, clock: Clock, links: Links, service: int, refusals: Refusals, view: View, operations: tuple[Operation, ...]
    ) -> None:
        super().__init__(clock, links, service, refusals)
        self._view = view
        self._operations = operations

    def call(self, call: Call) -> Steps:
        """The instance's answer."""
        if call.endpoint.zone == call.zone:
            return HopLayer.call(self, call)
        return self._across(call)

    def _across(self, call: Call) -> Steps:
        operation, counted = self._operations[call.operation], self._view.activity_of(call.endpoint)
        counted.cross_zone += 1
        counted.cross_zone_bytes += round(operation.request_kib * 1024)
        outcome = yield from HopLayer.call(self, call)
        if not outcome.is_failure:
            counted.cross_zone_bytes += round(answer_kib(operation, call.key) * 1024)
        return outcome
