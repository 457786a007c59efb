"""Retries: whether to try again, when, where, and how many may at once."""

from meshsim.policies.retry.back_off import BackOff, BackOffState
from meshsim.policies.retry.budget import RetryBudget
from meshsim.policies.retry.conditions import CONDITIONS, is_retriable
from meshsim.policies.retry.constant import Constant
from meshsim.policies.retry.decorrelated_jitter import DecorrelatedJitter
from meshsim.policies.retry.equal_jitter import EqualJitter
from meshsim.policies.retry.exponential import Exponential
from meshsim.policies.retry.full_jitter import FullJitter
from meshsim.policies.retry.leaky_budget import LeakyBudget
from meshsim.policies.retry.policy import RetryPolicy
from meshsim.policies.retry.retry_quota import RetryQuota
from meshsim.policies.retry.running_quantile import RunningQuantile
from meshsim.policies.retry.token_budget import RetryTokenBudget, RetryTokenBudgetState

__all__ = [
    "CONDITIONS",
    "BackOff",
    "BackOffState",
    "Constant",
    "DecorrelatedJitter",
    "EqualJitter",
    "Exponential",
    "FullJitter",
    "LeakyBudget",
    "RetryBudget",
    "RetryPolicy",
    "RetryQuota",
    "RetryTokenBudget",
    "RetryTokenBudgetState",
    "RunningQuantile",
    "is_retriable",
]
