"""How requests fail because of a fault, or of what a version has of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.replay import Table


class Failing(NamedTuple):
    """Requests that fail because of a fault: how many or which, and what they get."""

    number: int
    """Of the fault: those that last at the same time are independent."""
    rate: float
    table: Table | None
    """Which, by request and attempt, in place of the rate."""
    status: int
    """NONE for that of the service's own errors."""
    grpc_status: int
    """NONE for that of the service's own errors."""
    retry_after_ns: int
    latency: Distribution | None
    """How long the answer takes where it comes at once, without a worker and work; None where it comes after the work."""
