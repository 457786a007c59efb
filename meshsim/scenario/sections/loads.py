"""Loads: k6's executors, and the replay of recorded arrivals."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.arrivals import BurstsSection, SinusoidSection, Spacing
from meshsim.scenario.sections.criticality import Criticality
from meshsim.scenario.sections.shown import CredentialsSection, KeysSection
from meshsim.scenario.sections.sizes import Sizes
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import RetriesSection
from meshsim.scenario.sections.types import DataFile, Duration, Name, Rate, Section, Size, TimeDistribution, Weights
from meshsim.scenario.sections.wording import mistake
from meshsim.units import NS_PER_S

Users = Annotated[int, Ge(0), Le(1_000_000)]
MOST_COMINGS_AND_GOINGS = 10_000_000
"""Of virtual users in all stages of a load: each is a time that has to be known before the run."""
PositiveDuration = Annotated[Duration, Gt(0)]
Iterations = Annotated[int, Ge(1), Le(1_000_000_000)]


class LoadSection(Section):
    """What all loads share."""

    requests: Weights
    """What is asked for, by weight: a route, or a path such as `/cart` or `POST /cart`; without a gateway a service or `service/operation`."""
    timeout: Timeout | None = None
    """How long the client waits for an answer, its own retries included; then status 0, flag DC. For ever where absent."""
    patience: TimeDistribution | None = None
    """How long a client is willing to wait for an answer, drawn for each request; then status 0, flag DC, as after `timeout`. Nobody is told of
    it beforehand."""
    retries: RetriesSection | None = None
    """The client's own retries; none where absent."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers that the requests carry, for routes that look at them."""
    consumer: Name | None = None
    """Who asks, for rate limits by consumer."""
    zone: Name | None = None
    """Where the clients are."""
    start: Duration = 0
    """When the load begins."""
    keys: KeysSection | None = None
    """What the requests ask for, for load balancers with `hash_on: key` and caches."""
    addresses: Annotated[int, Ge(1), Le(10_000_000)] = 1
    """Different addresses that the requests come from; a virtual user keeps its own."""
    credentials: CredentialsSection = Field(default_factory=CredentialsSection)
    """What requests authenticate with: one valid credential, the same for all, where absent."""
    criticality: Criticality = "critical"
    """How important they are, for filters that shed load and queues with `priority`; a route's own `criticality` overrides it."""
    requests_per_connection: Annotated[int, Ge(0), Le(1_000_000)] = 0
    """Requests on one connection to the gateway before the client closes it; 1 for no keep-alive, 0 for no limit."""
    bandwidth: Annotated[Size, Ge(1)] | None = None
    """Bytes a second on each client's own link, for bodies and answers; they take no time where absent."""
    body: Sizes = 0
    """Size of a request's body, for filters and routes that look at it, and for slow links; or `{p50: 4KiB, p99: 200KiB}`."""


class OpenLoad(LoadSection):
    """Requests that come whether or not earlier ones were answered."""

    arrivals: Spacing = "even"
    """Evenly spaced, as k6 sends them, or `poisson`: independent of each other, as the requests of many users are."""
    sinusoid: SinusoidSection | None = None
    """A rate that swings around what it would be without, like the hours of a day."""
    bursts: BurstsSection | None = None
    """A rate that goes up and down by chance."""


class ConstantArrivalRate(OpenLoad):
    """Requests at a constant rate."""

    executor: Literal["constant-arrival-rate"]
    """Requests come at a constant rate, whether or not earlier ones were answered."""
    rate: Rate
    """Requests per second."""
    duration: PositiveDuration | None = None
    """How long the load lasts; to the end of the run where absent."""


class RateStage(Section):
    """A stretch of time in which the rate goes in a straight line to its target."""

    target: Rate
    """Requests per second at its end."""
    duration: Duration
    """How long it takes."""


class RampingArrivalRate(OpenLoad):
    """Requests at a rate that goes through stages."""

    executor: Literal["ramping-arrival-rate"]
    """Requests come at a rate that goes through stages."""
    start_rate: Rate = 0.0
    """Requests per second at the beginning."""
    stages: Annotated[list[RateStage], Field(min_length=1)]
    """One after the other; the load ends with the last."""

    @property
    def duration(self) -> int:
        """How long the load lasts: the sum of its stages, ns."""
        return sum(stage.duration for stage in self.stages)


class ClosedLoad(LoadSection):
    """Virtual users, each of whom waits for the answer before it asks again."""

    think_time: TimeDistribution | None = None
    """The pause after each answer. Without any, an answer that took no time at all is followed by 1 ms."""


