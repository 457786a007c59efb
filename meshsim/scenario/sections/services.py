"""Services: their replicas, queues, scripts and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import Field, model_validator

from meshsim.scenario.sections.autoscaling import AutoscalingSection
from meshsim.scenario.sections.caches import CacheSection
from meshsim.scenario.sections.cpu import CpuSection
from meshsim.scenario.sections.errors import Errors
from meshsim.scenario.sections.hashed import HashedText, different_texts
from meshsim.scenario.sections.queues import ConsumesSection
from meshsim.scenario.sections.rollouts import RolloutStep, StrategySection
from meshsim.scenario.sections.scripts import Script
from meshsim.scenario.sections.sizes import Sizes
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.types import Choice, Duration, Name, Section, Size, choice_of
from meshsim.scenario.sections.wording import mistake

if TYPE_CHECKING:
    LoadSheddingChoice = Choice
    QueueDisciplineChoice = Choice
else:
    LoadSheddingChoice = choice_of("load_shedding")
    QueueDisciplineChoice = choice_of("queue_discipline")
Replicas = Annotated[int, Ge(1), Le(10_000)]
Workers = Annotated[int, Ge(1), Le(1_000_000)]


class ConnectionPoolSection(Section):
    """Connections to a database that each replica has for itself; who finds all of them taken waits."""

    maximum_pool_size: Annotated[int, Ge(1), Le(1_000_000)] = 10
    """Connections of one replica: HikariCP's, and its default; `SetMaxOpenConns` in Go."""
    acquire_timeout: Timeout = 30_000_000_000
    """A request that has waited for a connection so long fails (500, `pool_timeout`); with `0s` nobody waits. HikariCP's `connectionTimeout`, and
    its default; `none` is its 0, and what Go does."""
    waiters: Literal["fifo", "random"] = "fifo"
    """Who gets a connection that comes back: whoever waits longest, as in HikariCP, or any of those who wait, as in Go's database/sql."""


class QueueSection(Section):
    """Requests that wait for a worker at one replica."""

    limit: Annotated[int, Ge(0), Le(2**32 - 1)] | None = None
    """How many may wait; more are refused (503, `queue_full`). No limit where absent."""
    discipline: QueueDisciplineChoice | None = None
    """Which of them gets the next free worker; `fifo` where absent."""
    max_wait: Annotated[Duration, Gt(0)] | None = None
    """A request that has waited this long is refused at that moment (503, `queue_timeout`), as by HAProxy's `timeout queue` and Jetty's
    `maxSuspend`. No limit where absent."""
    shed: LoadSheddingChoice | None = None
    """Which requests are dropped from the queue (503, `shed`); none where absent."""


class OperationSection(Section):
    """One thing that a service does, called as `service/operation`."""

    script: Script = Field(default_factory=list)
    """What it does: a list is in sequence, a list in it is at once."""
    errors: Errors | None = None
    """How often it fails by itself; the service's own `errors` where absent."""
    request_size: Size | None = None
    """Size of a request to it; the service's own where absent. It costs time with `mtls.time_per_kib`, money with `cost.cross_zone_gib`."""
    response_size: Sizes | None = None
    """Size of its answer, or `{p50: 4KiB, p99: 200KiB}`; it takes time where a client's `bandwidth`, `mtls` or a filter
    says so, and money with `cost.cross_zone_gib`."""


class ScaleStep(Section):
    """A change of the number of replicas."""

    at: Duration
    """When."""
    replicas: Annotated[int, Ge(0), Le(10_000)]
    """How many there are from then on; 0 for none."""


class RestartStep(Section):
    """A rolling restart of all replicas."""

    at: Duration
    """When it begins."""
    batch: Annotated[int, Ge(1), Le(10_000)] = 1
    """How many at once; the next ones when those are ready again."""


class ReadinessSection(Section):
    """The readiness probe, by which the registry learns that an instance has crashed or cannot be reached."""

    period: Duration = 10_000_000_000
    """Time between two probes."""
    failure_threshold: Annotated[int, Ge(1), Le(1000)] = 3
    """Failures in a row that take it out of the registry: the first of them comes up to a period after the crash."""
    success_threshold: Annotated[int, Ge(1), Le(1000)] = 1
    """Successes in a row that bring it back; 1 as in Kubernetes."""


class HealthStatusSection(Section):
    """What discovery says of replicas for the whole run, whatever they do: Envoy's `health_status` of endpoints."""

    unhealthy: list[Annotated[int, Ge(0), Le(10_000)]] = Field(default_factory=list)
    """Those that are used in panic only, by number from 0; `TIMEOUT` means the same."""
    degraded: list[Annotated[int, Ge(0), Le(10_000)]] = Field(default_factory=list)
    """Those that are used only where there are not enough healthy ones."""


