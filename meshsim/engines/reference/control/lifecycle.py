"""Instances that come and go: scaling up and down, and rolling restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Lifecycle

    Process = Generator[simpy.Event, None, None]


class Life:
    """The lives of a service's instances.

    An instance that stops leaves the registry and begins its preStop sleep in the same instant: for so long it goes on serving, which
    hides how long callers take to learn of it. Then it refuses new requests; those in it may end during the grace period, and
    what is left then is lost. Who is scaled away before being ready never was there. A place is taken again only when what
    stood there has ended, and a restart leaves out what is not up.

    Source: Kubernetes, "Pod lifecycle", termination of pods: endpoint removal happens at the same time as the preStop hook; Kubernetes
    counts the preStop sleep into the grace period, here it comes before.
    """

    def __init__(self, clock: Clock, plan: Lifecycle, instances: tuple[Instance, ...], registry: Registry) -> None:
        self._clock = clock
        self._plan = plan
        self._instances = instances
        self._registry = registry
        self._wanted = plan.replicas
        self._is_up = [instance.index < plan.replicas for instance in instances]
        """Those that have started, and have not been told to stop."""
        self._orders = [0] * len(instances)
        """How often each was told to start or to stop: only the latest counts."""
        self._ends: list[simpy.Process | None] = [None] * len(instances)
        """The latest end of what stood at each place."""
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
            for index in self._plan.order[before:replicas]:
                self._clock.process(self._start(index))
            for index in self._plan.order[replicas:before]:
                self._stop(index)

    def _roll(self, at_ns: int, batch: int) -> Process:
        """Restart all, some at a time; the next ones when those are ready."""
        yield self._clock.timeout(at_ns)
        for first in range(0, self._wanted, batch):
            some = self._plan.order[first : min(first + batch, self._wanted)]
            yield self._clock.all_of([self._clock.process(self._restart(index)) for index in some if self._is_up[index]])

    def _restart(self, index: int) -> Process:
        self._stop(index)
        yield from self._start(index)

    def _start(self, index: int) -> Process:
        """A process starts, and is ready after a while."""
        order = self._give_order(index)
        end = self._ends[index]
        if end is not None and end.is_alive:
            yield end
        yield self._clock.timeout(self._plan.startup_ns)
        if order == self._orders[index]:
            self._is_up[index] = True
            self._instances[index].pod += 1
            self._instances[index].restart()
            self._registry.add(self._instances[index])

    def _stop(self, index: int) -> None:
        """Begin the end of what stands at a place, or forget that it was to start."""
        self._give_order(index)
        if self._is_up[index]:
            self._is_up[index] = False
            self._registry.remove(self._instances[index])
            self._ends[index] = self._clock.process(self._end(self._instances[index]))

    def _give_order(self, index: int) -> int:
        self._orders[index] += 1
        return self._orders[index]

    def _end(self, instance: Instance) -> Process:
        """The preStop sleep; no new requests; the grace period, or until nothing is left; the end."""
        clock = self._clock
        yield clock.timeout(self._plan.pre_stop_ns)
        instance.close()
        if instance.in_it and self._plan.grace_ns:
            is_empty = clock.event()
            instance.on_empty = is_empty.succeed  # it takes nothing more, so that this comes once
            yield clock.any_of([is_empty, clock.timeout(self._plan.grace_ns)])
            instance.on_empty = None
        instance.end()
