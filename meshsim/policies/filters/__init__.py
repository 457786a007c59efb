"""Filters: what a proxy does with a request that comes in, before it is sent on."""

from meshsim.policies.filters.filter import PASS, Filter, Verdict
from meshsim.policies.filters.rate_limit import RateLimit

__all__ = ["PASS", "Filter", "RateLimit", "Verdict"]
