"""All instances of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.caches import caches_of
from meshsim.engines.reference.services.fast_failing import FastFailing
from meshsim.engines.reference.services.instance import Instance
from meshsim.randomness import CPU, call_key, root_key

if TYPE_CHECKING:
    from meshsim.engines.reference.services.kept_values import KeptValues
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Plan
    from meshsim.recorder import Recorder


def instances_of(
    clock: Clock, recorder: Recorder, plan: Plan, beginnings: Beginnings, root: tuple[int, int]
) -> tuple[tuple[Instance, ...], ...]:
    """The instances of each service, by place.

    Args:
        clock: The clock.
        recorder: Where their rows go.
        plan: What there is.
        beginnings: Where in their periods timers stand.
        root: Seed and replication.
    """
    made = []
    for number, service in enumerate(plan.services):
        kind = FastFailing if service.fails_at_once else Instance
        keys = [call_key(root_key(*root, service.stream), index) for index in range(len(service.zones))]
        began = [0 if service.cpu is None else beginnings.of(call_key(key, CPU)) for key in keys]
        made.append(
            tuple(
                kind(clock, recorder, service, number, index, plan.operations, key, began[index])
                for index, key in enumerate(keys)
            )
        )
        if service.caches:
            shared: dict[int, KeptValues] = {}
            for instance in made[-1]:
                instance.caches = caches_of(clock, recorder, service, instance, shared)
    return tuple(made)
