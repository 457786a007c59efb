"""What every policy of locality answers: among whom the load balancer picks, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.own_policies import State, one_of, whole, yes_or_no
from meshsim.policies.load_balancing.earliest_deadline import MOST_PICKS, EarliestDeadline
from meshsim.policies.locality.priorities import priority_loads
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.policies.load_balancing.balancer import Draw

PARTS = 10_000
"""Envoy counts shares of localities in hundredths of a percent."""
HEALTHY, EVERYONE, DEGRADED = -1, -2, -3
"""What a group is of that is not one zone's: all healthy hosts of a priority, all hosts of it, or the degraded ones."""
Source = tuple[int, int]
"""A level's number and a zone, `HEALTHY` or `EVERYONE`: what a group stays the same by, whoever is in it (Envoy's HostsSource)."""
HEALTHY_HOSTS, ALL_HOSTS = (0, HEALTHY), (0, EVERYONE)
"""Where there is one level, and zones do not matter."""


class Host(Protocol):
    """An endpoint, as far as locality looks at it."""

    zone: int
    priority: int
    weight: float

    @property
    def is_healthy(self) -> bool:
        """Whether it is neither ejected nor fails its checks."""
        ...

    @property
    def is_degraded(self) -> bool:
        """Whether it is well enough to be used where there are not enough healthy ones."""
        ...


class Level:
    """One priority level: its groups, and how requests are shared out among them."""

    __slots__ = ("bounds", "groups", "kinds", "turns", "weights")

    def __init__(
        self,
        groups: list[list[int]],
        kinds: Sequence[int] = (HEALTHY,),
        weights: Sequence[float] = (),
        bounds: Sequence[int] = (),
    ) -> None:
        """A level.

        Args:
            groups: Positions of hosts; one group, or several with weights or bounds.
            kinds: Of each group: the zone that it is of, or `HEALTHY` or `EVERYONE`.
            weights: Of each group: turns by earliest deadline.
            bounds: Of each group: upper bounds of the cumulated shares in parts of `PARTS`.
        """
        self.groups = groups
        self.kinds = list(kinds)
        self.weights = list(weights)
        self.turns: EarliestDeadline | None = None
        self.bounds = list(bounds)

    def begin(self, draw: Draw) -> None:
        """Begin the turns, where there are any, at a random place.

        Envoy makes its scheduler of localities anew at each change of the priority, with a new random number of turns taken: begun at
        the first turn, a list that changes often would leave the light zones out.

        Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (rebuildLocalityWrrForPriority),
        locality_wrr.cc.
        """
        if self.weights:
            self.turns = EarliestDeadline(self.weights, draw.below(MOST_PICKS))

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

    __slots__ = ("_bounds", "_first", "_levels", "groups", "is_panic", "sources")

    def __init__(self, numbers: list[int], levels: list[Level], loads: list[int], is_panic: list[bool]) -> None:
        self.groups: list[list[int]] = []
        """Positions of hosts."""
        self.sources: list[Source] = []
        """Of each group."""
        self.is_panic: list[bool] = []
        """Of each group, whether it has hosts that are not healthy because too few are."""
        self._levels: list[Level] = []
        self._first: list[int] = []
        """Number of the first group of each level."""
        self._bounds: list[int] = []
        bound = 0
        for number, level, load, panic in zip(numbers, levels, loads, is_panic, strict=True):
            if not load or not level.groups:
                continue
            bound += load
            self._levels.append(level)
            self._bounds.append(bound)
            self._first.append(len(self.groups))
            self.groups.extend(level.groups)
            self.sources.extend((number, kind) for kind in level.kinds)
            self.is_panic.extend([panic] * len(level.groups))

    def choose(self, draw: Draw) -> int:
        """The group for one pick; only where there are any. Nothing is drawn where there is no choice."""
        number = 0
        if len(self._levels) > 1:
            drawn = draw.below(self._bounds[-1])
            while drawn >= self._bounds[number]:
                number += 1
        return self._first[number] + self._levels[number].choose(draw)


class LocalityState(State):
    """Arranges the hosts of a destination by priority and zone, for one proxy. It remembers nothing but the zones' names."""

    __slots__ = ("_zones",)

    def __init__(self, zones: tuple[str, ...] = ()) -> None:
        """For zones of these names."""
        self._zones = zones

    def arrange(
        self,
        hosts: Sequence[Host],
        own_zone: int,
        callers: Sequence[int],
        panic_threshold: float,
        overprovisioning: float,
        draw: Draw,
    ) -> Arrangement:
        """Among whom to pick.

        Args:
            hosts: All that the proxy knows of.
            own_zone: Where the proxy is.
            callers: How many proxies of its kind there are in each zone.
            panic_threshold: Share of healthy hosts below which all are used; 0 for never.
            overprovisioning: Envoy's factor, 1.4.
            draw: Where turns begin.
        """
        members: dict[int, list[int]] = {}
        for position, host in enumerate(hosts):
            members.setdefault(self.level(host, own_zone), []).append(position)
        numbers = sorted(members)
        healthy = [sum(hosts[position].is_healthy for position in members[number]) for number in numbers]
        degraded = [[position for position in members[number] if hosts[position].is_degraded] for number in numbers]
        total = [len(members[number]) for number in numbers]
        loads = priority_loads(healthy, total, panic_threshold, overprovisioning, [len(some) for some in degraded])
        levels = []
        for place, number in enumerate(numbers):
            everyone = members[number]
            if loads.is_panic[place] or not loads.percent[place]:
                levels.append(Level([everyone], [EVERYONE]))
            elif not healthy[place]:  # requests are sent there by numbers of hosts although nobody is healthy
                levels.append(Level([everyone], [EVERYONE]) if panic_threshold else Level([], []))
            else:
                levels.append(self.inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=place == 0))
            levels[-1].begin(draw)
        if not any(loads.degraded):
            return Arrangement(numbers, levels, loads.percent, loads.is_panic)
        for number, some, panic in zip(numbers, degraded, loads.is_panic, strict=True):
            levels.append(Level([members[number]], [EVERYONE]) if panic else Level([some], [DEGRADED]))
        return Arrangement(numbers * 2, levels, loads.percent + loads.degraded, loads.is_panic * 2)

    def knows(self, zone: int, own_zone: int) -> bool:  # noqa: ARG002
        """Whether hosts of a zone are in the list of a proxy of a zone at all; where not, they count for nothing there."""
        return True

    def level(self, host: Host, own_zone: int) -> int:  # noqa: ARG002
        """The priority of a host: its own, or what the policy makes of its zone."""
        return host.priority

    def zone_weights(self, hosts: Sequence[Host], everyone: Sequence[int], own_zone: int) -> Mapping[int, float] | None:  # noqa: ARG002
        """What each zone weighs in a level, whatever its health: for the tables of load balancers that hash; None without weights."""
        return None

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


@family("locality", LocalityState, arrange=one_of(Arrangement), level=whole(0), knows=yes_or_no, inside=one_of(Level))
class Locality(Policy):
    """Says which hosts the load balancer picks from."""

    def build(self, zones: tuple[str, ...] = (), **_: object) -> LocalityState:
        """What views ask; one for all of them.

        Args:
            zones: Names of the zones, by number.
        """
        raise NotImplementedError


def healthy_by_zone(hosts: Sequence[Host], everyone: Sequence[int]) -> dict[int, list[int]]:
    """The healthy ones, by zone in order."""
    zones: dict[int, list[int]] = {}
    for position in everyone:
        if hosts[position].is_healthy:
            zones.setdefault(hosts[position].zone, []).append(position)
    return dict(sorted(zones.items()))
