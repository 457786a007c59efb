"""The ReplicaSets of a Deployment: one for each version, of which the newest shall have all pods."""

from __future__ import annotations

from typing import NamedTuple


class ReplicaSet(NamedTuple):
    """The pods of one version."""

    replicas: int
    """How many there shall be (`spec.replicas`)."""
    available: int
    """How many of them have been ready for `minReadySeconds` (`status.availableReplicas`)."""


class Sizes(NamedTuple):
    """How many pods each version shall have."""

    old: tuple[int, ...]
    """Of the older versions, in the order in which they were made."""
    new: int
