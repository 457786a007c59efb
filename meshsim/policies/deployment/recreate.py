"""Recreate: all old pods end before a new one starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.policies.deployment.sets import Sizes
from meshsim.policies.deployment.strategy import scaled_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.deployment.sets import ReplicaSet


@dataclass(frozen=True, slots=True)
class Recreate:
    """All pods of the new version come when the last pod of an old one has ended.

    Source: Kubernetes, pkg/controller/deployment/recreate.go (rolloutRecreate, oldPodsRunning).
    """

    def step(self, desired: int, old: Sequence[ReplicaSet], new: ReplicaSet, *, is_ending: bool) -> Sizes:
        """Nobody of the old ones; when they have ended, all of the new ones."""
        none = (0,) * len(old)
        if any(one.replicas for one in old):
            return Sizes(none, new.replicas)
        return Sizes(none, new.replicas if is_ending and not new.replicas else desired)

    def scaled(self, desired: int, before: int, old: Sequence[ReplicaSet], new: ReplicaSet) -> Sizes:
        """Only a version that has all pods grows or shrinks."""
        alone = scaled_alone(desired, before, old, new)
        return Sizes(tuple(one.replicas for one in old), new.replicas) if alone is None else alone
