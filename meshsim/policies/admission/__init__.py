"""Admission: may this one go on now?"""

from meshsim.policies.admission.resource_limit import NO_LIMIT, ResourceLimit
from meshsim.policies.admission.token_bucket import Admission, TokenBucket

__all__ = ["NO_LIMIT", "Admission", "ResourceLimit", "TokenBucket"]
