"""Autoscaling: how many replicas there should be, as Kubernetes' HorizontalPodAutoscaler computes it."""

from meshsim.policies.autoscaling.combining import Combined, Proposed, combine
from meshsim.policies.autoscaling.horizontal import Autoscaler, Behavior, Decision, HorizontalPodAutoscaler, Limit, Reason
from meshsim.policies.autoscaling.pods import Groups, NoMetricsError, Pod, Reading, Timing, group, request_of
from meshsim.policies.autoscaling.replicas import (
    Proposal,
    Tolerances,
    by_average,
    by_total,
    by_total_per_pod,
    by_utilization,
)
from meshsim.policies.autoscaling.rules import DOWN, UP, ScaleEvents, ScalingPolicy, ScalingRules, SelectPolicy

__all__ = [
    "DOWN",
    "UP",
    "Autoscaler",
    "Behavior",
    "Combined",
    "Decision",
    "Groups",
    "HorizontalPodAutoscaler",
    "Limit",
    "NoMetricsError",
    "Pod",
    "Proposal",
    "Proposed",
    "Reading",
    "Reason",
    "ScaleEvents",
    "ScalingPolicy",
    "ScalingRules",
    "SelectPolicy",
    "Timing",
    "Tolerances",
    "by_average",
    "by_total",
    "by_total_per_pod",
    "by_utilization",
    "combine",
    "group",
    "request_of",
]
