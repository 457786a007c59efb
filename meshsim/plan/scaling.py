"""Autoscalers: what they look at, how often, and by which rules they decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meshsim.policies.autoscaling import HorizontalPodAutoscaler, Timing, Tolerances


class TargetKind(IntEnum):
    """What a metric's target is of."""

    UTILIZATION = 0
    """Percent of what the pods ask for."""
    AVERAGE = 1
    """The mean over pods."""
    TOTAL = 2
    """The sum over pods."""
    TOTAL_PER_POD = 3
    """The sum over pods, by the number of pods that there are."""


class Measured(IntEnum):
    """What a metric measures of a pod."""

    CPU = 0
    REQUESTS_PER_SECOND = 1
    IN_FLIGHT = 2
    QUEUED = 3


class ScalingMetric(NamedTuple):
    """One metric of an autoscaler."""

    kind: TargetKind
    measured: Measured
    target: int
    """Percent, or thousandths."""


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """The autoscaler of one service."""

    policy: HorizontalPodAutoscaler
    metrics: tuple[ScalingMetric, ...]
    tolerances: Tolerances
    timing: Timing
    request: int
    """What a pod asks for, in thousandths of a core."""
    sync_ns: int
    """Between two looks."""
    resolution_ns: int
    """Between two samples of metrics-server."""
    scrape_ns: int
    """Between two samples of Prometheus."""
    rate_ns: int
    """Over which it makes a rate of samples."""
