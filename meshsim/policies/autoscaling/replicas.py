"""How many replicas one metric asks for.

All figures are whole thousandths, and divisions are whole where Kubernetes' are: a utilisation of 70.9 % is 70 %.

Source: Kubernetes, pkg/controller/podautoscaler/replica_calculator.go (as of 1.33, with tolerances by direction) and
metrics/utilization.go at commit 819ecd4.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.autoscaling.pods import NoMetricsError, Reading, group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from meshsim.policies.autoscaling.pods import Groups, Pod, Timing

    Ratio = Callable[[Mapping[int, Reading]], tuple[float, int, int]]

MOST = 2**31 - 1
"""What a count of replicas can be."""
MOST_USAGE = 2**63 - 1


class Tolerances(NamedTuple):
    """How far the ratio of a figure to its target may be from 1 without any change."""

    down: float = 0.1
    up: float = 0.1

    def hold(self, ratio: float) -> bool:
        """Whether it is near enough."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Proposal(NamedTuple):
    """What one metric asks for."""

    replicas: int
    usage: int
    """What was compared with the target: percent, or thousandths."""
    average: int = 0
    """Of a utilisation, the mean over pods, in thousandths."""


def by_utilization(
    current: int,
    target_percent: int,
    pods: Sequence[Pod],
    readings: Mapping[int, Reading],
    tolerances: Tolerances,
    timing: Timing,
    now_ns: int,
    *,
    is_cpu: bool = True,
) -> Proposal:
    """Of a resource's `averageUtilization`: usage of all pods over what they ask for.

    A pod without a figure counts as using all that it asks for (or the target, where that is higher) when the others would scale down,
    and as idle when they would scale up; a pod that is too young as idle when they would scale up.

    Raises:
        NoMetricsError: No pod has a figure that counts.
    """
    groups = group(_known(pods), readings, now_ns, timing, is_cpu=is_cpu)
    counted_first = _counted(groups, readings)
    requests = {pod.name: pod.request for pod in pods}

    def ratio(counted: Mapping[int, Reading]) -> tuple[float, int, int]:
        known = [name for name in counted if name in requests]
        asked = sum(requests[name] for name in known)
        if not asked:
            raise NoMetricsError("no metrics returned matched known pods")
        used = sum(counted[name].value for name in known)
        percent = _quotient(used * 100, asked)
        return percent / target_percent, percent, _quotient(used, len(known))

    def fallback(name: int) -> int:
        return requests[name] * max(100, target_percent) // 100

    return _proposal(current, groups, counted_first, tolerances, ratio, fallback)


def by_average(
    current: int,
    target: int,
    pods: Sequence[Pod],
    readings: Mapping[int, Reading],
    tolerances: Tolerances,
    timing: Timing,
    now_ns: int,
    *,
    is_cpu: bool = False,
) -> Proposal:
    """Of an `averageValue`, of a resource or of a metric of pods: the mean of the pods' figures.

    As `by_utilization`, but that a pod without a figure counts as being at the target when the others would scale down.

    Raises:
        NoMetricsError: No pod has a figure that counts.
    """

    def ratio(counted: Mapping[int, Reading]) -> tuple[float, int, int]:
        mean = _quotient(sum(reading.value for reading in counted.values()), len(counted))
        return mean / target, mean, 0

    groups = group(_known(pods), readings, now_ns, timing, is_cpu=is_cpu)
    return _proposal(current, groups, _counted(groups, readings), tolerances, ratio, lambda _: target)


def by_total(current: int, target: int, total: int, pods: Sequence[Pod], tolerances: Tolerances) -> Proposal:
    """Of the `value` of an object, or of something external: the ready pods times total over target.

    Without any replicas it is total over target itself, whatever the tolerance.
    """
    total = min(total, MOST_USAGE)
    ratio = float(total) / float(target)
    if not current:
        return Proposal(ceil(ratio), total)
    if tolerances.hold(ratio):
        return Proposal(current, total)
    ready = sum(bool(pod.is_ready) and not pod.is_pending for pod in _known(pods))
    wanted = ratio * ready
    return Proposal(MOST if wanted > MOST else ceil(wanted), total)


def by_total_per_pod(existing: int, target: int, total: int, tolerances: Tolerances) -> Proposal:
    """Of the `averageValue` of an object, or of something external: total over target; `existing` pods there are now."""
    total = min(total, MOST_USAGE)
    replicas = existing
    if not tolerances.hold(float(total) / (float(target) * float(existing)) if existing else float("inf")):
        replicas = min(ceil(float(total) / float(target)), MOST)
    mean = MOST_USAGE if float(total) >= float(MOST_USAGE) else ceil(float(total) / float(existing)) if existing else total
    return Proposal(replicas, mean)


def _proposal(
    current: int,
    groups: Groups,
    counted: dict[int, Reading],
    tolerances: Tolerances,
    ratio_of: Ratio,
    fallback: Callable[[int], int],
) -> Proposal:
    """What the figures that count ask for, and again with guesses for the pods that have none."""
    ratio, usage, average = ratio_of(counted)
    as_it_is = Proposal(current, usage, average)
    has_idle = bool(groups.unready) and ratio > 1.0
    if not has_idle and not groups.missing:
        return as_it_is if tolerances.hold(ratio) else as_it_is._replace(replicas=ceil(ratio * groups.ready))
    if ratio != 1.0:
        counted.update({name: Reading(fallback(name) if ratio < 1.0 else 0) for name in groups.missing})
    if has_idle:
        counted.update(dict.fromkeys(groups.unready, Reading(0)))
    guessed, _, _ = ratio_of(counted)
    if tolerances.hold(guessed) or (guessed - 1.0) * (ratio - 1.0) < 0.0:
        return as_it_is
    replicas = ceil(guessed * len(counted))
    if (guessed < 1.0 and replicas > current) or (guessed > 1.0 and replicas < current):
        return as_it_is
    return as_it_is._replace(replicas=replicas)


def _counted(groups: Groups, readings: Mapping[int, Reading]) -> dict[int, Reading]:
    """The figures that count."""
    left_out = {*groups.ignored, *groups.unready}
    counted = {name: reading for name, reading in readings.items() if name not in left_out}
    if not counted:
        raise NoMetricsError("did not receive metrics for targeted pods (pods might be unready)")
    return counted


def _known(pods: Sequence[Pod]) -> Sequence[Pod]:
    if not pods:
        raise NoMetricsError("no pods returned by selector while calculating replica count")
    return pods


def _quotient(dividend: int, divisor: int) -> int:
    """As Go divides whole numbers; these are never below 0."""
    return dividend // divisor
