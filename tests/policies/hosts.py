"""A host as the locality policies see it."""

from dataclasses import dataclass


@dataclass
class Host:
    zone: int = 0
    is_healthy: bool = True
    is_degraded: bool = False
    priority: int = 0
    weight: float = 1.0
