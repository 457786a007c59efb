"""The Plan itself, with its loads, routes, faults and names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshsim.plan.kinds import NONE, HashOn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.arrivals import Arrivals
    from meshsim.distributions import Distribution
    from meshsim.plan.failing import Failing
    from meshsim.plan.kinds import Effect
    from meshsim.plan.layers import Stack
    from meshsim.plan.prices import Prices
    from meshsim.plan.proxies import Direct, Gateway, Mesh
    from meshsim.plan.queues import MessageQueue
    from meshsim.plan.services import Operation, Service
    from meshsim.plan.traffic import Cluster


@dataclass(frozen=True, slots=True)
class Canary:
    """A destination whose share of a route's requests follows a schedule."""

    operation: int
    start_ns: int
    steps: tuple[tuple[float, int], ...]
    """Share, and how long it holds (ns)."""
    interval_ns: int = 0
    """Between two checks; 0 for none at all."""
    min_success_rate: float = 0.0
    max_p99_ns: int = 0
    """0 for none."""
    min_requests: int = 1
    threshold: int = 1
    holds: bool = False
    """Whether the next step waits for a check that succeeds."""


@dataclass(frozen=True, slots=True)
class Part:
    """A further call that a route's answer is put together from."""

    operation: int
    is_optional: bool
    stack: Stack


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    operations: tuple[int, ...]
    shares: tuple[float, ...]
    """Upper bounds of the cumulated weights, the last of them 1."""
    stack: Stack
    sticky: HashOn = HashOn.NOTHING
    """Whose requests go to the same one of its destinations."""
    canary: Canary | None = None
    fallback: int = NONE
    """The operation that gets a request whose answer was a 5xx or none."""
    parts: tuple[Part, ...] = ()
    has_own_clusters: bool = False
    """Whether its destinations are clusters of its own, which no other route has a part in."""
    cluster: Cluster | None = None
    """The one cluster over all of its destinations, where it has one."""
    max_kib: float = 0.0
    """Of a request's body; 0 for no limit."""

    @property
    def reached(self) -> tuple[int, ...]:
        """All operations that its requests may go to, each once."""
        more = [self.fallback] if self.fallback != NONE else []
        return tuple(dict.fromkeys((*self.operations, *more, *(part.operation for part in self.parts))))


@dataclass(frozen=True, slots=True)
class Asker:
    """What the requests of a load show to filters, beside consumer and keys."""

    addresses: int = 1
    first_address: int = 0
    credentials: int = 1
    """Different keys or tokens; there are as many bad ones, with the numbers after them."""
    first_credential: int = 0
    bad_share: float = 0.0
    """Requests with a bad credential."""
    missing_share: float = 0.0
    """Requests with none."""
    criticality: int = 1
    kib: float = 0.0
    """Size of a body, where all are alike."""
    kib_spread: Distribution | None = None
    """Sizes of bodies, where they differ: bytes."""
    kib_ns: float = 0.0
    """Time for a KiB on the client's own link, either way."""
    requests_per_connection: int = 0
    """0 for no limit."""


@dataclass(frozen=True, slots=True)
class Source:
    """One load."""

    stream: int
    """Hash of the name: the root of its requests' keys."""
    zone: int
    consumer: int
    routes: tuple[int, ...]
    """NONE stands for a path that no route matches."""
    writes: tuple[bool, ...]
    """For each of these, whether it is asked for by another method than GET and HEAD."""
    shares: tuple[float, ...]
    stack: Stack
    arrivals: Arrivals | None
    """Of an open load."""
    users: tuple[tuple[tuple[int, int], ...], ...]
    """Of a closed load: for each virtual user the intervals in which it is at work, ns."""
    think_time: Distribution | None
    key_shares: tuple[float, ...] = ()
    """Upper bounds of the cumulated shares of the keys that its requests ask for; empty where they have none."""
    keys: Sequence[int] = ()
    """Numbers of these keys."""
    asker: Asker = field(default_factory=Asker)
    askers: tuple[Asker, ...] = ()
    """The same for each of `routes`, where they differ; empty where they do not."""
    iterations: int = 0
    """Of a closed load: how many requests each user sends, or all together; 0 for no limit."""
    shares_iterations: bool = False
    patience: Distribution | None = None
    """How long a client waits for an answer at most; None for ever."""


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
    """NONE for the gateway."""
    instances: tuple[int, ...]
    """Or the gateway's replicas."""
    effect: Effect
    amount: float
    failing: Failing | None = None
    """Of errors."""
    number: int = 0
    """Which fault of the scenario it is, from 0."""
    cache: int = NONE
    """Of a flush: which of the service's caches."""


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """A fault that comes and goes by chance."""

    fault: Fault
    """What it does, and to whom; between its times it may begin."""
    time_to_failure: Distribution
    time_to_repair: Distribution
    stream: int
    """Hash of the service's name, for what replicas draw by themselves."""
    is_together: bool
    """Whether it strikes all of them at once."""


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
    keys: tuple[str, ...] = ()
    """Those that have names, which come first."""
    connection_pools: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()


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
    time_zero: str = ""
    """Date and time at which the run begins; empty where it is drawn."""
    time_zero_ns: int = NONE
    """The same since 1970; NONE where it is drawn."""
    cold_start: bool = False
    """Whether all proxies begin with the run."""
    breakdowns: tuple[Breakdowns, ...] = ()
    """What goes wrong by chance; `fault_times.drawn` makes faults of it, which differ from one replication to the next."""
    prices: Prices | None = None
    """What things cost, for whoever tells of it; None where nobody says."""
    queues: tuple[MessageQueue, ...] = ()
    """Message queues and streams."""
