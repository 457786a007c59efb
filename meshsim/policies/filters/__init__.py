"""Filters: what a proxy does with a request that comes in, before it is sent on."""

from meshsim.policies.filters.adaptive_concurrency import AdaptiveConcurrency
from meshsim.policies.filters.admission_control import AdmissionControl
from meshsim.policies.filters.api_key import ApiKey
from meshsim.policies.filters.authorization import Authorization
from meshsim.policies.filters.authorization_rule import AuthorizationRule
from meshsim.policies.filters.basic_auth import BasicAuth
from meshsim.policies.filters.buffer import Buffer
from meshsim.policies.filters.cache import Cache
from meshsim.policies.filters.compress import Compress
from meshsim.policies.filters.ext_authz import ExtAuthz
from meshsim.policies.filters.fault import Fault
from meshsim.policies.filters.filter import PASS, Asked, Decision, Filter, FilterState, Surroundings, Then, Verdict
from meshsim.policies.filters.global_rate_limit import GlobalRateLimit
from meshsim.policies.filters.jwt_auth import JwtAuth
from meshsim.policies.filters.limit_concurrency import LimitConcurrency
from meshsim.policies.filters.oauth2_introspection import Oauth2Introspection
from meshsim.policies.filters.rate_limit import RateLimit
from meshsim.policies.filters.rate_limit_rule import RateLimitRule
from meshsim.policies.filters.shed_by_criticality import ShedByCriticality
from meshsim.policies.filters.transcode import Transcode
from meshsim.policies.filters.transform import Transform

__all__ = [
    "PASS",
    "AdaptiveConcurrency",
    "AdmissionControl",
    "ApiKey",
    "Asked",
    "Authorization",
    "AuthorizationRule",
    "BasicAuth",
    "Buffer",
    "Cache",
    "Compress",
    "Decision",
    "ExtAuthz",
    "Fault",
    "Filter",
    "FilterState",
    "GlobalRateLimit",
    "JwtAuth",
    "LimitConcurrency",
    "Oauth2Introspection",
    "RateLimit",
    "RateLimitRule",
    "ShedByCriticality",
    "Surroundings",
    "Then",
    "Transcode",
    "Transform",
    "Verdict",
]
