"""What one kind of proxy does for the calls to one service: the cluster, in Envoy's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from meshsim.plan.kinds import NONE, HashOn

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.policies.circuit_breaking import CircuitBreaker
    from meshsim.policies.concurrency import ConcurrencyLimit
    from meshsim.policies.failure_accrual import FailureAccrual
    from meshsim.policies.load_balancing import LoadBalancer
    from meshsim.policies.locality import LocalityState
    from meshsim.policies.outlier_detection import OutlierDetection
    from meshsim.policies.retry import RetryBudget, RetryTokenBudget
    from meshsim.policies.throttling import ClientThrottling


@dataclass(frozen=True, slots=True)
class Limits:
    """Envoy's circuit breakers of one cluster."""

    max_connections: int
    max_pending_requests: int
    max_requests: int
    max_retries: int


@dataclass(frozen=True, slots=True)
class Tls:
    """What encryption between two proxies costs."""

    round_trips: int
    handshake_ns: int
    """Time that a full handshake holds a worker of the proxy, at each side."""
    resumed_ns: int
    """The same of a resumed one; 0 where sessions are not resumed."""
    per_request_ns: int
    """Time for each request and its answer, at each side, whatever their sizes."""
    per_kib_ns: float
    """Time for each KiB of request and answer, at each side."""
    rotations_ns: tuple[int, ...]
    """When certificates change and every connection is made anew."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How one proxy's connections to the endpoints of a destination are made and kept."""

    is_http2: bool
    max_concurrent_streams: int
    """Requests at once on one connection; 1 of HTTP/1.1."""
    max_requests: int
    """Requests on one connection in its life; 0 for no limit."""
    max_age_ns: int
    """0 for no limit."""
    idle_timeout_ns: int
    """0 for none."""
    connect_timeout_ns: int
    """0 for none."""
    is_balanced: bool
    """Whether the endpoint is chosen for each connection and not for each request (layer 4: kube-proxy, ztunnel)."""
    max_connections: int
    """Of a layer-4 caller (`is_balanced`): how many it keeps at most."""
    tls: Tls | None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Envoy's active health checks of one proxy."""

    interval_ns: int
    timeout_ns: int
    unhealthy_threshold: int
    healthy_threshold: int
    uses_worker: bool
    """Whether the probe has to wait for a worker of the instance, as a request does."""


@dataclass(frozen=True, slots=True)
class BalancerQueue:
    """Linkerd's queue before a balancer: where requests wait while no endpoint is ready."""

    failfast_ns: int
    """After so long without one all of them fail."""
    capacity: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """How a caller learns of endpoints that come and go."""

    debounce_ns: int
    """istiod waits for so long without a further change."""
    debounce_max_ns: int
    """But not longer than this in all."""
    propagation: Distribution | None
    """From the push to the proxy's having it, for each proxy and change."""
    dns_refresh_ns: int
    """Asks DNS each so often, at a phase of its own; 0 where changes are pushed."""


class Backend(NamedTuple):
    """One of the services that the endpoints of a rule's cluster come from."""

    service: int
    operation: int
    """What is asked for there."""
    weight: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """How one kind of proxy sends to one service: what is shared by all of its routes there."""

    service: int
    balancer: LoadBalancer
    limits: Limits | None = None
    budget: RetryBudget | None = None
    token_budget: RetryTokenBudget | None = None
    connections: Connections | None = None
    """None where connections take no time and nothing limits them."""
    locality: LocalityState | None = None
    panic_threshold: float = 0.5
    overprovisioning: float = 1.4
    outliers: OutlierDetection | None = None
    accrual: FailureAccrual | None = None
    health_check: HealthCheck | None = None
    merge_window_ns: int = 0
    """Envoy's update_merge_window: health changes reach the workers at once, or this much later where one has just been told."""
    keeps_passing_hosts: bool = False
    """Whether a host that discovery no longer lists stays as long as it passes its active checks: Envoy's, unless told otherwise."""
    breaker: CircuitBreaker | None = None
    throttling: ClientThrottling | None = None
    limiter: ConcurrencyLimit | None = None
    hash_on: HashOn = HashOn.NOTHING
    backends: tuple[Backend, ...] = ()
    """Of a cluster over several services, of which `service` is the first; empty where that is all."""
    weighs_backends: bool = True
    """Whether they share the requests out by their weights, or by numbers of hosts."""
    queue: BalancerQueue | None = None
    """None where a request that finds no endpoint fails at once."""
    subset: int = NONE
    """The subset of the service's instances that it knows; NONE for all."""
    owner: int = 0
    """Hash of the name of the route whose own it is; 0 where all routes of a proxy share it."""
