"""The figures of a run: plain frozen values, to and from JSON.

All times are seconds, all rates per second, all shares from 0 to 1. None (null) stands where there is nothing to measure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from meshsim.metrics.cost import CostSummary
from meshsim.metrics.latency.slow_time import SlowTime
from meshsim.metrics.latency.times import Times
from meshsim.metrics.over_time.recovery import Recovery
from meshsim.metrics.policies.proxy_summary import ProxySummary
from meshsim.metrics.policies.queue_summary import QueueSummary
from meshsim.metrics.policies.rollout_summary import RolloutSummary
from meshsim.metrics.policies.summaries import (
    CacheSummary,
    CpuSummary,
    DestinationSummary,
    FilterSummary,
    PoolSummary,
    ScalingSummary,
)
from meshsim.metrics.summary_frames import cells_of, frame_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which requests failed: what the client saw, and where it began."""

    count: int
    status: int
    """HTTP, as the client saw it; 0 where the client gave up."""
    grpc_status: int | None
    flags: str
    """Of the answer, as an access log prints them."""
    origin: str | None
    """The service where it began; None for the gateway and the client."""
    origin_flags: str


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """Client requests that started in the measured window: of a route, a load, both, a consumer, a consumer on a route, or all."""

    requests: int
    failures: int
    offered_per_s: float | None
    """Requests started in each second of the window."""
    throughput_per_s: float | None
    """Requests ended in each second of the window, well or not, whenever they started."""
    goodput_per_s: float | None
    """Of these, the ones that ended well."""
    error_share: float | None
    failures_by_flag: dict[str, int]
    causes: tuple[Cause, ...]
    """The most frequent first."""
    attempts: int
    """Tries at the service that the request came to first, over all tries of client and gateway."""
    attempts_per_request: float | None
    """Of the requests that came to a service."""
    latency: Times
    """As the client saw it, failures included."""
    latency_of_successes: Times
    route: str | None = None
    """None for all routes."""
    source: str | None = None
    """None for all loads."""
    consumer: str | None = None
    """Of a load, the one that it names; None for all consumers, and where no load names one."""

    @property
    def failures_by_status(self) -> dict[str, int]:
        """Failed requests by HTTP status as the client saw it; `0` where it gave up."""
        statuses = sorted({cause.status for cause in self.causes})
        return {str(one): sum(cause.count for cause in self.causes if cause.status == one) for one in statuses}


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """The attempts at one service that the measured requests caused, and its instances in the measured window."""

    name: str
    replicas: int
    workers: float
    """Of each replica; where it has none (`cpu` without `workers`), the cores that it can use for long."""
    attempts: int
    calls: int
    """First tries."""
    attempts_per_s: float | None
    retry_amplification: float | None
    """Attempts that were sent for each call: 1 without retries, less where a full pool refuses."""
    failures: int
    """Attempts that it failed, by `meshsim.metrics.rows.is_error_of_service`: without those refused with 4xx."""
    error_share: float | None
    """Failures by attempts."""
    failures_by_flag: dict[str, int]
    """All attempts that did not get what they asked for, refused ones too."""
    failures_by_status: dict[str, int]
    """The same by HTTP status; `0` where the caller gave up, `200` where only gRPC's status says it."""
    latency: Times
    """Of an attempt as its caller saw it, from sent to outcome."""
    response_time: Times
    """At the instance, from its queue to done, of the attempts that got a worker."""
    waiting_time: Times
    """In the queue, of the attempts that got a worker."""
    worked_s: float
    """Time that workers computed."""
    wasted_s: float
    """Of that, what was spent on answers that nobody waited for."""
    wasted_share: float | None
    utilisation: float | None
    """Share of the workers (of replicas that are up, where they are scaled) that are held, also by what waits for a call if not async.
    Where it has none, share of its cores that are used."""
    utilisation_of_busiest: float | None
    """The same of the busiest replica."""
    queue_mean: float | None
    """Requests that wait, over all replicas, in the mean."""
    queue_peak: int
    """Longest queue of one replica that was seen at the end of an interval."""
    replica_hours: float | None = None
    """Time that its replicas were up in the measured window, told at the ends of intervals."""

    @property
    def servers(self) -> str:
        """What a replica has: `8` workers, or `0.5 CPU` where it has none."""
        return f"{self.workers:g} CPU" if isinstance(self.workers, float) else f"{self.workers}"