class ConstantUsers(ClosedLoad):
    """A constant number of virtual users."""

    executor: Literal["constant-vus"]
    """A constant number of virtual users, each of whom waits for the answer before it asks again."""
    vus: Annotated[int, Ge(1), Le(1_000_000)]
    """How many there are."""
    duration: PositiveDuration | None = None
    """How long the load lasts; to the end of the run where absent."""


class UserStage(Section):
    """A stretch of time in which the number of users goes in a straight line to its target."""

    target: Users
    """Users at its end."""
    duration: Duration
    """How long it takes."""


class RampingUsers(ClosedLoad):
    """A number of virtual users that goes through stages."""

    executor: Literal["ramping-vus"]
    """A number of virtual users that goes through stages."""
    start_vus: Users = 0
    """Users at the beginning."""
    stages: Annotated[list[UserStage], Field(min_length=1)]
    """One after the other; the load ends with the last. A user who leaves finishes the request that it waits for."""

    @model_validator(mode="after")
    def _few_come_and_go(self) -> Self:
        targets = [stage.target for stage in self.stages]
        changes = sum(abs(after - before) for before, after in zip((self.start_vus, *targets), targets, strict=False))
        if changes > MOST_COMINGS_AND_GOINGS:
            raise mistake(f"users come and go {changes:,} times; at most {MOST_COMINGS_AND_GOINGS:,} are simulated", "stages")
        return self

    @property
    def duration(self) -> int:
        """How long the load lasts: the sum of its stages, ns."""
        return sum(stage.duration for stage in self.stages)


class FiniteLoad(ClosedLoad):
    """Virtual users who send so many requests and no more."""

    vus: Annotated[int, Ge(1), Le(1_000_000)] = 1
    """How many there are."""
    max_duration: PositiveDuration = 600 * NS_PER_S
    """After this no further request begins, however many are left; one that has begun is finished."""


class PerUserIterations(FiniteLoad):
    """Virtual users each of whom sends so many requests."""

    executor: Literal["per-vu-iterations"]
    """Each virtual user sends so many requests, one after the other."""
    iterations: Iterations = 1
    """Requests of each user."""


class SharedIterations(FiniteLoad):
    """Virtual users who send so many requests together."""

    executor: Literal["shared-iterations"]
    """Virtual users send so many requests together: who is quick sends more of them."""
    iterations: Iterations = 1
    """Requests of all users together; as many as users at least."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if self.iterations < self.vus:
            raise mistake(f"must be at least the number of users ({self.vus:,})", "iterations")
        return self


class Replay(LoadSection):
    """Requests at recorded instants."""

    executor: Literal["replay"]
    """Requests come at the instants that a file says."""
    file: DataFile
    """CSV, Parquet or NumPy file of time stamps since the start of the load, relative to the scenario."""
    column: str | None = None
    """Name of the column or array; may be left out where there is only one."""
    unit: Literal["s", "ms", "us", "ns"]
    """Unit of the time stamps."""
    stretch: Annotated[float, Gt(0), Le(1_000_000)] = 1.0
    """Time stamps are multiplied by this: 0.5 replays the record twice as fast."""
    scale: Annotated[float, Gt(0), Le(1_000)] = 1.0
    """Requests per time stamp: 0.1 keeps each with a probability of 10%; 3 adds two more at random times before the next stamp."""
    duration: PositiveDuration | None = None
    """Later time stamps are left out; the end of the run where absent."""


EXECUTORS = (
    "constant-arrival-rate", "ramping-arrival-rate", "constant-vus", "ramping-vus", "per-vu-iterations", "shared-iterations", "replay",
)  # fmt: skip


def _known_executor(value: Any) -> Any:
    if isinstance(value, LoadSection):
        return value
    if not isinstance(value, dict):
        raise mistake(f"expected a mapping, not {shown(value)}")
    executor = value.get("executor")
    if executor is None:
        raise mistake(f"is missing (one of: {', '.join(EXECUTORS)})", "executor")
    if not isinstance(executor, str) or executor not in EXECUTORS:
        raise mistake(f"unknown executor {shown(executor)}{did_you_mean(str(executor), EXECUTORS)}", "executor")
    return value


def _executor(value: Any) -> str:
    return f"<{value.get('executor') if isinstance(value, dict) else value.executor}>"


Load = Annotated[
    Annotated[
        Annotated[ConstantArrivalRate, Tag("<constant-arrival-rate>")]
        | Annotated[RampingArrivalRate, Tag("<ramping-arrival-rate>")]
        | Annotated[ConstantUsers, Tag("<constant-vus>")]
        | Annotated[RampingUsers, Tag("<ramping-vus>")]
        | Annotated[PerUserIterations, Tag("<per-vu-iterations>")]
        | Annotated[SharedIterations, Tag("<shared-iterations>")]
        | Annotated[Replay, Tag("<replay>")],
        Discriminator(_executor),
    ],
    BeforeValidator(_known_executor),
]
