"""How long an update takes where every new pod becomes available."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.deployment.sets import ReplicaSet

if TYPE_CHECKING:
    from meshsim.policies.deployment.strategy import Strategy


def rounds(strategy: Strategy, replicas: int) -> int:
    """How many times new pods have to become available one after the other, from all old to all new."""
    old, new, count = ReplicaSet(replicas, replicas), ReplicaSet(0, 0), 0
    while old.replicas or new.available < replicas:
        sizes = strategy.step(replicas, (old,), new, is_ending=False)
        if sizes == ((old.replicas,), new.replicas):  # nothing to do before those that start are available
            new, count = ReplicaSet(new.replicas, new.replicas), count + 1
        else:
            old, new = ReplicaSet(sizes.old[0], min(old.available, sizes.old[0])), new._replace(replicas=sizes.new)
    return count