@dataclass(frozen=True)
class Summary:
    """The figures of one run."""

    simulated_s: float
    warm_up_s: float
    window_s: float
    """Length of the measured window: from the warm-up to the end of the load, or to where the run was interrupted."""
    total: RequestSummary
    routes: tuple[RequestSummary, ...]
    sources: tuple[RequestSummary, ...]
    flows: tuple[RequestSummary, ...]
    """By source and route."""
    services: tuple[ServiceSummary, ...]
    proxies: tuple[ProxySummary, ...]
    consumers: tuple[RequestSummary, ...] = ()
    """By consumer; none where no load names one."""
    consumer_routes: tuple[RequestSummary, ...] = ()
    """By consumer and route."""
    recoveries: tuple[Recovery, ...] = ()
    """After each fault: of all routes together, then of each route."""
    warm_up_needed_s: float | None = None
    """Where the latencies had settled, counted from the start of the run, by MSER-5; to compare with `warm_up_s`."""
    warm_up_check: str = ""
    """Why that was not told; empty where it was."""
    slow_times: tuple[SlowTime, ...] = ()
    """Where the time goes on the slowest 1 % of the requests."""
    destinations: tuple[DestinationSummary, ...] = ()
    """What callers did towards each destination."""
    filters: tuple[FilterSummary, ...] = ()
    """What filters decided."""
    autoscaling: tuple[ScalingSummary, ...] = ()
    """What autoscalers did; one for each service that has one."""
    rollouts: tuple[RolloutSummary, ...] = ()
    """How versions took each other's place; one for each rollout that has begun."""
    cpu: tuple[CpuSummary, ...] = ()
    """Processor time and throttling; one for each service with `cpu`."""
    cross_zone_gib: float = 0.0
    """What went from a zone to another one between callers and services, in the measured window."""
    cost: CostSummary | None = None
    """What the run costs; None where nothing has a price."""
    connection_pools: tuple[PoolSummary, ...] = ()
    """How the `connection_pools` of services were used."""
    message_queues: tuple[QueueSummary, ...] = ()
    """What became of messages; one for each queue."""
    caches: tuple[CacheSummary, ...] = ()
    """What the `caches` of services did."""
    never_acted: tuple[str, ...] = ()
    """Policies that made no difference to any request, in words."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the fields of the classes in this module by name; what is absent is null."""
        return {one.name: plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        lists: dict[str, Any] = {name: tuple(map(_requests, content.get(name, ()))) for name in _OF_REQUESTS}
        lists |= {name: tuple(kind(**one) for one in content.get(name, ())) for name, kind in _FLAT.items()}
        return cls(
            simulated_s=content["simulated_s"],
            warm_up_s=content["warm_up_s"],
            window_s=content["window_s"],
            total=_requests(content["total"]),
            services=tuple(_service(one) for one in content["services"]),
            proxies=tuple(ProxySummary(**one) for one in content["proxies"]),
            warm_up_needed_s=content.get("warm_up_needed_s"),
            warm_up_check=content.get("warm_up_check", ""),
            cross_zone_gib=content.get("cross_zone_gib", 0.0),
            cost=CostSummary.from_dict(content["cost"]) if content.get("cost") else None,
            never_acted=tuple(content.get("never_acted", ())),
            **lists,
        )

    def routes_frame(self) -> pd.DataFrame:
        """One row for each route, indexed by its name; latencies in s."""
        return frame_of("route", {one.route or "": cells_of(one) for one in self.routes})

    def consumers_frame(self) -> pd.DataFrame:
        """One row for each consumer, indexed by its name; latencies in s."""
        return frame_of("consumer", {one.consumer or "": cells_of(one) for one in self.consumers})

    def services_frame(self) -> pd.DataFrame:
        """One row for each service, indexed by its name; times in s."""
        return frame_of("service", {one.name: cells_of(one) for one in self.services})

    def destinations_frame(self) -> pd.DataFrame:
        """One row for each caller and destination, such as `front to back`: what policies did, as counts over the whole run."""
        return frame_of("destination", {one.label: one.cells() for one in self.destinations})

    def filters_frame(self) -> pd.DataFrame:
        """One row for each filter, such as `gateway: rate_limit`: what it decided, as counts over the whole run, and `fairness`."""
        return frame_of("filter_name", {one.label(self.filters): one.cells() for one in self.filters})

    def autoscaling_frame(self) -> pd.DataFrame:
        """One row for each service with an autoscaler: replicas, steps, and how often what held it back, over the whole run."""
        return frame_of("service", {one.service: one.cells() for one in self.autoscaling})

    def faults_frame(self) -> pd.DataFrame:
        """One row for each route and fault, such as `checkout from 60s`: what came after it; faults that overlap are one."""
        return frame_of("after_fault", {one.label: cells_of(one) for one in self.recoveries})

    def rollouts_frame(self) -> pd.DataFrame:
        """One row for each rollout of a service, such as `payment: 1`: how long it took, and how many pods there were meanwhile."""
        return frame_of("rollout", {one.label: one.cells() for one in self.rollouts})

    def cpu_frame(self) -> pd.DataFrame:
        """One row for each service with `cpu`: cores used, and how often and how long it was throttled, in the measured window."""
        return frame_of("service", {one.service: one.cells() for one in self.cpu})

    def connection_pools_frame(self) -> pd.DataFrame:
        """One row for each connection pool of a service, such as `shop: orders`: connections held and waited for, in the measured window."""
        return frame_of("connection_pool", {one.label: one.cells() for one in self.connection_pools})

    def message_queues_frame(self) -> pd.DataFrame:
        """One row for each message queue, indexed by its name: what became of its messages in the measured window."""
        return frame_of("queue", {one.queue: one.cells() for one in self.message_queues})

    def caches_frame(self) -> pd.DataFrame:
        """One row for each cache of a service, such as `shop: products`: hits, misses, loads and evictions, in the measured window."""
        return frame_of("cache", {one.label: one.cells() for one in self.caches})

    def __str__(self) -> str:
        total = self.total
        return (
            f"{total.requests:,} requests in {self.window_s:g} s measured, {total.failures:,} failed, over {len(self.routes)} routes and "
            f"{len(self.services)} services"
        )


_OF_REQUESTS = ("routes", "sources", "flows", "consumers", "consumer_routes")
_FLAT: dict[str, Any] = {
    "recoveries": Recovery,
    "slow_times": SlowTime,
    "destinations": DestinationSummary,
    "filters": FilterSummary,
    "autoscaling": ScalingSummary,
    "rollouts": RolloutSummary,
    "connection_pools": PoolSummary,
    "caches": CacheSummary,
    "cpu": CpuSummary,
    "message_queues": QueueSummary,
}
"""What holds numbers and text only, by field of a summary."""


def _requests(content: Mapping[str, Any]) -> RequestSummary:
    causes = tuple(Cause(**one) for one in content["causes"])
    times = {name: Times.from_dict(content[name]) for name in ("latency", "latency_of_successes")}
    return RequestSummary(**{**content, **times, "causes": causes})


def _service(content: Mapping[str, Any]) -> ServiceSummary:
    times = {name: Times.from_dict(content[name]) for name in ("latency", "response_time", "waiting_time")}
    return ServiceSummary(**{**content, **times})
