"""What a proxy does for the calls to a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Discriminator, Tag

from meshsim.policies.retry import CONDITIONS
from meshsim.scenario.types import Choice, Duration, Section, Share, choice_of
from meshsim.units import Count

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


def _kind_of_timeout(value: object) -> str:
    return "<none>" if value == "none" else "<duration>"


Timeout = Annotated[
    Annotated[Duration, Tag("<duration>")] | Annotated[Literal["none"], Tag("<none>")], Discriminator(_kind_of_timeout)
]
"""A duration, or `none` for no timeout where the product would have one."""
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
    """Full jitter: whole milliseconds drawn from an interval that doubles."""
    retry_host_predicate: Literal["previous_hosts", "none"] | None = None
    """`previous_hosts`: pick again where the pick was tried before."""
    host_selection_retry_max_attempts: Count | None = None
    """Picks again at most so often, then takes the last one even if it was tried."""


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
