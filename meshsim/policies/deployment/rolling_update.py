"""RollingUpdate: new pods come and old ones go a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.policies.deployment.portion import Portion
from meshsim.policies.deployment.sets import Sizes
from meshsim.policies.deployment.strategy import scaled_alone, scaled_in_proportion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.deployment.sets import ReplicaSet

A_QUARTER = Portion(25, is_percent=True)
"""Source: Kubernetes, pkg/apis/apps/v1/defaults.go, SetDefaults_Deployment."""


@dataclass(frozen=True, slots=True)
class RollingUpdate:
    """No more than `max_surge` pods above the replicas, and no more than `max_unavailable` of those missing.

    Pods that end count for neither: the new one is made at once. Pods of old versions that are not available go first.

    Source: Kubernetes, pkg/controller/deployment/rolling.go; util/deployment_util.go (NewRSNewReplicas, ResolveFenceposts, MaxUnavailable).
    """

    max_surge: Portion = A_QUARTER
    """Rounded up."""
    max_unavailable: Portion = A_QUARTER
    """Rounded down; 1 where both would be 0, or nothing could ever change."""

    def fenceposts(self, replicas: int) -> tuple[int, int]:
        """How many pods may be there beyond the replicas, and how many of those may be missing."""
        surge, unavailable = self.max_surge.of(replicas, up=True), self.max_unavailable.of(replicas, up=False)
        return surge, (unavailable or 1) if not surge else unavailable

    def fewest(self, replicas: int) -> int:
        """How many pods stay available at least."""
        return max(0, replicas - self.fenceposts(replicas)[1])

    def most(self, replicas: int) -> int:
        """How many pods there are at most, without those that end."""
        return replicas + self.fenceposts(replicas)[0]

    def step(self, desired: int, old: Sequence[ReplicaSet], new: ReplicaSet, *, is_ending: bool) -> Sizes:  # noqa: ARG002 — see `Strategy`
        """More of the new ones where there may be more, else fewer of the old ones where there may be fewer."""
        sizes = Sizes(tuple(one.replicas for one in old), new.replicas)
        grown = self.new_size(desired, sum(sizes.old), new.replicas)
        return sizes._replace(new=grown) if grown != new.replicas else sizes._replace(old=self.old_sizes(desired, old, new))

    def new_size(self, desired: int, old: int, new: int) -> int:
        """How many pods the new version shall have, where there are so many of it and of the old ones together."""
        if new >= desired:
            return desired
        return new + max(0, min(self.most(desired) - old - new, desired - new))

    def old_sizes(self, desired: int, old: Sequence[ReplicaSet], new: ReplicaSet) -> tuple[int, ...]:
        """How many pods each of the old versions keeps."""
        sizes = [one.replicas for one in old]
        fewest = self.fewest(desired)
        may_go = sum(sizes) + new.replicas - fewest - (new.replicas - new.available)
        if may_go <= 0 or not any(sizes):
            return tuple(sizes)
        cleaned = without_unhealthy(old, may_go)
        too_many = sum(one.available for one in old) + new.available - fewest
        for number, size in enumerate(cleaned):
            gone = max(0, min(size, too_many))
            cleaned[number] -= gone
            too_many -= gone
        return tuple(cleaned)

    def scaled(self, desired: int, before: int, old: Sequence[ReplicaSet], new: ReplicaSet) -> Sizes:
        """A version that has all pods gets all; else each gets its share."""
        alone = scaled_alone(desired, before, old, new)
        if alone is not None:
            return alone
        return scaled_in_proportion(self.most(desired), self.most(before), old, new, to_none=desired == 0)


def without_unhealthy(old: Sequence[ReplicaSet], may_go: int) -> list[int]:
    """Pods of each old version without those that are not available, the oldest version first, as far as so many may go."""
    sizes = []
    for one in old:
        gone = max(0, min(may_go, one.replicas - one.available))
        sizes.append(one.replicas - gone)
        may_go -= gone
    return sizes
