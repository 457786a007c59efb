"""Throttling by the caller: it holds back what would be turned away."""

from meshsim.policies.throttling.client_throttling import ClientThrottling

__all__ = ["ClientThrottling"]