class PlacedSection(Section):
    """Something with replicas in zones."""

    replicas: Replicas = 1
    """How many there are; where `zones` is given, their sum."""
    zone: Name | None = None
    """Where all replicas are."""
    zones: dict[Name, Annotated[int, Ge(0), Le(10_000)]] | None = None
    """Replicas in each zone; a zone with 0 gets only replicas that are added later."""

    @model_validator(mode="before")
    @classmethod
    def _sum_of_zones(cls, value: Any) -> Any:
        if isinstance(value, dict) and "replicas" not in value and isinstance(value.get("zones"), dict):
            counts = list(value["zones"].values())
            if counts and all(type(count) is int for count in counts):
                return {**value, "replicas": sum(counts)}
        return value

    @model_validator(mode="after")
    def _zones_fit(self) -> Self:
        if self.zones is not None and self.zone is not None:
            raise mistake("write either `zone` or `zones`", "zone")
        if self.zones is not None and sum(self.zones.values()) != self.replicas:
            raise mistake(f"the zones have {sum(self.zones.values()):,} replicas, and `replicas` says {self.replicas:,}", "zones")
        return self


class ServiceSection(PlacedSection):
    """One service."""

    workers: Workers | None = None
    """How many requests one replica works on at once: threads, processes or, with `async`, event loops. 1 where absent; with `cpu`
    unlimited, as goroutines are, so that nothing queues."""
    cpu: CpuSection | None = None
    """The processor time that its computations share; a core for each worker where absent."""
    queue: QueueSection | None = None
    """Requests that wait for a worker; first come, first served and without a limit where absent."""
    connection_pools: dict[Name, ConnectionPoolSection] = Field(default_factory=dict)
    """Pools of connections to databases, one of each for every replica, which `transaction` steps take from."""
    consumes: dict[Name, ConsumesSection] = Field(default_factory=dict)
    """The `queues` that its replicas take messages from; each message is worked on like a request, but nobody waits for an answer."""
    caches: dict[Name, CacheSection] = Field(default_factory=dict)
    """Caches that `cached` steps read through."""
    is_async: bool = Field(default=False, alias="async")
    """Whether a worker is free while its request waits for a call, as an event loop is; otherwise it is held, as a thread is. One process
    of node.js is `workers: 1` with this."""
    on_cancel: Literal["continue", "drop_queued", "stop"] = "continue"
    """What happens to a request whose caller gave up: worked on in vain, skipped where it still waits, or stopped at once."""
    protocol: Literal["http", "grpc"] = "http"
    """What it speaks: failures of gRPC services are HTTP 200 with a grpc-status, which `5xx` does not match."""
    load_balancing_weights: list[Annotated[float, Gt(0), Le(1e6)]] | None = None
    """Envoy's weight of each replica; all equal where absent."""
    addresses: list[HashedText] | None = None
    """The address of each replica, such as `10.4.0.17:8080`, for load balancers that hash it: Envoy's placement of these very pods.
    Where absent the hashes are drawn, other ones in each replication. A pod that takes the place of one has an address of its own,
    which is drawn."""
    script: Script | None = None
    """What a request to it does: a list is in sequence, a list in it is at once."""
    errors: Errors | None = None
    """How often it fails by itself."""
    operations: dict[Name, OperationSection] = Field(default_factory=dict)
    """Further things that it does, each with a script of its own."""
    deadline_propagation: bool = False
    """Whether it stops work whose callers have given up by then (504, `deadline`), and tells its own calls when that is."""
    request_size: Size | None = None
    """Size of a request to it; nothing where absent. It costs time with `mtls.time_per_kib`, money with `cost.cross_zone_gib`."""
    response_size: Sizes | None = None
    """Size of its answer, or `{p50: 4KiB, p99: 200KiB}`; it takes time where a client's `bandwidth`, `mtls` or a filter
    says so, and money with `cost.cross_zone_gib`."""
    subsets: dict[Name, Annotated[int, Ge(1), Le(10_000)]] | None = None
    """Replicas by name of the subset (a version, say): the first ones belong to the first name in the alphabet, and so on; where there are
    several zones, each subset is spread over them."""
    priorities: list[Annotated[int, Ge(0), Le(127)]] | None = None
    """Envoy's priority of each replica; all 0 where absent."""
    health_status: HealthStatusSection | None = None
    """What discovery says of replicas; nothing against any where absent."""
    scale: list[ScaleStep] = Field(default_factory=list)
    """When the number of replicas changes: new ones come to the zone with the fewest, the newest go first, then those of the fullest zone."""
    autoscaling: AutoscalingSection | None = None
    """The number of replicas by its metrics, in place of `scale`; `replicas` is how many there are at the start."""
    restarts: list[RestartStep] = Field(default_factory=list)
    """Rolling restarts; a batch takes one from each zone before a second."""
    rollouts: list[RolloutStep] = Field(default_factory=list)
    """New versions, each of which replaces the one before as a Deployment does it; one without further keys is `kubectl rollout
    restart`."""
    strategy: StrategySection | None = None
    """How a version takes another's place; a `RollingUpdate` of 25% where absent, as in Kubernetes."""
    min_ready: Duration = 0
    """How long a new pod has to be ready before a rollout counts it as available: `minReadySeconds`, 0 as in Kubernetes."""
    startup_time: Duration = 0
    """From the start of a process until it is ready."""
    pre_stop: Duration = 0
    """How long an instance that stops goes on serving after it has left the registry: the preStop sleep."""
    termination_grace_period: Duration = 30_000_000_000
    """After that its requests may end for so long; 30s as in Kubernetes."""
    readiness: ReadinessSection | None = None
    """By which the registry notices crashes; without it only scaling and restarts change the registry."""

    @model_validator(mode="after")
    def _one_address_each(self) -> Self:
        if self.addresses is not None:
            if len(self.addresses) != self.replicas:
                raise mistake(
                    f"write one for each replica: there are {len(self.addresses):,}, and `replicas` says {self.replicas:,}",
                    "addresses",
                )
            different_texts(self.addresses, "addresses")
        return self

    @model_validator(mode="after")
    def _health_fits(self) -> Self:
        told = self.health_status
        for number in () if told is None else (*told.unhealthy, *told.degraded):
            if number >= self.most_replicas:
                raise mistake(
                    f"there is no replica {number}; they are numbered from 0 to {self.most_replicas - 1}", "health_status"
                )
            if told is not None and number in told.unhealthy and number in told.degraded:
                raise mistake(f"replica {number} cannot be both unhealthy and degraded", "health_status")
        return self

    @model_validator(mode="after")
    def _scaled_one_way(self) -> Self:
        if self.autoscaling is not None and self.scale:
            raise mistake("write either `scale` or `autoscaling`: an autoscaler would undo each step", "scale")
        return self

    @model_validator(mode="after")
    def _rolled_out_one_way(self) -> Self:
        if self.rollouts and self.restarts:
            raise mistake("write either `restarts` or `rollouts`: a rollout without further keys restarts all pods", "restarts")
        if self.rollouts and self.subsets is not None:
            raise mistake(
                "a service with `subsets` is several Deployments; write it without them, or as several services", "rollouts"
            )
        for index, step in enumerate(sorted(self.rollouts, key=lambda one: one.at)):
            if step.undo and not index:
                raise mistake("there is no version before the first one", "rollouts")
        return self

    @model_validator(mode="after")
    def _workers_fit(self) -> Self:
        if self.cpu is None or self.workers is not None:
            return self
        for name, alias in (("queue", "queue"), ("is_async", "async")):
            if getattr(self, name):
                raise mistake("needs `workers`: with `cpu` and without them every request begins as soon as it comes", alias)
        if self.autoscaling is not None and self.autoscaling.looks_at_queues:
            raise mistake(
                "`queued` needs `workers`: with `cpu` and without them nobody waits in a queue; write `in_flight`", "autoscaling"
            )
        return self

    @model_validator(mode="after")
    def _knows_how_many_messages(self) -> Self:
        for name, consumed in self.consumes.items():
            if not self.threads and consumed.prefetch is None:
                raise mistake(
                    f"write a `prefetch` for {name}: without `workers` nothing else says how much is done at once", "consumes"
                )
        return self

    @model_validator(mode="after")
    def _asks_for_cpu(self) -> Self:
        scaling = self.autoscaling
        if scaling is not None and scaling.needs_requests and self.cpu is not None and self.cpu.asked is None:
            raise mistake(
                "missing request for cpu (as Kubernetes says): the autoscaler's utilization is a share of it; write `requests` or `limits`",
                "cpu",
            )
        return self

    @property
    def threads(self) -> int:
        """Workers of one replica; 0 where it has none, and only its `cpu` is scarce."""
        return self.workers or (1 if self.cpu is None else 0)

    @property
    def most_replicas(self) -> int:
        """How many there are when there are most."""
        most = 0 if self.autoscaling is None else self.autoscaling.max_replicas
        return max([self.replicas, most, *(step.replicas for step in self.scale)])

    @property
    def places(self) -> int:
        """How many pods there may be at once: with rollouts those that end, and the surge, beside the replicas."""
        if not self.rollouts:
            return self.most_replicas
        return 2 * self.most_replicas + (self.strategy or StrategySection()).surge.of(self.most_replicas, up=True)
