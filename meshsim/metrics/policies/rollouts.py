"""What rollouts did: how long each took, how few pods were available meanwhile, and how many there were at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.metrics.policies.rollout_summary import RolloutSummary
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

COLUMNS = ("service", "time_ns", "revision", "desired", "pods", "updated", "available", "terminating")


class _Row(NamedTuple):
    """How the pods of a service stand from an instant on."""

    at_ns: int
    revision: int
    desired: int
    pods: int
    updated: int
    available: int
    terminating: int

    @property
    def is_complete(self) -> bool:
        """Whether all pods are of the version that they shall be of, as many as there shall be, and available.

        Source: Kubernetes, pkg/controller/deployment/util/deployment_util.go, DeploymentComplete.
        """
        return self.desired == self.updated == self.pods == self.available


class RolloutsSeen:
    """A sink of deployments, over the whole run: the warm-up included, since a rollout may be there."""

    def __init__(self, plan: Plan) -> None:
        self._rows: dict[int, list[_Row]] = {}
        """By service, of those that have rollouts."""
        self._names = plan.names.services
        for number, service in enumerate(plan.services):
            if service.lifecycle is not None and service.lifecycle.rollouts is not None:
                self._rows[number] = []

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of deployments only, which has few."""
        if table != "deployments":
            return
        for service, *row in zip(*(chunk[name].tolist() for name in COLUMNS), strict=True):
            self._rows[service].append(_Row(*row))

    def summaries(self) -> tuple[RolloutSummary, ...]:
        """One for each rollout that has begun."""
        return tuple(
            _summary(self._names[service], revision, [row for row in rows if row.revision == revision], is_latest=revision == latest)
            for service, rows in self._rows.items()
            for latest in [max((row.revision for row in rows), default=0)]
            for revision in dict.fromkeys(row.revision for row in rows if row.revision)
        )  # fmt: skip


def _summary(service: str, revision: int, rows: list[_Row], *, is_latest: bool) -> RolloutSummary:
    end = next((at for at, row in enumerate(rows) if row.is_complete), None)
    during = rows if end is None else rows[: end + 1]
    return RolloutSummary(
        service=service,
        revision=revision,
        began_s=rows[0].at_ns / NS_PER_S,
        duration_s=None if end is None else (rows[end].at_ns - rows[0].at_ns) / NS_PER_S,
        is_superseded=end is None and not is_latest,
        desired=during[-1].desired,
        available_least=min(row.available for row in during),
        updated=during[-1].updated,
        pods_most=max(row.pods for row in during),
        terminating_most=max(row.terminating for row in rows),
    )
