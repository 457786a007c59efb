"""The caches of an instance, and what is in them at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.services.cache import Cache
from meshsim.engines.reference.services.kept_values import KeptValues
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import TIME_TO_LIVE, WARM, call_key, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Cache as Plan
    from meshsim.plan import Service
    from meshsim.recorder import Recorder


class Owner(Protocol):
    """The instance whose caches are made."""

    service: int
    key: int


def caches_of(
    clock: Clock, recorder: Recorder, service: Service, owner: Owner, shared: dict[int, KeptValues]
) -> tuple[Cache, ...]:
    """The caches of one instance, by their numbers in its service.

    Args:
        clock: The clock.
        recorder: Takes waits.
        service: Says what they are like.
        owner: The instance.
        shared: What all instances of the service share, by name of the cache; what is missing is added.
    """
    undone = failure(200 if service.is_grpc else 500, Flag.dependency, owner.service, 13 if service.is_grpc else NONE)
    made = []
    for plan in service.caches:
        values = shared.get(plan.name)
        if values is None:
            values = kept_values(plan, owner.key)
            if plan.is_shared:
                shared[plan.name] = values
        made.append(Cache(clock, recorder, plan, values, undone))
    return tuple(made)


def kept_values(plan: Plan, key: int) -> KeptValues:
    """What a cache has at the start: nothing, or its keys."""
    drawn = call_key(key, plan.stream)
    values = KeptValues(plan.capacity, plan.eviction, drawn)
    if plan.is_warm:
        for number in range(min(len(plan.key_shares), values.room) - 1, -1, -1):  # the frequent ones last: the others go first
            value = values.put(number)
            assert value is not None  # noqa: S101 — nothing is closed yet
            of_key = call_key(drawn, number)
            value.live(plan, 0, uniform(of_key, TIME_TO_LIVE))
            if plan.ttl_ns != NONE:
                value.expires_ns = round(value.lives_ns * uniform(of_key, WARM))
    return values
