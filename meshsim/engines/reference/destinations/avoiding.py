"""Among whom retries are made that avoid the priorities which were tried before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.roles import Grouped
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.policies.locality import Arrangement


class Avoiding:
    """The endpoints of a view without those of some priorities; they take turns with the balancers that other picks are made by.

    Source: Envoy, source/extensions/retry/priority/previous_priorities (adjustForAttemptedPriorities).
    """

    __slots__ = ("_known", "_view")

    def __init__(self, view: Grouped) -> None:
        self._view = view
        self._known: dict[int, tuple[Arrangement, list[list[EndpointView]]]] = {}
        """By priorities, a bit for each."""

    def forget(self) -> None:
        """The endpoints have changed."""
        self._known.clear()

    def arrangement(self, priorities: int) -> tuple[Arrangement, list[list[EndpointView]]]:
        """Among whom to pick outside of these priorities; among all where nobody is healthy there."""
        known = self._known.get(priorities)
        if known is None:
            known = self._known[priorities] = self._arranged(priorities)
        return known

    def _arranged(self, priorities: int) -> tuple[Arrangement, list[list[EndpointView]]]:
        view = self._view
        members = [endpoint for endpoint in view.endpoints if endpoint.is_member and endpoint.is_available]
        left = [endpoint for endpoint in members if not priorities >> view.level(endpoint) & 1]
        arrangement, groups = view.arrange(left if any(one.is_healthy for one in left) else members)
        for source, group in zip(arrangement.sources, groups, strict=True):
            if source not in view.sources:  # the others are prepared
                view.prepare(source, group)
        return arrangement, groups
