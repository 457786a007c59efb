"""Admission: whether a request may go on now."""

from meshsim.policies.admission.admission import NEVER, REFUSED, Admission, AdmissionState
from meshsim.policies.admission.fixed_window import FixedWindow
from meshsim.policies.admission.gcra import Gcra
from meshsim.policies.admission.leaky_bucket import LeakyBucket
from meshsim.policies.admission.quota import Quota
from meshsim.policies.admission.resource_limit import NO_LIMIT, ResourceLimit
from meshsim.policies.admission.sliding_window_counter import SlidingWindowCounter
from meshsim.policies.admission.sliding_window_log import SlidingWindowLog
from meshsim.policies.admission.stepped_token_bucket import SteppedTokenBucket
from meshsim.policies.admission.token_bucket import TokenBucket

__all__ = [
    "NEVER",
    "NO_LIMIT",
    "REFUSED",
    "Admission",
    "AdmissionState",
    "FixedWindow",
    "Gcra",
    "LeakyBucket",
    "Quota",
    "ResourceLimit",
    "SlidingWindowCounter",
    "SlidingWindowLog",
    "SteppedTokenBucket",
    "TokenBucket",
]
