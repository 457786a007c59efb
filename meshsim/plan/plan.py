"""The Plan itself, with its loads, routes, faults and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.arrivals import Arrivals
    from meshsim.distributions import Distribution
    from meshsim.plan.kinds import Effect
    from meshsim.plan.layers import Stack
    from meshsim.plan.proxies import Direct, Gateway, Mesh
    from meshsim.plan.services import Operation, Service


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    operations: tuple[int, ...]
    shares: tuple[float, ...]
    """Upper bounds of the cumulated weights, the last of them 1."""
    stack: Stack


@dataclass(frozen=True, slots=True)
class Source:
    """One load."""

    stream: int
    """Hash of the name: the root of its requests' keys."""
    zone: int
    consumer: int
    routes: tuple[int, ...]
    """NONE stands for a path that no route matches."""
    shares: tuple[float, ...]
    stack: Stack
    arrivals: Arrivals | None
    """Of an open load."""
    users: tuple[tuple[tuple[int, int], ...], ...]
    """Of a closed load: for each virtual user the intervals in which it is at work, ns."""
    think_time: Distribution | None
    key_shares: tuple[float, ...] = ()
    """Upper bounds of the cumulated shares of the keys that its requests ask for; empty where they have none."""


@dataclass(frozen=True, slots=True)
class Network:
    """One-way latency of a message."""

    same_zone: Distribution | None
    cross_zone: Distribution | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table of faults."""

    from_ns: int
    until_ns: int
    service: int
    instances: tuple[int, ...]
    effect: Effect
    amount: float


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers stand for, for whoever writes results. Each tuple is in the order of the indices."""

    sources: tuple[str, ...]
    routes: tuple[str, ...]
    services: tuple[str, ...]
    operations: tuple[str, ...]
    consumers: tuple[str, ...]
    zones: tuple[str, ...]
    subsets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an engine needs to know."""

    duration_ns: int
    warm_up_ns: int
    interval_ns: int
    """Between two rows of the counters."""
    sources: tuple[Source, ...]
    routes: tuple[Route, ...]
    services: tuple[Service, ...]
    operations: tuple[Operation, ...]
    direct: Direct
    gateway: Gateway | None
    mesh: Mesh | None
    network: Network
    faults: tuple[Fault, ...]
    names: Names
