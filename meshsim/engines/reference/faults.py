"""Faults: processes that change instances at given times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import Effect

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.instance import Instance
    from meshsim.plan import Fault


def strike(clock: Clock, fault: Fault, instances: tuple[Instance, ...]) -> Generator[simpy.Event, None, None]:
    """A SimPy process: the fault begins, lasts, and ends.

    Two slow-downs at once multiply; of two crashes the later end counts.
    """
    struck = instances[: fault.instances]
    yield clock.timeout(fault.from_ns)
    for instance in struck:
        if fault.effect is Effect.SLOW:
            instance.slow_down(fault.amount)
        else:
            instance.crash()
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for instance in struck:
        if fault.effect is Effect.SLOW:
            instance.speed_up(fault.amount)
        else:
            instance.restart()
