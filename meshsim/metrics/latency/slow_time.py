"""What the slowest requests spend their time on, as a summary says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlowTime:
    """What the slowest 1 % of the requests of a route spend on one stage at one service."""

    route: str | None
    """None for all routes."""
    service: str
    """Or `(gateway)`, `(client)`."""
    stage: str
    """One of `meshsim.records.STAGES`."""
    mean_s: float
    """Of each of these requests."""
    share: float
    """Of their latency."""
