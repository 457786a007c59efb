"""How one version takes another's place: what each strategy answers, and how versions share a change of the number of replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.policies.deployment.sets import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.deployment.sets import ReplicaSet


class Strategy(Protocol):
    """What a Deployment goes by."""

    def step(self, desired: int, old: Sequence[ReplicaSet], new: ReplicaSet, *, is_ending: bool) -> Sizes:
        """What the controller does when it looks: one step, or nothing.

        Args:
            desired: How many replicas the Deployment shall have.
            old: The older versions, in the order in which they were made.
            new: The version that it shall have.
            is_ending: Whether a pod of any version ends still.
        """
        ...

    def scaled(self, desired: int, before: int, old: Sequence[ReplicaSet], new: ReplicaSet) -> Sizes:
        """How the versions share a change of the number of replicas from `before` to `desired`."""
        ...


def scaled_alone(desired: int, before: int, old: Sequence[ReplicaSet], new: ReplicaSet) -> Sizes | None:
    """Where one version has all pods, it gets all; None where several have some, and the new one has not all that it shall have.

    Source: Kubernetes, pkg/controller/deployment/sync.go (scale), util/deployment_util.go (FindActiveOrLatest, IsSaturated).
    """
    sizes = [*(one.replicas for one in old), new.replicas]
    active = [number for number, size in enumerate(sizes) if size]
    if len(active) <= 1:
        sizes[active[0] if active else -1] = desired
        return Sizes(tuple(sizes[:-1]), sizes[-1])
    if new.replicas == new.available == desired == before:
        return Sizes((0,) * len(old), new.replicas)
    return None


def scaled_in_proportion(most: int, most_before: int, old: Sequence[ReplicaSet], new: ReplicaSet, *, to_none: bool) -> Sizes:
    """Each version gets its share of what comes or goes, so that a change of size neither hastens an update nor holds it up.

    The largest comes first, and gets what rounding leaves over; among equals the newest where pods come, the oldest where they go.

    Source: Kubernetes, pkg/controller/deployment/sync.go (scale), util/deployment_util.go (GetReplicaSetProportion).

    Args:
        most: How many pods there may be now: the replicas and `max_surge`.
        most_before: How many there might be before the change.
        old: The older versions.
        new: The version that there shall be.
        to_none: Whether there shall be no replicas at all.
    """
    sizes = [*(one.replicas for one in old), new.replicas]
    to_add = (0 if to_none else most) - sum(sizes)
    is_active = [number for number, size in enumerate(sizes) if size]
    order = sorted(is_active, key=lambda number: (-sizes[number], -number if to_add > 0 else number))
    added, found = 0, list(sizes)
    for number in order if to_add else ():
        left = to_add - added
        share = -sizes[number] if to_none else _rounded(sizes[number] * most, most_before) - sizes[number]
        share = (min if to_add > 0 else max)(share, left) if left else 0
        found[number] += share
        added += share
    if order and to_add:
        found[order[0]] = max(0, found[order[0]] + to_add - added)
    return Sizes(tuple(found[:-1]), found[-1])


def _rounded(part: int, whole: int) -> int:
    """The quotient of two numbers from 0 on, halves up."""
    return (2 * part + whole) // (2 * whole)
