"""The views that the callers of one kind have of one destination, as one row of the records has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.destinations.activity import Activity
from meshsim.policies.circuit_breaking import HALF_OPEN, OPEN

if TYPE_CHECKING:
    from collections import Counter

    from meshsim.engines.reference.destinations.parts import Part
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.travel.sidecar import Owner


RETRIES = 3
"""Place of the retries under way among the levels of a view."""


class Sleeper(Protocol):
    """Whoever knows when the next call comes."""

    def rest(self) -> None:
        """Say so with the next call."""
        ...


class Seen:
    """Of a view what is of one service, all of it or one of its backends, and the view itself where its own numbers count here."""

    __slots__ = ("is_awake", "part", "present", "sleeper", "view")

    def __init__(self, part: Part, view: View | None) -> None:
        self.part = part
        self.view = view
        self.sleeper: Sleeper | None = None
        """Who tells of the next call; None where more than calls may change the view."""
        self.is_awake = True
        """Whether it is looked at for the next row."""
        self.present = (0, 0)
        """How many endpoints there were, and how many healthy ones, when it was looked at last."""

    def levels(self) -> list[int]:
        """How it is at this instant: the columns of `DESTINATIONS` from `connections` to `concurrency_limit`."""
        in_flight = sum([endpoint.in_flight for endpoint in self.part.endpoints if endpoint.is_member])
        view = self.view
        if view is None:
            return [0, in_flight, 0, 0, 0, 0, 0]
        state = None if view.breaker is None else view.breaker.state
        return [
            view.connections.in_use,
            in_flight,
            view.pending.in_use + (0 if view.queue is None else view.queue.length),
            view.retries.in_use,
            int(state == OPEN),
            int(state == HALF_OPEN),
            0 if view.limiter is None else view.limiter.limit,
        ]


class Together:
    """The views that have been made, and how many more there will be once their proxies call.

    A view that only its own calls change is asked how it is while something goes on in it, and then not before the next call: in a large
    mesh that is nearly none of them at any instant.
    """

    __slots__ = ("_awake", "_before", "_healthy", "_members", "_resting", "activity")

    def __init__(self) -> None:
        self.activity = Activity()
        """What all of them have done since the start."""
        self._awake: list[Seen] = []
        self._resting = 0
        """Views that nobody has needed yet, or that nothing has gone on in since the row before: all there is to say is who is there."""
        self._members = 0
        """Endpoints that those know of, summed."""
        self._healthy = 0
        """Of these, those that are neither ejected nor fail a check."""
        self._before: tuple[int, ...] | None = None
        """What had been counted until the row before; None before the first."""

    def add(self, part: Part, view: View | None) -> None:
        """A part of a view that has been made, and the view where its own numbers count here; from now on it is looked at for each row."""
        part.activity = self.activity
        if view is not None:
            view.activity = self.activity
        self._awake.append(Seen(part, view))

    def leave_to(self, sleeper: Sleeper, part: Part) -> Seen:
        """Of a part that has just been added: only calls change it, and this one tells of the next."""
        seen = next(one for one in reversed(self._awake) if one.part is part)
        seen.sleeper = sleeper
        return seen

    def expect(self, members: int, healthy: int) -> None:
        """One more view, of so many endpoints, that is not made yet."""
        self._resting += 1
        self._members += members
        self._healthy += healthy

    def take(self, members: int, healthy: int) -> None:
        """One of those is going to be made."""
        self._resting -= 1
        self._members -= members
        self._healthy -= healthy

    def wake(self, seen: Seen) -> None:
        """A call comes to a view that may have been at rest."""
        if not seen.is_awake:
            seen.is_awake = True
            self._awake.append(seen)
            members, healthy = seen.present
            self._resting -= 1
            self._members -= members
            self._healthy -= healthy

    def row(self, retries: Counter[Owner | None]) -> list[int] | None:
        """The columns of `DESTINATIONS` from `proxies` on; None where nothing has been going on since the row before.

        Args:
            retries: Gets those under way added, by proxy.
        """
        now = self.activity.values()
        if now == self._before and not self._awake:
            return None
        before = self._before or (0,) * len(now)
        self._before = now
        proxies, members, healthy = self._resting + len(self._awake), self._members, self._healthy
        totals = [0] * 7
        still = []
        for seen in self._awake:
            seen.present = present = seen.part.present
            members += present[0]
            healthy += present[1]
            levels = seen.levels()
            if any(levels):
                if levels[RETRIES] and seen.view is not None:
                    retries[seen.view.proxy] += levels[RETRIES]
                totals = [total + level for total, level in zip(totals, levels, strict=True)]
            elif seen.sleeper is not None:
                self._rest(seen, seen.sleeper)
                continue
            still.append(seen)
        self._awake = still
        return [proxies, members, healthy, *totals, *[new - old for new, old in zip(now, before, strict=True)]]

    def _rest(self, seen: Seen, sleeper: Sleeper) -> None:
        seen.is_awake = False
        sleeper.rest()
        self._resting += 1
        self._members += seen.present[0]
        self._healthy += seen.present[1]
