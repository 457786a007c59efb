"""A limit on how many there may be at once: what Envoy calls a circuit breaker's resource."""

from __future__ import annotations

NO_LIMIT = 2**32 - 1
"""How Istio writes "no limit" (pilot/pkg/networking/core/cluster_traffic_policy.go, getDefaultCircuitBreakerThresholds)."""


class ResourceLimit:
    """Connections, pending requests, requests or retries of one proxy to one destination, and how many there may be.

    Source: Envoy, source/common/upstream/resource_manager_impl.h.
    """

    __slots__ = ("in_use", "maximum", "overflows")

    def __init__(self, maximum: int = NO_LIMIT) -> None:
        self.maximum = maximum
        self.in_use = 0
        self.overflows = 0
        """How often the limit said no."""

    def admit(self) -> bool:
        """Take one if there is room."""
        if self.in_use >= self.maximum:
            self.overflows += 1
            return False
        self.in_use += 1
        return True

    def done(self) -> None:
        """Give one back."""
        self.in_use -= 1
