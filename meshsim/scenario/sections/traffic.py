"""What a proxy does for the calls to a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import BeforeValidator, model_validator

from meshsim.policies.retry import CONDITIONS
from meshsim.scenario.sections.connections import ConnectionsSection
from meshsim.scenario.sections.resilience import (
    BackOffChoice,
    BalancerQueueSection,
    CircuitBreakerSection,
    ClientThrottlingSection,
    ConcurrencyLimitChoice,
    FailureAccrualChoice,
    HealthChecksSection,
    HedgeSection,
    LocalityChoice,
    MirrorSection,
    OutlierDetectionSection,
    Percent,
    RetryTokenBudgetChoice,
)
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.types import Choice, Duration, Section, Share, Weights, choice_of
from meshsim.scenario.sections.wording import mistake
from meshsim.units import Count, PositiveCount

if TYPE_CHECKING:
    LoadBalancerChoice = Choice
    FilterChoice = Choice
    RetryCondition = str
else:
    LoadBalancerChoice = choice_of("load_balancer")
    FilterChoice = choice_of("filter")
    RetryCondition = Literal[tuple(CONDITIONS)]
StatusCode = Annotated[int, Ge(100), Le(599)]


def _one_as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


RetryConditions = Annotated[
    list[RetryCondition], BeforeValidator(_one_as_list, json_schema_input_type=RetryCondition | list[RetryCondition])
]


class BackOffSection(Section):
    """The waits between tries."""

    base_interval: Duration | None = None
    """The first wait is drawn from 0 to this; each next one from twice as much."""
    max_interval: Duration | None = None
    """No wait is longer; 10 times the base where absent."""


class RetriesSection(Section):
    """When a failed try is followed by another."""

    num_retries: Count | None = None
    """Tries after the first; 0 switches retries off."""
    retry_on: RetryConditions | None = None
    """Envoy's conditions: which outcomes are tried again."""
    per_try_timeout: Timeout | None = None
    """Time for one try, the first included; it begins when the try has a connection."""
    retriable_status_codes: list[StatusCode] | None = None
    """HTTP statuses for the condition `retriable-status-codes`."""
    retry_back_off: BackOffSection | None = None
    """Envoy's back-off, full jitter: whole milliseconds drawn from an interval that doubles."""
    back_off: BackOffChoice | None = None
    """Another back-off in its place, such as `decorrelated_jitter`."""
    max_retry_after: Duration | None = None
    """Wait as long as the answer's Retry-After says, up to this; not looked at where absent."""
    retry_priority: Literal["previous_priorities", "none"] = "none"
    """`previous_priorities`: leave out the priorities that were tried."""
    update_frequency: PositiveCount = 2
    """With `retry_priority`: after how many tries the tried priorities are looked at again."""
    retry_host_predicate: Literal["previous_hosts", "none"] | None = None
    """`previous_hosts`: pick again where the pick was tried before."""
    host_selection_retry_max_attempts: Count | None = None
    """Picks again at most so often, then takes the last one even if it was tried."""

    @model_validator(mode="after")
    def _one_back_off(self) -> Self:
        if self.retry_back_off is not None and self.back_off is not None:
            raise mistake("write either `retry_back_off` or `back_off`", "back_off")
        return self


class RetryBudgetSection(Section):
    """A limit on concurrent retries that grows with the load; it replaces `max_retries`."""

    budget_percent: Share | None = None
    """Retries there may be at once, as a share of the requests active and pending."""
    min_retry_concurrency: Count | None = None
    """Retries there may be at once, however few requests there are."""


class CircuitBreakersSection(Section):
    """Envoy's limits for one proxy's traffic to a destination; what exceeds them gets 503 with flag UO at once."""

    max_connections: Count | None = None
    """Connections to all hosts together; each host may always have one."""
    max_pending_requests: Count | None = None
    """Requests that wait for a connection."""
    max_requests: Count | None = None
    """Requests on their way."""
    max_retries: Count | None = None
    """Retries at once, from the decision to retry until that try's outcome."""


class TrafficSection(Section):
    """What a proxy does for the calls to a destination, as a VirtualService and a DestinationRule say it together."""

    timeout: Timeout | None = None
    """Time for a call with all its tries and waits; then 504 with flag UT."""
    load_balancer: LoadBalancerChoice | None = None
    """Which endpoint gets the next try."""
    retries: RetriesSection | None = None
    """When a failed try is followed by another."""
    retry_budget: RetryBudgetSection | None = None
    """A limit on concurrent retries that grows with the load."""
    circuit_breakers: CircuitBreakersSection | None = None
    """Limits on connections, waiting requests, requests and retries."""
    retry_token_budget: RetryTokenBudgetChoice | None = None
    """Tokens that pay for retries, as Linkerd's and Finagle's budget; beside `max_retries`."""
    hedge_policy: HedgeSection | None = None
    """A further try while one is still on its way."""
    idle_timeout: Timeout | None = None
    """Time without a byte on a request: 504 with flag SI. Not set by default: Envoy's 5m matters only to longer requests."""
    connect_timeout: Timeout | None = None
    """Time to make a connection, TLS included; then 503 with flag UF."""
    connections: ConnectionsSection | None = None
    """How connections are made and kept; they take no time where absent."""
    outlier_detection: OutlierDetectionSection | None = None
    """Take hosts out that fail; off where absent."""
    failure_accrual: FailureAccrualChoice | None = None
    """Linkerd's way to take hosts out; off where absent."""
    balancer_queue: BalancerQueueSection | None = None
    """Let requests wait while no endpoint is ready, as Linkerd does; elsewhere they get 503 with flag UH at once."""
    health_checks: HealthChecksSection | None = None
    """Ask hosts whether they are well; off where absent."""
    healthy_panic_threshold: Share | None = None
    """Share of healthy hosts below which all are used; 0% for never."""
    overprovisioning_factor: Percent | None = None
    """In percent: the load that a priority or zone is assumed to bear, relative to its share; 140 in Envoy."""
    update_merge_window: Duration | None = None
    """How soon after one change of health the workers hear of the next: 1s in Envoy."""
    ignore_health_on_host_removal: bool | None = None
    """With `health_checks`: whether an instance that discovery no longer lists goes at once. In Envoy it stays as long as it passes."""
    locality: LocalityChoice | None = None
    """What zones and priorities mean for the choice of hosts; nothing where absent."""
    hash_on: Literal["user", "key", "consumer", "route", "address"] | None = None
    """What a hashing load balancer keeps together: a virtual user, a load's `keys`, a consumer, a route, a client's address."""
    circuit_breaker: CircuitBreakerSection | None = None
    """resilience4j's breaker, closed, open or half open; none where absent."""
    client_throttling: ClientThrottlingSection | None = None
    """Hold requests back that would be turned away, as in the SRE book; off where absent."""
    concurrency_limit: ConcurrencyLimitChoice | None = None
    """A limit on requests at once, fixed or found out; none where absent."""
    split: Weights | None = None
    """Shares of the service's subsets by weight; all instances alike where absent."""
    mirror: MirrorSection | None = None
    """Send copies elsewhere."""

    @model_validator(mode="after")
    def _do_not_contradict(self) -> Self:
        if self.retry_budget is not None and self.retry_token_budget is not None:
            raise mistake("write either `retry_budget` or `retry_token_budget`", "retry_token_budget")
        if self.outlier_detection is not None and self.failure_accrual is not None:
            raise mistake("write either `outlier_detection` (Envoy) or `failure_accrual` (Linkerd)", "failure_accrual")
        return self
