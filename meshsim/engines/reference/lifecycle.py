"""Instances that come and go: scaling up and down, and rolling restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.instance import Instance
    from meshsim.engines.reference.registry import Registry
    from meshsim.plan import Lifecycle

    Process = Generator[simpy.Event, None, None]

LOOKS = 10
"""How often in the grace period it is looked at whether anything is left in an instance."""


class Life:
    """The lives of a service's instances.

    An instance that stops leaves the registry and begins its preStop sleep in the same instant: for so long it goes on serving, which
    hides how long callers take to learn of it. Then it refuses new requests; those in it may end during the grace period, and
    what is left then is lost.

    Source: Kubernetes, "Pod lifecycle", termination of pods: endpoint removal happens at the same time as the preStop hook; Kubernetes
    counts the preStop sleep into the grace period, here it comes before.
    """

    def __init__(self, clock: Clock, plan: Lifecycle, instances: tuple[Instance, ...], registry: Registry) -> None:
        self._clock = clock
        self._plan = plan
        self._instances = instances
        self._registry = registry
        self._wanted = plan.replicas
        for instance in instances[plan.replicas :]:
            instance.close()

    def begin(self) -> None:
        """Start the processes that the plan asks for."""
        if self._plan.scale:
            self._clock.process(self._scale())
        for at_ns, batch in self._plan.restarts:
            self._clock.process(self._roll(at_ns, batch))

    def _scale(self) -> Process:
        """The number of replicas changes at the given times."""
        for at_ns, replicas in self._plan.scale:
            yield self._clock.timeout(max(0, at_ns - self._clock.now_ns))
            before, self._wanted = self._wanted, replicas
            for index in range(before, replicas):
                self._clock.process(self._start(self._instances[index]))
            for index in range(replicas, before):
                self._clock.process(self._stop(self._instances[index]))

    def _roll(self, at_ns: int, batch: int) -> Process:
        """Restart all, some at a time; the next ones when those are ready."""
        yield self._clock.timeout(at_ns)
        for first in range(0, self._wanted, batch):
            some = self._instances[first : min(first + batch, self._wanted)]
            yield self._clock.all_of([self._clock.process(self._restart(instance)) for instance in some])

    def _restart(self, instance: Instance) -> Process:
        yield from self._stop(instance)
        yield from self._start(instance)

    def _start(self, instance: Instance) -> Process:
        """A process starts, and is ready after a while."""
        yield self._clock.timeout(self._plan.startup_ns)
        if instance.index < self._wanted:
            instance.restart()
            self._registry.add(instance)

    def _stop(self, instance: Instance) -> Process:
        """Out of the list; the preStop sleep; no new requests; the grace period; the end."""
        if not instance.is_listed and instance.is_down:  # it has not been ready yet
            return
        self._registry.remove(instance)
        yield self._clock.timeout(self._plan.pre_stop_ns)
        instance.close()
        step_ns = max(1, self._plan.grace_ns // LOOKS)
        until_ns = self._clock.now_ns + self._plan.grace_ns
        while instance.in_it and self._clock.now_ns < until_ns:
            yield self._clock.timeout(min(step_ns, until_ns - self._clock.now_ns))
        instance.end()
