"""Services: their scripts, their instances, and how these come and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from meshsim.plan.kinds import NONE, OnCancel, StepKind
from meshsim.plan.layers import BARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.distributions import Distribution
    from meshsim.plan.caches import Cache
    from meshsim.plan.layers import Stack
    from meshsim.plan.proxies import Ask
    from meshsim.plan.rollouts import Rollouts
    from meshsim.plan.scaling import Autoscaling
    from meshsim.policies.filters import Filter
    from meshsim.policies.load_shedding import LoadShedding
    from meshsim.policies.queueing import QueueDiscipline
    from meshsim.replay import Table


class Step(NamedTuple):
    """One step of a script."""

    kind: StepKind
    place: int
    """Where in the operation's script it stands: part of the key of what it draws, and its own; NONE for a transaction, which draws nothing."""
    time: Distribution | Table | None = None
    operation: int = NONE
    probability: float = 1.0
    optional: bool = False
    stack: Stack = BARE
    """The calling application's own timeout and retries."""
    calls: tuple[Step, ...] = ()
    """Those that are made at once."""
    steps: tuple[Step, ...] = ()
    """Those of a transaction, one after the other; of a call, those that are done where it has failed."""
    need: int = 0
    """Of calls at once, after how many good answers the others are given up; 0 for all."""
    is_waited_for: bool = True
    """Whether the script goes on only when the call has ended."""
    pool: int = NONE
    """Of a transaction: which of its service's pools."""
    queue: int = NONE
    """Of a message: which queue; its `operation` is the consumer's, NONE where nobody consumes."""
    cache: int = NONE
    """Of a cached step: which of its service's caches. `steps` load what is not there, and its place is its own number among such steps."""
    lookup: tuple[Step, ...] = ()
    """Steps before it is known whether it is there."""
    key_shares: tuple[float, ...] = ()
    """Upper bounds of the cumulated shares of the keys that it looks up; empty where requests bring their own."""
    key_place: int = NONE
    """Place of the step that draws the key: itself, or one around it whose keys these are."""


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps and those inside of them, in the order of the script."""
    for step in steps:
        yield step
        yield from every_step(step.calls)
        yield from every_step(step.lookup)
        yield from every_step(step.steps)


class ConnectionPool(NamedTuple):
    """Connections to a database, of which each instance has so many for itself."""

    name: int
    stream: int
    """Hash of its name: what it draws at an instance hangs on that, and not on which other pools there are."""
    size: int
    timeout_ns: int
    """A request that has waited for so long gives up; NONE for no limit."""
    is_fifo: bool
    """Whether a connection that comes back goes to whoever waits longest; else to anyone who waits."""


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
    request_kib: float = 0.0
    response_kib: float = 0.0
    """In the mean."""
    response_spread: Distribution | None = None
    """Sizes of answers, where they differ: bytes."""
    retry_after_ns: int = NONE
    """What its errors say about when to come again; NONE for nothing."""
    error_latency: Distribution | None = None
    """How long its errors take where they come at once, without a worker and work; None where they come after the work."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How the instances of a service come and go."""

    replicas: int
    """At the start; the service has as many places for instances as it ever has replicas."""
    order: tuple[int, ...]
    """All places: the first n are taken while there are n replicas, so that the last ones go first; restarts go through them in this order."""
    scale: tuple[tuple[int, int], ...]
    """When (ns) the number of replicas becomes what."""
    restarts: tuple[tuple[int, int], ...]
    """When (ns) all instances are restarted, and how many at once."""
    startup_ns: int
    """From the start of a process to its being ready."""
    pre_stop_ns: int
    """Between leaving the registry and stopping to take requests: the preStop sleep."""
    grace_ns: int
    """After that: requests in it may end for so long, then they are lost."""
    readiness_ns: int
    """Time in which the registry notices that an instance has crashed: probe period times threshold; NONE where nobody looks."""
    readiness_period_ns: int = 0
    """Between two probes, each instance's at a phase of its own; 0 for one that takes exactly as long as `readiness_ns`, either way."""
    readiness_successes: int = 1
    """Successes in a row that bring it back."""
    autoscaling: Autoscaling | None = None
    """Who changes the number of replicas, where no schedule does."""
    rollouts: Rollouts | None = None
    """Versions that come while it runs; None where there is one only."""

    @property
    def is_scaled(self) -> bool:
        """Whether the number of replicas changes, or which of the places they have."""
        return bool(self.scale) or self.autoscaling is not None or self.rollouts is not None


