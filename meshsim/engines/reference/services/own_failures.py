"""What an instance says where it fails requests by itself."""

from __future__ import annotations

from functools import cache

from meshsim.engines.reference.services.line import Refusals
from meshsim.engines.reference.time.outcome import Outcome, failure
from meshsim.flags import Flag


@cache
def own_failures(service: int, is_grpc: bool) -> tuple[Refusals, Outcome, Outcome]:  # noqa: FBT001 — the key of a cache
    """What all instances of a service say: to whom leaves the queue, in a crash, and after the deadline."""
    deadline = failure(200, Flag.deadline, service, 4) if is_grpc else failure(504, Flag.deadline, service)
    return Refusals.of(service, is_grpc=is_grpc), failure(503, Flag.UC, service), deadline
