"""What proxies were busy with, as a figure of a summary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProxySummary:
    """The gateway's replicas, or the sidecars of one service, in the measured window."""

    name: str
    """`gateway`, or `sidecar of <service>`."""
    replicas: int
    workers: int
    """Of each replica."""
    utilisation: float | None
    utilisation_of_busiest: float | None
    queue_mean: float | None
    queue_peak: int
    cpu_cores: float | None = None
    """Workers at work over all replicas, in the mean: the processor cores that the proxies keep busy."""
