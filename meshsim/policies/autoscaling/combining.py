"""Several metrics of one autoscaler: the largest proposal counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.policies.autoscaling.replicas import Proposal

NO_METRIC = -1
FAILED = -1


class Proposed(NamedTuple):
    """One metric's proposal, or why it has none."""

    proposal: Proposal | None
    failure: str = ""


class Combined(NamedTuple):
    """What all metrics ask for."""

    replicas: int
    """`FAILED` where nothing can be said: no metric has a figure, or some have none and the others would scale down."""
    metric: int
    """Which metric that is of; `NO_METRIC` where nothing can be said."""
    failure: str = ""
    """The first failure, where there was any."""


def combine(current: int, proposed: Sequence[Proposed]) -> Combined:
    """The largest proposal.

    While any metric has no figure, the others may scale up, and not down.

    Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go, computeReplicasForMetrics.
    """
    replicas, metric = 0, NO_METRIC
    for number, one in enumerate(proposed):
        if one.proposal is not None and (not replicas or one.proposal.replicas > replicas):
            replicas, metric = one.proposal.replicas, number
    failures = [one.failure for one in proposed if one.proposal is None]
    failure = failures[0] if failures else ""
    if len(failures) >= len(proposed) or (failures and replicas < current):
        return Combined(FAILED, NO_METRIC, failure)
    return Combined(replicas, metric, failure)
