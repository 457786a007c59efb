"""Faults: processes that change instances and replicas of the gateway at given times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.plan import Effect

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import simpy

    from meshsim.engines.reference.control.registry import Registry, Stoppable
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Fault

    Process = Generator[simpy.Event, None, None]


class Slowable(Protocol):
    """What a fault slows down: an instance, or the workers of a replica of the gateway."""

    def slow_down(self, factor: float) -> None:
        """From now on."""
        ...

    def speed_up(self, factor: float) -> None:
        """End that."""
        ...


def slow(clock: Clock, fault: Fault, everyone: Sequence[Slowable]) -> Process:
    """A SimPy process: work that begins takes longer for a time. Two such faults at once multiply."""
    struck = [everyone[index] for index in fault.instances]
    yield clock.timeout(fault.from_ns)
    for one in struck:
        one.slow_down(fault.amount)
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for one in struck:
        one.speed_up(fault.amount)


def fail(clock: Clock, fault: Fault, everyone: Sequence[Instance]) -> Process:
    """A SimPy process: instances fail some of their requests for a time. Two such faults at once are independent."""
    assert fault.failing is not None  # noqa: S101 — errors say which
    struck = [everyone[index] for index in fault.instances]
    yield clock.timeout(fault.from_ns)
    for one in struck:
        one.fail_some(fault.failing)
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for one in struck:
        one.fail_less(fault.failing)


def flush(clock: Clock, fault: Fault, everyone: Sequence[Instance]) -> Process:
    """A SimPy process: caches lose everything, and keep nothing for a time. What all instances share is lost whichever of them it strikes."""
    struck = list(dict.fromkeys(everyone[index].caches[fault.cache].values for index in fault.instances))
    yield clock.timeout(fault.from_ns)
    for values in struck:
        values.close()
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for values in struck:
        values.open()


def take_away(clock: Clock, fault: Fault, everyone: Sequence[Stoppable], registry: Registry | None) -> Process:
    """A SimPy process: a crash or an outage begins, lasts, and ends. Of two at once the later end counts.

    Args:
        clock: Time.
        fault: What happens, and when.
        everyone: All of the service, or of the gateway.
        registry: Where a readiness probe tells of it; None where nobody looks.
    """
    struck = [everyone[index] for index in fault.instances]
    yield clock.timeout(fault.from_ns)
    for one in struck:
        one.crash() if fault.effect is Effect.CRASH else one.cut_off()
        if registry is not None:
            registry.look(one)
    yield clock.timeout(fault.until_ns - fault.from_ns)
    for one in struck:
        one.restart() if fault.effect is Effect.CRASH else one.reconnect()
        if registry is not None:
            registry.look(one)
