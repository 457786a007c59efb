"""Filters: what a proxy does with a request that comes in, before it is sent on."""

from meshsim.policies.filters.adaptive_concurrency import AdaptiveConcurrency
from meshsim.policies.filters.admission_control import AdmissionControl
from meshsim.policies.filters.fault import Fault
from meshsim.policies.filters.filter import PASS, Filter, Verdict
from meshsim.policies.filters.limit_concurrency import LimitConcurrency
from meshsim.policies.filters.rate_limit import RateLimit

__all__ = ["PASS", "AdaptiveConcurrency", "AdmissionControl", "Fault", "Filter", "LimitConcurrency", "RateLimit", "Verdict"]
