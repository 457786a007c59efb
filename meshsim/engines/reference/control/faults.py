"""Faults: processes that change instances at given times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import Effect

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Fault


def strike(
    clock: Clock, fault: Fault, instances: tuple[Instance, ...], registry: Registry | None
) -> Generator[simpy.Event, None, None]:
    """A SimPy process: the fault begins, lasts, and ends.

    Two slow-downs at once multiply; of two crashes or outages the later end counts; shares of errors are independent.

    Args:
        clock: Time.
        fault: What happens, and when.
        instances: All of the service.
        registry: Where a readiness probe tells of it; None where nobody looks.
    """
    struck = [instances[index] for index in fault.instances]
    yield clock.timeout(fault.from_ns)
    for instance in struck:
        _begin(fault, instance)
        if registry is not None and fault.effect in (Effect.CRASH, Effect.UNREACHABLE):
            registry.look(instance)
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for instance in struck:
        _end(fault, instance)
        if registry is not None and fault.effect in (Effect.CRASH, Effect.UNREACHABLE):
            registry.look(instance)


def _begin(fault: Fault, instance: Instance) -> None:
    match fault.effect:
        case Effect.SLOW:
            instance.slow_down(fault.amount)
        case Effect.CRASH:
            instance.crash()
        case Effect.UNREACHABLE:
            instance.cut_off()
        case Effect.ERRORS:
            assert fault.failing is not None  # noqa: S101 — errors say which
            instance.fail_some(fault.failing)


def _end(fault: Fault, instance: Instance) -> None:
    match fault.effect:
        case Effect.SLOW:
            instance.speed_up(fault.amount)
        case Effect.CRASH:
            instance.restart()
        case Effect.UNREACHABLE:
            instance.reconnect()
        case Effect.ERRORS:
            assert fault.failing is not None  # noqa: S101 — errors say which
            instance.fail_less(fault.failing)