@dataclass(frozen=True, slots=True)
class Queue:
    """How those that wait at an instance leave its queue, where that is not first come, first served, each with a worker."""

    discipline: QueueDiscipline
    max_wait_ns: int
    """After so long a request is refused; NONE for no limit."""
    shedding: LoadShedding | None
    """Who is dropped out of it."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """What the computations of one instance share."""

    cores: float
    """Cores that it may use at once; NONE for as many as it has computations."""
    quota_ns: int
    """Processor time in each period; NONE without a limit."""
    period_ns: int
    burst_ns: int
    """Of what was left in earlier periods, how much may be used on top."""
    requests: int
    """Thousandths of a core that it asks for; NONE where it does not."""
    limits: int
    """Thousandths of a core that it may use in the mean; NONE without a limit."""

    @property
    def capacity(self) -> float:
        """Cores that it can use for long."""
        allowed = [] if self.quota_ns == NONE else [self.quota_ns / self.period_ns]
        return min([*allowed, *([] if self.cores == NONE else [self.cores])])


@dataclass(frozen=True, slots=True)
class Service:
    """One service and its instances."""

    stream: int
    """Hash of the name: the root of what its sidecars draw."""
    zones: tuple[int, ...]
    """The zone of each instance; their number is the number of replicas."""
    weights: tuple[float, ...]
    workers: int
    """0 where it has none: then only its `cpu` is scarce."""
    queue_limit: int
    """Requests that may wait at one instance; NONE for no limit."""
    is_async: bool
    on_cancel: OnCancel
    is_grpc: bool
    may_crash: bool
    """Whether a fault crashes it: only then are its requests kept in a list."""
    inbound: tuple[Filter, ...]
    """Filters of the sidecar at each instance."""
    asks: tuple[Ask, ...] = ()
    """Whom they ask."""
    lifecycle: Lifecycle | None = None
    """None where its instances are there from the beginning to the end."""
    subsets: tuple[int, ...] = ()
    """The subset of each instance; empty where there are none."""
    priorities: tuple[int, ...] = ()
    """Envoy's priority of each instance; empty where all have 0."""
    health: tuple[int, ...] = ()
    """What discovery says of each instance, one of `HealthStatus`; empty where it says nothing against any."""
    queue: Queue | None = None
    """None for first come, first served, where nobody leaves without a worker."""
    addresses: tuple[str, ...] = ()
    """Those that are given, by instance; empty where they are drawn."""
    keeps_deadlines: bool = False
    """Whether it stops work whose deadline has passed and passes the rest of the time on to its calls."""
    connection_pools: tuple[ConnectionPool, ...] = ()
    """Of each instance, one of each."""
    caches: tuple[Cache, ...] = ()
    """Of each instance, or shared by all."""
    fails_at_once: bool = False
    """Whether any error of its own or of a fault comes without work."""
    cpu: Cpu | None = None
    """None where each worker has a core to itself."""

    @property
    def servers(self) -> float:
        """What there is of the thing that its utilisation is a share of: workers, or cores where it has none."""
        return self.workers if self.workers or self.cpu is None else self.cpu.capacity

    @property
    def wants_deadlines(self) -> bool:
        """Whether calls to it have to say when their callers give up."""
        return self.keeps_deadlines or (self.queue is not None and self.queue.discipline.reads_deadlines)
