"""The views that the callers of one kind have of one destination, as one row of the records has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.parts import Part
    from meshsim.engines.reference.destinations.view import View


class Together:
    """The views that have been made, and how many more there will be once their proxies call."""

    __slots__ = ("before", "late", "late_members", "parts", "views")

    def __init__(self) -> None:
        self.parts: list[Part] = []
        """Of views, what is of this service: all of a view, or one of its backends."""
        self.views: list[View] = []
        """Those whose own numbers count here: of a view over several services the first part has them."""
        self.late = 0
        """Views that nobody has needed yet: all that they know is who is there."""
        self.late_members = 0
        """Endpoints that they know of, summed."""
        self.before = [0] * len(ACTIVITY)
        """Of the parts, what had been counted until the row before."""

    def add(self, part: Part, view: View | None) -> None:
        """A part of a view that has been made, and the view where its own numbers count here."""
        self.parts.append(part)
        if view is not None:
            self.views.append(view)

    def expect(self, members: int) -> None:
        """One more view, of so many endpoints, that is not made yet."""
        self.late += 1
        self.late_members += members

    def take(self, members: int) -> None:
        """One of those is going to be made."""
        self.late -= 1
        self.late_members -= members

    def counts(self) -> list[int]:
        """What the views have done since this was asked for last, in the order of `ACTIVITY`."""
        totals = [sum(column) for column in zip(*(part.activity.values() for part in self.parts), strict=True)]
        counts = [new - old for new, old in zip(totals, self.before, strict=True)]
        self.before = totals
        return counts
