"""The views that the callers of one kind have of one destination, as one row of the records has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View


class Together:
    """The views that have been made, and how many more there will be once their proxies call."""

    __slots__ = ("before", "late", "late_members", "views")

    def __init__(self) -> None:
        self.views: list[View] = []
        self.late = 0
        """Views that nobody has needed yet: all that they know is who is there."""
        self.late_members = 0
        """Endpoints that they know of, summed."""
        self.before = [0] * len(ACTIVITY)
        """Of the views, what had been counted until the row before."""

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
        totals = [sum(column) for column in zip(*(view.activity.values() for view in self.views), strict=True)]
        counts = [new - old for new, old in zip(totals, self.before, strict=True)]
        self.before = totals
        return counts
