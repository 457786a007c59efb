"""A scenario: the whole file, as frozen sections with quantities as numbers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from meshsim.scenario.defaults import UnknownDefaultError, resolve
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.autoscaling import AutoscalerSection
from meshsim.scenario.sections.cost import CostSection
from meshsim.scenario.sections.faults import FaultSection
from meshsim.scenario.sections.gateway import GatewaySection
from meshsim.scenario.sections.loads import Load, PositiveDuration
from meshsim.scenario.sections.proxies import DirectSection, MeshSection
from meshsim.scenario.sections.queues import MessageQueueSection
from meshsim.scenario.sections.services import ServiceSection
from meshsim.scenario.sections.types import Duration, Name, Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake
from meshsim.units import since_1970_ns

Deployment = Literal["none", "gateway", "mesh", "gateway+mesh"]


class NetworkSection(Section):
    """One-way latency of a message between two pods, or a client and a pod."""

    same_zone: TimeDistribution | None = None
    """Within a zone; all that names no zone is in one together. None where absent."""
    cross_zone: TimeDistribution | None = None
    """Between zones; none where absent."""


class Sampled(Section):
    """A share of the requests, with all their attempts."""

    sampled: Share
    """Share that is kept, chosen by the request's number. Of mirrored copies and of calls that nobody waits for, which have none, as many are
    kept, each with what it calls, chosen by the instant at which it began."""


def _kind_of_records(value: Any) -> str:
    return "<sampled>" if isinstance(value, dict | Sampled) else "<word>"


class UntilSection(Section):
    """How precise the figures of a comparison have to be."""

    metric: str | Annotated[list[str], Field(min_length=1)]
    """A figure or several, such as `latency{route:checkout}:p99`; `p99` is that of all requests."""
    relative_error: Share
    """Half the width of its 95 % interval, as a share of the figure; each variant has to reach it."""
    max_replications: Annotated[int, Ge(2), Le(100_000)] = 200
    """Where to stop, however wide the interval."""

    @property
    def metrics(self) -> list[str]:
        """The figures, one or several."""
        return [self.metric] if isinstance(self.metric, str) else self.metric


class RunSection(Section):
    """How the scenario is run."""

    duration: PositiveDuration
    """How long load arrives; the run ends when the last request has."""
    warm_up: Duration = 0
    """Requests that start before this are left out of all figures."""
    seed: Annotated[int, Ge(0), Le(2**63 - 1)] = 1
    """Root of all chance."""
    replications: Annotated[int, Ge(1), Le(100_000)] = 10
    """Independent repetitions of each variant in `meshsim compare` and `sweep`; `meshsim run` makes one."""
    until: UntilSection | None = None
    """Add replications until the figures are as precise as asked."""
    records: Annotated[
        Annotated[Literal["all", "none"], Tag("<word>")] | Annotated[Sampled, Tag("<sampled>")], Discriminator(_kind_of_records)
    ] = "all"
    """Which requests leave rows in the run directory. The figures are the same whatever is kept."""
    interval: PositiveDuration = 1_000_000_000
    """Between two rows of the counters over time; 1s where absent."""
    limits: bool = True
    """Whether a run is refused that would take more memory, events or rows than can be had, and ended where it turns out to, or where
    its simulated time no longer goes on."""
    time_zero: str | None = None
    """Date and time at which the run begins, such as `2023-10-31T23:59:50`, in UTC unless it says its offset (`+02:00`): rate limits by
    windows begin theirs by the time of day. Where absent each replication draws one."""
    cold_start: bool = False
    """Whether all proxies start with the run, as in a laboratory, so that their timers begin at 0. Where false they have been up for
    long, and each replication draws where in its period each timer stands."""

    @field_validator("time_zero")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                since_1970_ns(value)
            except (ValueError, OverflowError):
                raise mistake(f"{shown(value)} is no date and time such as '2023-10-31T23:59:50'") from None
        return value

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        if self.warm_up >= self.duration:
            raise mistake("must be shorter than the run's duration", "warm_up")
        if self.duration > 1_000_000 * self.interval:
            raise mistake("a run has 1,000,000 intervals at most; write a longer one", "interval")
        if self.until is not None and self.until.max_replications < self.replications:
            raise mistake("max_replications must be at least `replications`", "until")
        if self.until is not None and not self.until.relative_error:
            raise mistake("relative_error must be more than 0", "until")
        return self

    @property
    def kept_share(self) -> float:
        """Share of the requests whose rows are kept."""
        if isinstance(self.records, Sampled):
            return float(self.records.sampled)
        return 1.0 if self.records == "all" else 0.0


class Scenario(Section):
    """A system, its load, its faults, and what is expected of it."""

    name: Name
    """Name of the scenario, and of the folder of its results."""
    description: str = ""
    """The question that it answers."""
    defaults: str = "none"
    """The product that says what an absent field means: `none`, `envoy`, `envoy-gateway`, `istio` or `linkerd`, or one in a version,
    such as `istio-1.29`."""
    deployment: Deployment = "none"
    """Which proxies exist."""
    load: Annotated[dict[Name, Load], Field(min_length=1)]
    """Who asks, and how often."""
    gateway: GatewaySection | None = None
    """The API gateway, and the routes of all requests."""
    mesh: MeshSection | None = None
    """The sidecars, or the proxies of the nodes."""
    direct: DirectSection | None = None
    """What callers without a proxy do themselves."""
    services: Annotated[dict[Name, ServiceSection], Field(min_length=1)]
    """The services."""
    queues: dict[Name, MessageQueueSection] = Field(default_factory=dict)
    """Message queues and streams, between services that `publish` and one that `consumes`."""
    autoscaler: AutoscalerSection | None = None
    """What looks at the services with `autoscaling`; Kubernetes' defaults where absent."""
    network: NetworkSection = Field(
        default_factory=NetworkSection, json_schema_extra={"default": {"same_zone": None, "cross_zone": None}}
    )
    """Latencies."""
    faults: list[FaultSection] = Field(default_factory=list)
    """What goes wrong, and when."""
    cost: CostSection | None = None
    """What things cost."""
    variants: dict[Name, Any] = Field(default_factory=dict)
    """Patches to what stands above, by name."""
    matrix: dict[str, Any] = Field(default_factory=dict)
    """The points of `meshsim sweep`: lists of values by path, with `include` and `exclude` as in GitHub Actions."""
    run: RunSection
    """How long, and with what seed."""
    thresholds: dict[str, list[str]] = Field(default_factory=dict)
    """What must hold, as in k6: a metric with labels, and conditions on it. One that is crossed makes the exit code 99."""

    @field_validator("defaults")
    @classmethod
    def _known_product(cls, value: str) -> str:
        try:
            resolve(value)
        except UnknownDefaultError as error:
            raise mistake(str(error)) from None
        return value

    @property
    def consumers(self) -> dict[str, str]:
        """The operation to which each message is a request, by queue; without the queues that nobody consumes."""
        return {
            queue: service if consumed.operation is None else f"{service}/{consumed.operation}"
            for service, section in self.services.items()
            for queue, consumed in section.consumes.items()
        }
