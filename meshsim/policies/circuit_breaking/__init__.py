"""Circuit breaking by a breaker that is closed, open or half open; Envoy's `circuit_breakers` are limits, another thing."""

from meshsim.policies.circuit_breaking.circuit_breaker import CLOSED, HALF_OPEN, OPEN, CircuitBreaker

__all__ = ["CLOSED", "HALF_OPEN", "OPEN", "CircuitBreaker"]
