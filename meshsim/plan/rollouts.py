"""Rollouts: the versions of a service, and how one takes another's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.plan.failing import Failing
    from meshsim.policies.deployment import Strategy


@dataclass(frozen=True, slots=True)
class Revision:
    """What the pods of one version have of their own."""

    startup_ns: int
    """Until one is ready; NONE where none ever is."""
    slowness: float = 1.0
    """How many times as long computations take as the service says."""
    failing: Failing | None = None
    """Requests that fail beside those that the service fails."""


@dataclass(frozen=True, slots=True)
class Rollouts:
    """The Deployment of a service."""

    strategy: Strategy
    min_ready_ns: int
    """A pod is available when it has been ready for so long."""
    first: Revision
    """The version at the start."""
    changes: tuple[tuple[int, Revision | None], ...]
    """When (ns) the pods shall be of which version; None for the one before (`kubectl rollout undo`)."""
