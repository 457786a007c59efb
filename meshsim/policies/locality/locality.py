"""What every policy of locality answers: among whom the load balancer picks, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from meshsim.policies.load_balancing.earliest_deadline import EarliestDeadline
from meshsim.policies.locality.priorities import priority_loads
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.load_balancing.balancer import Draw

PARTS = 10_000
"""Envoy counts shares of localities in hundredths of a percent."""


class Host(Protocol):
    """An endpoint, as far as locality looks at it."""

    zone: int
    priority: int
    weight: float

    @property
    def is_healthy(self) -> bool:
        """Whether it is neither ejected nor fails its checks."""
        ...


class Level:
    """One priority level: its groups, and how requests are shared out among them."""

    __slots__ = ("bounds", "groups", "turns", "weights")

    def __init__(self, groups: list[list[int]], weights: Sequence[float] = (), bounds: Sequence[int] = ()) -> None:
        """A level.

        Args:
            groups: Positions of hosts; one group, or several with weights or bounds.
            weights: Of each group: turns by earliest deadline.
            bounds: Of each group: upper bounds of the cumulated shares in parts of `PARTS`.
        """
        self.groups = groups
        self.weights = list(weights)
        self.turns = EarliestDeadline(self.weights) if weights else None
        self.bounds = list(bounds)

    def choose(self, draw: Draw) -> int:
        """Which of the groups."""
        if self.turns is not None:
            return self.turns.take(self.weights[self.turns.peek()])
        if not self.bounds:
            return 0
        drawn = draw.below(PARTS)
        for number, bound in enumerate(self.bounds):
            if drawn < bound:
                return number
        return len(self.bounds) - 1


class Arrangement:
    """Groups of hosts, and which of them a pick is made among."""

    __slots__ = ("_bounds", "_first", "_levels", "groups", "is_panic")

    def __init__(self, levels: list[Level], loads: list[int], is_panic: list[bool]) -> None:
        self.groups: list[list[int]] = []
        """Positions of hosts."""
        self.is_panic: list[bool] = []
        """Of each group, whether it has hosts that are not healthy because too few are."""
        self._levels: list[Level] = []
        self._first: list[int] = []
        """Number of the first group of each level."""
        self._bounds: list[int] = []
        bound = 0
        for level, load, panic in zip(levels, loads, is_panic, strict=True):
            if not load or not level.groups:
                continue
            bound += load
            self._levels.append(level)
            self._bounds.append(bound)
            self._first.append(len(self.groups))
            self.groups.extend(level.groups)
            self.is_panic.extend([panic] * len(level.groups))

    def choose(self, draw: Draw) -> int:
        """The group for one pick; only where there are any. Nothing is drawn where there is no choice."""
        number = 0
        if len(self._levels) > 1:
            drawn = draw.below(self._bounds[-1])
            while drawn >= self._bounds[number]:
                number += 1
        return self._first[number] + self._levels[number].choose(draw)


@family("locality")
class Locality(Policy):
    """Arranges the hosts of a destination by priority and zone, for one proxy. Made anew whenever they change."""

    def set_up(self, zones: tuple[str, ...] = (), **context: Any) -> None:  # noqa: ARG002
        """Prepare for zones of these names."""
        self._zones = zones

    def arrange(
        self,
        hosts: Sequence[Host],
        own_zone: int,
        callers: Sequence[int],
        panic_threshold: float,
        overprovisioning: float,
    ) -> Arrangement:
        """Among whom to pick.

        Args:
            hosts: All that the proxy knows of.
            own_zone: Where the proxy is.
            callers: How many proxies of its kind there are in each zone.
            panic_threshold: Share of healthy hosts below which all are used; 0 for never.
            overprovisioning: Envoy's factor, 1.4.
        """
        members: dict[int, list[int]] = {}
        for position, host in enumerate(hosts):
            members.setdefault(self.level(host, own_zone), []).append(position)
        numbers = sorted(members)
        healthy = [sum(hosts[position].is_healthy for position in members[number]) for number in numbers]
        loads = priority_loads(healthy, [len(members[number]) for number in numbers], panic_threshold, overprovisioning)
        levels = []
        for place, number in enumerate(numbers):
            everyone = members[number]
            if loads.is_panic[place] or not loads.percent[place]:
                levels.append(Level([everyone]))
            elif not healthy[place]:  # requests are sent there by numbers of hosts although nobody is healthy
                levels.append(Level([everyone] if panic_threshold else []))
            else:
                levels.append(self.inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=place == 0))
        return Arrangement(levels, loads.percent, loads.is_panic)

    def level(self, host: Host, own_zone: int) -> int:  # noqa: ARG002
        """The priority of a host: its own, or what the policy makes of its zone."""
        return host.priority

    def inside(
        self,
        hosts: Sequence[Host],
        everyone: list[int],
        own_zone: int,  # noqa: ARG002
        callers: Sequence[int],  # noqa: ARG002
        overprovisioning: float,  # noqa: ARG002
        *,
        is_first: bool,  # noqa: ARG002
    ) -> Level:
        """How the requests of one level are shared out; here among all healthy hosts."""
        return Level([[position for position in everyone if hosts[position].is_healthy]])


def healthy_by_zone(hosts: Sequence[Host], everyone: Sequence[int]) -> dict[int, list[int]]:
    """The healthy ones, by zone in order."""
    zones: dict[int, list[int]] = {}
    for position in everyone:
        if hosts[position].is_healthy:
            zones.setdefault(hosts[position].zone, []).append(position)
    return dict(sorted(zones.items()))
