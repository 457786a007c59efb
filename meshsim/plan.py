"""The Plan: what an engine is given.

Flat tables of small integers, nanoseconds and built policies. No names in it decide anything (they are carried in `Names` for
those who write results), no YAML, no defaults left open. `meshsim.planning` makes it from a Scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meshsim.arrivals import Arrivals
    from meshsim.distributions import Distribution
    from meshsim.policies.filters import Filter
    from meshsim.policies.load_balancing import LoadBalancer
    from meshsim.policies.retry import RetryBudget, RetryPolicy
    from meshsim.replay import Table

NONE = -1
"""No such thing, wherever an index could stand."""


class OnCancel(IntEnum):
    """What a service does with a request whose caller has given up."""

    CONTINUE = 0
    """Work on: most servers do not notice. It is what makes retry storms."""
    DROP_QUEUED = 1
    """Skip it where it still waits in the queue; finish it where work has begun."""
    STOP = 2
    """Stop at once, and cancel its own calls."""


class StepKind(IntEnum):
    """What one step of a script does."""

    COMPUTE = 0
    CALL = 1
    PARALLEL = 2


class Effect(IntEnum):
    """What a fault does to an instance."""

    SLOW = 0
    """Computations that begin take `amount` times as long."""
    CRASH = 1
    """Requests in it are lost, new ones refused."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Envoy's circuit breakers of one cluster."""

    max_connections: int
    max_pending_requests: int
    max_requests: int
    max_retries: int


@dataclass(frozen=True, slots=True)
class Retries:
    """When one layer tries again, and how long a try may take."""

    policy: RetryPolicy
    per_try_timeout_ns: int
    """0 for none."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """How one kind of proxy sends to one service: what is shared by all of its routes there."""

    service: int
    balancer: LoadBalancer
    limits: Limits | None
    budget: RetryBudget | None


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers of a call outside the cluster: the timeout over all tries, and the tries."""

    timeout_ns: int
    """0 for none."""
    retries: Retries | None


BARE = Stack(0, None)
"""No layer at all."""


class Step(NamedTuple):
    """One step of a script."""

    kind: StepKind
    place: int
    """Where in the operation's script it stands: part of the key of what it draws."""
    time: Distribution | Table | None = None
    operation: int = NONE
    probability: float = 1.0
    optional: bool = False
    stack: Stack = BARE
    """The calling application's own timeout and retries."""
    calls: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a service does."""

    service: int
    steps: tuple[Step, ...]
    error_rate: float
    error_table: Table | None
    error_status: int
    error_grpc_status: int
    """NONE for an HTTP service."""
    never_fails: bool
    """Whether it has no errors of its own."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service and its instances."""

    stream: int
    """Hash of the name: the root of what its sidecars draw."""
    zones: tuple[int, ...]
    """The zone of each instance; their number is the number of replicas."""
    weights: tuple[float, ...]
    workers: int
    queue_limit: int
    """Requests that may wait at one instance; NONE for no limit."""
    is_async: bool
    on_cancel: OnCancel
    is_grpc: bool
    may_crash: bool
    """Whether a fault crashes it: only then are its requests kept in a list."""
    inbound: tuple[Filter, ...]
    """Filters of the sidecar at each instance."""


@dataclass(frozen=True, slots=True)
class ProxyKind:
    """The gateway's replicas, or the sidecars."""

    workers: int
    time: Distribution | None


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's replicas."""

    zones: tuple[int, ...]
    proxy: ProxyKind
    filters: tuple[Filter, ...]
    clusters: tuple[Cluster | None, ...]
    """By service; None where no route leads."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The sidecars: one at each instance."""

    proxy: ProxyKind
    clusters: tuple[Cluster, ...]
    """By service."""
    stacks: tuple[Stack, ...]
    """By service."""


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
    instances: int
    """The first so many."""
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
    direct: tuple[Cluster, ...]
    """By service: how a caller without a proxy picks an instance."""
    gateway: Gateway | None
    mesh: Mesh | None
    network: Network
    faults: tuple[Fault, ...]
    names: Names
