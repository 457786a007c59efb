"""What one rollout did, as a summary has it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """One rollout of a service, wherever in the run."""

    service: str
    revision: int
    """Its number among the service's rollouts, from 1."""
    began_s: float
    duration_s: float | None
    """Until all pods were of its version and available; None where that did not come."""
    is_superseded: bool
    """Whether the next rollout began before that came."""
    desired: int
    """Replicas wanted at its end."""
    available_least: int
    """Pods available, of all versions: the fewest meanwhile."""
    updated: int
    """Pods of its version at its end."""
    pods_most: int
    """Pods of all versions, without those that end: the most meanwhile."""
    terminating_most: int
    """Pods that ended at once: the most until the next rollout."""

    @property
    def label(self) -> str:
        """Such as `payment: 1`."""
        return f"{self.service}: {self.revision}"

    def cells(self) -> dict[str, Any]:
        """The numbers of a row, by column."""
        return {one.name: getattr(self, one.name) for one in fields(self)[2:]}
