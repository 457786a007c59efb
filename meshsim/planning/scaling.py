"""The autoscaler of a service, defaults filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.plan import Autoscaling, Measured, ScalingMetric, TargetKind
from meshsim.policies.autoscaling import (
    DOWN,
    UP,
    Behavior,
    HorizontalPodAutoscaler,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
    Timing,
    Tolerances,
    request_of,
)
from meshsim.scenario.sections.autoscaling import AutoscalerSection

if TYPE_CHECKING:
    from meshsim.scenario.sections.autoscaling import BehaviorSection, MetricSection, ScalingRulesSection
    from meshsim.scenario.sections.services import ServiceSection

DEFAULT_METRIC = ScalingMetric(TargetKind.UTILIZATION, Measured.CPU, 80)
"""Source: Kubernetes, pkg/apis/autoscaling/types.go (DefaultCPUUtilization)."""
CORE = 1000
"""Thousandths of a core, which a worker keeps busy while it computes."""


def plan_autoscaling(service: ServiceSection, section: AutoscalerSection | None) -> Autoscaling | None:
    """How many replicas there are by metrics; None where nothing is said of it."""
    written = service.autoscaling
    if written is None:
        return None
    cluster = section or AutoscalerSection()
    behavior = None if written.behavior is None else _behavior(written.behavior, cluster)
    up, down = (UP, DOWN) if behavior is None else (behavior.scale_up, behavior.scale_down)
    return Autoscaling(
        policy=HorizontalPodAutoscaler(written.min_replicas, written.max_replicas, behavior, cluster.downscale_stabilization),
        metrics=tuple(_metric(metric) for metric in written.metrics) if written.metrics else (DEFAULT_METRIC,),
        tolerances=Tolerances(*(cluster.tolerance if one.tolerance is None else one.tolerance for one in (down, up))),
        timing=Timing(cluster.cpu_initialization_period, cluster.initial_readiness_delay),
        request=request_of({"application": _asked(service)}),
        sync_ns=cluster.sync_period,
        resolution_ns=cluster.metric_resolution,
        scrape_ns=cluster.scrape_interval,
        rate_ns=cluster.rate_window,
    )


def _asked(service: ServiceSection) -> int:
    """Thousandths of a core that a pod asks for; without `cpu` a core for each worker, and 0 where no metric is a share of it."""
    return service.threads * CORE if service.cpu is None else service.cpu.asked or 0


def _behavior(section: BehaviorSection, cluster: AutoscalerSection) -> Behavior:
    """The rules of both directions: where a `behavior` is given, what it does not say is as Kubernetes fills it in."""
    down = replace(DOWN, stabilization_ns=cluster.downscale_stabilization)
    return Behavior(_rules(section.scale_up, UP), _rules(section.scale_down, down))


def _rules(section: ScalingRulesSection, default: ScalingRules) -> ScalingRules:
    window_ns = section.stabilization_window
    return ScalingRules(
        default.policies
        if section.policies is None
        else tuple(ScalingPolicy(one.value, one.period, is_percent=one.type == "Percent") for one in section.policies),
        SelectPolicy(section.select_policy),
        default.stabilization_ns if window_ns is None else window_ns,
        section.tolerance,
    )


def _metric(section: MetricSection) -> ScalingMetric:
    if section.resource is not None:
        share, cores = section.resource.target.average_utilization, section.resource.target.average_value
        if share is not None:
            return ScalingMetric(TargetKind.UTILIZATION, Measured.CPU, round(share * 100))
        return ScalingMetric(TargetKind.AVERAGE, Measured.CPU, round((cores or 0.0) * CORE))
    if section.pods is not None:
        return ScalingMetric(
            TargetKind.AVERAGE, Measured[section.pods.metric.upper()], round(section.pods.target.average_value * 1000)
        )
    assert section.object is not None  # noqa: S101 — a metric is one of three
    target = section.object.target
    measured = Measured[section.object.metric.upper()]
    if target.value is not None:
        return ScalingMetric(TargetKind.TOTAL, measured, round(target.value * 1000))
    return ScalingMetric(TargetKind.TOTAL_PER_POD, measured, round((target.average_value or 0.0) * 1000))
