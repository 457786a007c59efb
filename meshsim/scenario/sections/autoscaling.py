"""Autoscaling of a service: Kubernetes' HorizontalPodAutoscaler, in its own words."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.types import Duration, Section, Share
from meshsim.scenario.sections.wording import mistake
from meshsim.units import NS_PER_S

PodMetric = Literal["requests_per_second", "in_flight", "queued"]


def _period(value: int) -> int:
    if not 0 < value <= 1800 * NS_PER_S:
        raise mistake("must be more than 0 and at most 30m, as in Kubernetes")
    return value


def _window(value: int) -> int:
    if value > 3600 * NS_PER_S:
        raise mistake("must be at most 1h, as in Kubernetes")
    return value


Period = Annotated[Duration, AfterValidator(_period)]
Window = Annotated[Duration, AfterValidator(_window)]
Interval = Annotated[Duration, Gt(0)]


class _Target(Section):
    """One of several ways to say what a metric should be."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise mistake(f"write one of {' and '.join(f'`{name}`' for name in type(self).model_fields)}")
        return self


class ResourceTargetSection(_Target):
    """What a resource's usage should be."""

    average_utilization: Share | None = None
    """Share of what the pods ask for: `cpu.requests`, of which they may use more, or without `cpu` a core for each worker. Kubernetes cuts
    what it measures to whole percent."""
    average_value: Annotated[float, Gt(0), Le(1_000_000)] | None = None
    """Cores of a pod, averaged over all."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        share = self.average_utilization
        if share is not None and (round(share * 100) < 1 or abs(share * 100 - round(share * 100)) > 1e-9):
            raise mistake("Kubernetes takes whole percent, from 1% on", "average_utilization")
        return self


class ResourceMetricSection(Section):
    """The processor time of the pods, as metrics-server measures it: what computes, and not what waits for a call or for a core."""

    name: Literal["cpu"]
    """The resource."""
    target: ResourceTargetSection
    """What its usage should be."""


class PodsTargetSection(Section):
    """What a metric of the pods should be."""

    average_value: Annotated[float, Gt(0), Le(1e9)]
    """In the mean over all pods."""


class PodsMetricSection(Section):
    """A figure that each pod tells Prometheus, from where an adapter hands it to the autoscaler."""

    metric: PodMetric
    """`requests_per_second` that arrive at the pod, requests `in_flight` in it (those that wait included), or those `queued`."""
    target: PodsTargetSection
    """What it should be."""


class ObjectTargetSection(_Target):
    """What a metric of the whole service should be."""

    value: Annotated[float, Gt(0), Le(1e9)] | None = None
    """Of all pods together, which stay as many where it is met."""
    average_value: Annotated[float, Gt(0), Le(1e9)] | None = None
    """Of all pods together, for each pod that there is."""


class ObjectMetricSection(Section):
    """The sum of such a figure over all pods: a metric of the Service."""

    metric: PodMetric
    """As for `pods`."""
    target: ObjectTargetSection
    """What it should be."""


class MetricSection(Section):
    """One metric: `resource`, `pods` or `object`."""

    resource: ResourceMetricSection | None = None
    """Processor time."""
    pods: PodsMetricSection | None = None
    """A figure of each pod."""
    object: ObjectMetricSection | None = None
    """A figure of the whole service."""


def _is_one_metric(value: Any) -> Any:
    if isinstance(value, MetricSection):
        return value
    if not isinstance(value, dict):
        raise mistake(f"expected `resource`, `pods` or `object`, as a mapping, not {shown(value)}")
    if len(value) != 1:
        raise mistake("a metric is one of `resource`, `pods` and `object`")
    return value


class ScalingPolicySection(Section):
    """A limit to how fast the number of replicas changes."""

    type: Literal["Pods", "Percent"]
    """What `value` counts: pods, or percent of the replicas at the start of the period."""
    value: Annotated[int, Ge(1), Le(2**31 - 1)]
    """How many may come or go in a period."""
    period: Period
    """How long that is: Kubernetes' `periodSeconds`, 30 minutes at most."""


