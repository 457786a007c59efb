"""Pods as the autoscaler sees them: which of them count, and which lack a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class NoMetricsError(Exception):
    """There is no figure to go by; the message says why, in Kubernetes' words."""


class Pod(NamedTuple):
    """One pod of the scaled workload."""

    name: int
    started_ns: int | None = None
    """When it began to run (`status.startTime`); None where that is not known."""
    is_ready: bool | None = None
    """Its condition `Ready`; None where it has none yet."""
    changed_ns: int = 0
    """When that last changed (`lastTransitionTime`)."""
    is_pending: bool = False
    """Whether it waits to be scheduled or started."""
    is_ending: bool = False
    """Whether it is being deleted, or has failed."""
    request: int = 0
    """What it asks for of the resource, in thousandths."""


class Reading(NamedTuple):
    """A figure of one pod, as a metrics API gives it."""

    value: int
    """In thousandths."""
    read_ns: int = 0
    """The end of the time that it is of."""
    window_ns: int = 0
    """How long that time is."""


class Timing(NamedTuple):
    """Flags of kube-controller-manager about pods that have just started."""

    cpu_initialization_ns: int
    """`--horizontal-pod-autoscaler-cpu-initialization-period`."""
    initial_readiness_ns: int
    """`--horizontal-pod-autoscaler-initial-readiness-delay`."""


class Groups(NamedTuple):
    """The pods by what the autoscaler makes of them."""

    ready: int
    """How many have a figure that counts."""
    unready: list[int]
    """Pending, or too young for their CPU to count: they count as idle where it would scale up, else not at all."""
    missing: list[int]
    """Without a figure: they count against whichever way it would scale."""
    ignored: list[int]
    """Ending: they do not count."""


def group(pods: Iterable[Pod], readings: Mapping[int, Reading], now_ns: int, timing: Timing, *, is_cpu: bool) -> Groups:
    """Sort the pods.

    The readiness of a pod counts for its CPU alone. During `cpu_initialization_ns` after its start, CPU counts once it is ready and
    has been so for a whole window of its figure. Afterwards it counts unless the pod is unready and that condition has not changed
    since `initial_readiness_ns` after its start, which is taken for "was never ready".

    Source: Kubernetes, pkg/controller/podautoscaler/replica_calculator.go, groupPods.
    """
    groups = Groups(0, [], [], [])
    ready = 0
    for pod in pods:
        reading = readings.get(pod.name)
        if pod.is_ending:
            groups.ignored.append(pod.name)
        elif pod.is_pending:
            groups.unready.append(pod.name)
        elif reading is None:
            groups.missing.append(pod.name)
        elif is_cpu and _is_too_young(pod, reading, now_ns, timing):
            groups.unready.append(pod.name)
        else:
            ready += 1
    return groups._replace(ready=ready)


def _is_too_young(pod: Pod, reading: Reading, now_ns: int, timing: Timing) -> bool:
    """Whether its CPU does not count yet."""
    if pod.is_ready is None or pod.started_ns is None:
        return True
    if pod.started_ns + timing.cpu_initialization_ns > now_ns:
        return not pod.is_ready or reading.read_ns < pod.changed_ns + reading.window_ns
    return not pod.is_ready and pod.started_ns + timing.initial_readiness_ns > pod.changed_ns


def request_of(containers: Mapping[str, int | None], container: str = "", *, pod: str = "") -> int:
    """What a pod asks for of a resource, in thousandths: the sum over its containers, native sidecars included, or one of them.

    Args:
        containers: What each asks for; None where it does not say.
        container: The only one that counts; empty for all.
        pod: Its name, for the message.

    Raises:
        NoMetricsError: One that counts does not say, or there is none of that name.

    Source: Kubernetes, pkg/controller/podautoscaler/replica_calculator.go, calculatePodRequestsFromContainers.
    """
    if container and container not in containers:
        raise NoMetricsError(f"container {container} not found in Pod {pod}")
    total = 0
    for name, request in containers.items():
        if container in {"", name}:
            if request is None:
                raise NoMetricsError(f"missing request for cpu in container {name} of Pod {pod}")
            total += request
    return total
