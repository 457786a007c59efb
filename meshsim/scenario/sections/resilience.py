"""What a proxy does about hosts and requests that fail: hedging, health, breaking, mirroring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from annotated_types import Ge, Le
from pydantic import model_validator

from meshsim.policies.circuit_breaking import CircuitBreaker
from meshsim.policies.outlier_detection import OutlierDetection
from meshsim.policies.throttling import ClientThrottling
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.types import Choice, Duration, PolicySection, Section, Share, choice_of, section_of
from meshsim.scenario.sections.wording import mistake
from meshsim.units import PositiveCount

if TYPE_CHECKING:
    OutlierDetectionSection = PolicySection
    CircuitBreakerSection = PolicySection
    ClientThrottlingSection = PolicySection
    FailureAccrualChoice = Choice
    ConcurrencyLimitChoice = Choice
    RetryTokenBudgetChoice = Choice
    BackOffChoice = Choice
    LocalityChoice = Choice
else:
    OutlierDetectionSection = section_of(OutlierDetection)
    CircuitBreakerSection = section_of(CircuitBreaker)
    ClientThrottlingSection = section_of(ClientThrottling)
    FailureAccrualChoice = choice_of("failure_accrual")
    ConcurrencyLimitChoice = choice_of("concurrency_limit")
    RetryTokenBudgetChoice = choice_of("retry_token_budget")
    BackOffChoice = choice_of("back_off")
    LocalityChoice = choice_of("locality")


class HedgeSection(Section):
    """A further try while one is still on its way; the first good answer wins."""

    hedge_on_per_try_timeout: bool = False
    """Envoy's: when the per-try timeout passes the try runs on and a retry is scheduled beside it, through the back-off."""
    delay: Duration | None = None
    """Send a further try after so long without an answer."""
    quantile: Share | None = None
    """Send a further try at this quantile of the latencies seen so far, such as 95%."""
    max_hedges: PositiveCount = 1
    """Further tries by `delay` or `quantile` at most, beside the retries; with `hedge_on_per_try_timeout` the retries are the limit."""
    cancel: bool = True
    """Whether the tries that lost are cancelled."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.hedge_on_per_try_timeout, self.delay is not None, self.quantile is not None]
        if sum(ways) != 1:
            raise mistake("write one of `hedge_on_per_try_timeout: true`, `delay` and `quantile`")
        if self.quantile is not None and not 0 < self.quantile < 1:
            raise mistake("must be between 0% and 100%, such as 95%", "quantile")
        return self


class HealthChecksSection(Section):
    """Active health checks: each proxy asks each instance at intervals whether it is well."""

    interval: Duration
    """Time between two checks of one instance."""
    timeout: Duration
    """How long an answer may take."""
    unhealthy_threshold: PositiveCount
    """Failures in a row that take an instance out."""
    healthy_threshold: PositiveCount
    """Successes in a row that bring it back; a new instance needs only one."""
    uses_worker: bool = False
    """Whether a check waits for a worker of the instance, as a request does."""

    @model_validator(mode="after")
    def _times_are_positive(self) -> Self:
        for name in ("interval", "timeout"):
            if not getattr(self, name):
                raise mistake("must be longer than 0s", name)
        return self


class BalancerQueueSection(Section):
    """Linkerd's queue before its balancer: requests wait while no endpoint is ready."""

    failfast_timeout: Timeout | None = None
    """After so long without a ready endpoint all that wait get 504 with flag UH, and whoever comes 503, until one is ready; `none` for no queue."""
    capacity: PositiveCount | None = None
    """Requests that may wait; whoever finds the queue full gets 503 with flag UH."""


class MirrorSection(Section):
    """Copies of requests whose answers nobody waits for."""

    to: str
    """The service, or `service/operation`, that gets them."""
    share: Share = 1.0
    """How many requests are copied."""


Percent = Annotated[float, Ge(100), Le(100_000)]