class ScalingRulesSection(Section):
    """How fast replicas come, or go."""

    stabilization_window: Window | None = None
    """Up goes the least that the metrics asked for in this time, down the most. 0s for up, and `autoscaler.downscale_stabilization` for
    down where absent."""
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    """Which of several policies counts: the one that allows the largest change, the smallest, or none at all."""
    policies: Annotated[list[ScalingPolicySection], Field(min_length=1, max_length=100)] | None = None
    """Limits. Where absent: 4 pods or 100 % in 15s for up, whichever is more, and 100 % in 15s for down."""
    tolerance: Annotated[Share, Ge(0)] | None = None
    """How far a metric may be from its target in this direction; `autoscaler.tolerance` where absent (Kubernetes 1.33, as alpha)."""


class BehaviorSection(Section):
    """How fast replicas come and go."""

    scale_up: ScalingRulesSection = Field(default_factory=ScalingRulesSection)
    """How they come."""
    scale_down: ScalingRulesSection = Field(default_factory=ScalingRulesSection)
    """How they go."""


class AutoscalingSection(Section):
    """Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) of a service: how many replicas it has, by its metrics."""

    min_replicas: Annotated[int, Ge(1), Le(10_000)] = 1
    """The fewest."""
    max_replicas: Annotated[int, Ge(1), Le(10_000)]
    """The most."""
    metrics: (
        Annotated[list[Annotated[MetricSection, BeforeValidator(_is_one_metric)]], Field(min_length=1, max_length=100)] | None
    ) = None
    """What it goes by; of several the one counts that asks for most. Where absent the pods' CPU at 80 %, as in Kubernetes."""
    behavior: BehaviorSection | None = None
    """How fast replicas come and go. Without it up to twice as many (or 4) at each look, and down after `autoscaler.downscale_stabilization`."""

    @property
    def looks_at_queues(self) -> bool:
        """Whether any metric is of requests that wait in the pods' queues."""
        each = [one for metric in self.metrics or () for one in (metric.pods, metric.object) if one is not None]
        return any(one.metric == "queued" for one in each)

    @property
    def needs_requests(self) -> bool:
        """Whether any metric is a share of what the pods ask for."""
        resources = [metric.resource for metric in self.metrics or ()]
        return not self.metrics or any(one is not None and one.target.average_utilization is not None for one in resources)

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise mistake("must be at least `min_replicas`", "max_replicas")
        return self


class AutoscalerSection(Section):
    """What looks at all services with `autoscaling`: kube-controller-manager's flags, and where it has its figures from."""

    sync_period: Interval = 15 * NS_PER_S
    """Between two looks; 15s as in Kubernetes."""
    tolerance: Share = 0.1
    """How far the ratio of a metric to its target may be from 1 without any change; 10% as in Kubernetes."""
    cpu_initialization_period: Duration = 300 * NS_PER_S
    """For so long after its start a pod's CPU counts only once it is ready, and has been so for a whole window of its figure."""
    initial_readiness_delay: Duration = 30 * NS_PER_S
    """A pod that is unready, and was so for the last time within this time of its start, is taken for one that never was ready."""
    downscale_stabilization: Window = 300 * NS_PER_S
    """Down goes the most that the metrics asked for in this time; 5m as in Kubernetes."""
    metric_resolution: Interval = 15 * NS_PER_S
    """Between two samples of metrics-server: a pod's CPU is the mean between its last two. 15s as its manifests have it."""
    scrape_interval: Interval = 60 * NS_PER_S
    """Between two samples of Prometheus, each pod's at a time of its own; 1m as Prometheus has it."""
    rate_window: Interval = 120 * NS_PER_S
    """Over which Prometheus' `rate` makes requests per second of its samples; 2m as in the adapter's sample configuration."""

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        if self.rate_window < self.scrape_interval:
            raise mistake("must be at least `scrape_interval`, or there are never two samples in it", "rate_window")
        return self
