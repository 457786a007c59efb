"""Failure accrual: Linkerd's circuit breaking, which takes endpoints out and tries them again one request at a time."""

from meshsim.policies.failure_accrual.accrual import FailureAccrual, FailureAccrualState
from meshsim.policies.failure_accrual.consecutive import Consecutive
from meshsim.policies.failure_accrual.success_rate import SuccessRate

__all__ = ["Consecutive", "FailureAccrual", "FailureAccrualState", "SuccessRate"]
