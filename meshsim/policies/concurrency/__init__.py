"""Concurrency limits: how many requests may be on their way at once, fixed or found out."""

from meshsim.policies.concurrency.aimd import Aimd
from meshsim.policies.concurrency.fixed import Fixed
from meshsim.policies.concurrency.gradient2 import Gradient2
from meshsim.policies.concurrency.gradient_controller import GradientController
from meshsim.policies.concurrency.limit import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.policies.concurrency.vegas import Vegas

__all__ = ["Aimd", "ConcurrencyLimit", "ConcurrencyLimitState", "Fixed", "Gradient2", "GradientController", "Vegas"]
