"""What autoscalers did: how many replicas they wanted over the whole run, which metric decided, and what held them back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from meshsim.metrics.policies.summaries import NO_METRICS, STABILIZATION, ScalingSummary
from meshsim.plan import NONE, Measured, TargetKind
from meshsim.policies.autoscaling import Limit, Reason

if TYPE_CHECKING:
    from meshsim.plan import Autoscaling, Plan, ScalingMetric
    from meshsim.records import Chunk

COLUMNS = ("service", "replicas", "desired", "metric", "proposed", "stabilized", "scaling_reason", "limited_by")


class Scalings:
    """A sink of autoscaling, over the whole run: the warm-up included, since an autoscaler may act there."""

    def __init__(self, plan: Plan) -> None:
        self._seen: dict[int, _Seen] = {}
        """By service, of those that have an autoscaler."""
        for number, service in enumerate(plan.services):
            life = service.lifecycle
            if life is not None and life.autoscaling is not None:
                self._seen[number] = _Seen(plan.names.services[number], life.autoscaling, life.replicas)

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of autoscaling only, which has few."""
        if table != "autoscaling":
            return
        for service, *look in zip(*(chunk[name].tolist() for name in COLUMNS), strict=True):
            self._seen[service].add(*look)

    def summaries(self) -> tuple[ScalingSummary, ...]:
        """One for each service that has an autoscaler."""
        return tuple(seen.summary() for seen in self._seen.values())


class _Seen:
    """The looks of one autoscaler."""

    def __init__(self, service: str, plan: Autoscaling, replicas: int) -> None:
        self._service = service
        self._plan = plan
        self._at_start = self._lowest = self._highest = self._at_end = replicas
        self._looks = self._steps_up = self._steps_down = 0
        self._metrics: Counter[str] = Counter()
        self._held_back: Counter[str] = Counter()

    def add(self, before: int, desired: int, metric: int, proposed: int, stabilized: int, reason: int, limit: int) -> None:
        self._looks += 1
        self._steps_up += desired > before
        self._steps_down += desired < before
        self._lowest, self._highest = min(self._lowest, desired), max(self._highest, desired)
        self._at_end = desired
        if metric != NONE:
            self._metrics[metric_text(self._plan.metrics[metric])] += 1
        if stabilized != proposed:
            self._held_back[STABILIZATION] += 1
        if limit != Limit.NONE:
            self._held_back[Limit(limit).name.lower()] += 1
        if reason == Reason.NO_METRICS and self._metrics:  # before there were any, there was nothing to hold back
            self._held_back[NO_METRICS] += 1

    def summary(self) -> ScalingSummary:
        settings = self._plan.policy
        return ScalingSummary(
            service=self._service,
            min_replicas=settings.min_replicas,
            max_replicas=settings.max_replicas,
            at_start=self._at_start,
            lowest=self._lowest,
            highest=self._highest,
            at_end=self._at_end,
            steps_up=self._steps_up,
            steps_down=self._steps_down,
            looks=self._looks,
            metrics=dict(self._metrics),
            held_back=dict(self._held_back),
        )


def metric_text(metric: ScalingMetric) -> str:
    """A metric and its target: `cpu 80%`, `cpu 0.3 cores`, `in_flight 1.5/pod`, `object queued 40`, `object queued 4/pod`."""
    name, target = metric.measured.name.lower(), f"{metric.target / 1000:g}"
    match metric.kind:
        case TargetKind.UTILIZATION:
            return f"{name} {metric.target}%"
        case TargetKind.AVERAGE:
            return f"{name} {target} cores" if metric.measured is Measured.CPU else f"{name} {target}/pod"
        case TargetKind.TOTAL:
            return f"object {name} {target}"
        case TargetKind.TOTAL_PER_POD:
            return f"object {name} {target}/pod"
