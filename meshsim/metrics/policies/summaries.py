"""What policies did over a run: the ones on the way to a destination, filters, autoscalers; and how connection pools and caches were used."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from meshsim.policies.autoscaling import Limit
from meshsim.policies.filters import Decision
from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Iterable

STABILIZATION = "stabilization"
NO_METRICS = "no_metrics"
HOLDS = (STABILIZATION, *(limit.name.lower() for limit in Limit if limit is not Limit.NONE), NO_METRICS)
"""What holds an autoscaler back: its windows of stabilisation, `meshsim.policies.autoscaling.Limit`, and figures that are missing."""


@dataclass(frozen=True, slots=True)
class DestinationSummary:
    """What one kind of caller did towards one destination, over the whole run."""

    caller: str
    """A service, `(gateway)`, `(client)`, or `(waypoint)` for the waypoint of the service."""
    service: str
    subset: str | None
    proxies: int
    """How many of the callers there are: each decides by what it has seen itself."""
    spread: float | None
    """Attempts at the instance that got most, as a multiple of the mean; 1 is even."""
    in_zone_share: float | None
    """Share of the attempts that stayed in the caller's zone; None where that is not told."""
    least_healthy_share: float
    """The least share of the instances that callers thought healthy at the end of an interval."""
    counts: dict[str, int]
    """What was counted, by the columns of `meshsim.records.ACTIVITY`; those that are 0 are left out."""
    pool_wait_mean_s: float = 0.0
    """Mean wait for a connection, of all tries and of the waits that led to none."""

    @property
    def label(self) -> str:
        """Such as `front to back`, with the subset in brackets."""
        return f"{self.caller} to {self.service}" + (f" ({self.subset})" if self.subset else "")

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        names = ("spread", "in_zone_share", "least_healthy_share", "pool_wait_mean_s")
        return {**{name: getattr(self, name) for name in names}, **{name: self.counts.get(name, 0) for name in ACTIVITY}}


@dataclass(frozen=True, slots=True)
class FilterSummary:
    """What one filter of one kind of proxy decided, over the whole run and all its replicas."""

    place: str
    """Where it stands, such as `gateway` and `sidecar of payment`."""
    filter: str
    """Its YAML name."""
    number: int
    """Its place among the proxy's filters, from 0."""
    counts: dict[str, int]
    """Requests by decision: `meshsim.policies.filters.Decision` in lower case; those that are 0 are left out."""
    fairness: float | None
    """Jain's index of the shares of their requests that consumers got past it, 1 for all alike; None with fewer than two consumers."""

    def label(self, all_of_them: Iterable[FilterSummary]) -> str:
        """Such as `gateway: rate_limit`, with its number where there are several of its name."""
        same = sum((one.place, one.filter) == (self.place, self.filter) for one in all_of_them)
        return f"{self.place}: {self.filter}" + (f" ({self.number + 1})" if same > 1 else "")

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        names = (decision.name.lower() for decision in Decision)
        return {**{name: self.counts.get(name, 0) for name in names}, "fairness": self.fairness}


@dataclass(frozen=True, slots=True)
class CpuSummary:
    """The processor time of one service with `cpu`, in the measured window, all instances together."""

    service: str
    requests: float | None
    """Cores that each replica asks for; None where it does not."""
    limits: float | None
    """Cores that each may use in the mean; None without a limit."""
    used_cores: float | None
    """Cores that each replica used, on average; one that crashes counts with its time down, unless the service scales."""
    used_share: float | None
    """The same as a share of what it can use for long: its limit, or less where its node has fewer cores."""
    throttled_share: float | None
    """Share of the quota's periods in which it stood still, as the alert CPUThrottlingHigh has it; None without a limit."""
    throttled_s: float
    """How long processors stood still for want of quota, all together: cAdvisor's container_cpu_cfs_throttled_seconds_total."""
    periods: int
    """Periods of the quota while it was in use: container_cpu_cfs_periods_total."""
    throttled_periods: int
    """container_cpu_cfs_throttled_periods_total."""
    throttled_share_of_worst: float | None
    """`throttled_share` of the instance that has most."""

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "service"}


@dataclass(frozen=True, slots=True)
class ScalingSummary:
    """What one autoscaler did over the whole run; replicas are those that it wanted, ready or not."""

    service: str
    min_replicas: int
    max_replicas: int
    at_start: int
    lowest: int
    highest: int
    at_end: int
    steps_up: int
    """Looks that raised the number."""
    steps_down: int
    looks: int
    metrics: dict[str, int]
    """Looks by the metric that asked for most, with its target, such as `cpu 80%`; those at which none had any figures are not among them."""
    held_back: dict[str, int]
    """Looks by what held a change back: one of `HOLDS`; at a look there may be two. Those that are 0 are left out."""

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        names = ("min_replicas", "max_replicas", "at_start", "lowest", "highest", "at_end", "steps_up", "steps_down", "looks")
        return {**{name: getattr(self, name) for name in names}, **{name: self.held_back.get(name, 0) for name in HOLDS}}


@dataclass(frozen=True, slots=True)
class CacheSummary:
    """What one cache of a service did in the measured window, over all replicas."""

    service: str
    cache: str
    hit_ratio: float | None
    """Share of the look-ups that were answered from it at once, with stale values too; None where there were none."""
    hits: int
    """Look-ups that found a good value."""
    stale_hits: int
    """Look-ups that were given an expired one while it was loaded again."""
    misses: int
    """Look-ups that loaded."""
    coalesced: int
    """Look-ups that waited for a load that another one had begun."""
    wait_mean_s: float | None
    """Mean wait of those; None where there were none."""
    loads: int
    """Loads begun, those in the background among them."""
    failed_loads: int
    """Loads that failed or were given up."""
    most_loading: int
    """Most loads under way at one replica at the end of an interval."""
    evictions: int
    """Values that had to make room."""
    entries: int
    """Most values at one replica, or in a shared one, at the end of an interval."""

    @property
    def label(self) -> str:
        """Such as `shop: products`."""
        return f"{self.service}: {self.cache}"

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        return {one.name: getattr(self, one.name) for one in fields(self)[2:]}


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """How one connection pool of a service was used in the measured window, over all replicas."""

    service: str
    connection_pool: str
    maximum_pool_size: int
    """Of each replica."""
    in_use_mean: float
    """Connections held, over all replicas."""
    in_use_peak: int
    """Most connections that were held at one replica at the end of an interval."""
    utilisation_of_busiest: float
    """Share of the connections held, of the replica that held most."""
    waiting_mean: float
    """Requests that wait for one, over all replicas."""
    waiting_peak: int
    """Most at one replica at the end of an interval."""
    acquired: int
    """Times that one was taken."""
    timed_out: int
    """Requests that waited in vain until `acquire_timeout`."""
    wait_mean_s: float
    """Time waited for a connection, for each request that got one or timed out; the waits of those that left otherwise are in it."""

    @property
    def label(self) -> str:
        """Such as `shop: orders`."""
        return f"{self.service}: {self.connection_pool}"

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        return {one.name: getattr(self, one.name) for one in fields(self)[2:]}
