"""The circuit breakers of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.admission import NO_LIMIT, ResourceLimit

if TYPE_CHECKING:
    from meshsim.plan import Limits


def breakers(limits: Limits | None) -> tuple[ResourceLimit, ResourceLimit, ResourceLimit, ResourceLimit]:
    """For connections, pending requests, requests and retries; without limits they count only."""
    if limits is None:
        return ResourceLimit(NO_LIMIT), ResourceLimit(NO_LIMIT), ResourceLimit(NO_LIMIT), ResourceLimit(NO_LIMIT)
    most = (limits.max_connections, limits.max_pending_requests, limits.max_requests, limits.max_retries)
    connections, pending, requests, retries = (ResourceLimit(one) for one in most)
    return connections, pending, requests, retries
