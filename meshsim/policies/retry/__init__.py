"""Retries: whether to try again, when, where, and how many may at once."""

from meshsim.policies.retry.budget import RetryBudget
from meshsim.policies.retry.conditions import CONDITIONS, is_retriable
from meshsim.policies.retry.policy import BackOff, RetryPolicy

__all__ = ["CONDITIONS", "BackOff", "RetryBudget", "RetryPolicy", "is_retriable"]
