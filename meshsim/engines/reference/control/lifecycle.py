"""Instances that come and go: scaling up and down, and rolling restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import simpy

    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Lifecycle

    Process = Generator[simpy.Event, None, None]

LONG_AGO_NS = -30 * 86_400_000_000_000
"""When those began that are there at the start: they have no youth."""


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
        self.wanted = plan.replicas
        """How many replicas there shall be."""
        self.began_ns: list[int | None] = [LONG_AGO_NS if instance.index < plan.replicas else None for instance in instances]
        """When what stands at each place began to start; None where nothing does, or waits for the end of what stood there."""
        self.on_begin: Callable[[int], object] | None = None
        """Called with the place where something begins to start, where anybody wants to know."""
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
            self.scale_to(replicas)

    def scale_to(self, replicas: int) -> None:
        """So many shall there be from now on."""
        before, self.wanted = self.wanted, replicas
        for index in self._plan.order[before:replicas]:
            self._clock.process(self._start(index))
        for index in self._plan.order[replicas:before]:
            self._stop(index)

    def is_crashed(self, index: int) -> bool:
        """Whether what stands at a place has started, and is down all the same."""
        return self._is_up[index] and self._instances[index].is_down

    def places(self) -> tuple[int, ...]:
        """Where those are that shall be there."""
        return self._plan.order[: self.wanted]

    def _roll(self, at_ns: int, batch: int) -> Process:
        """Restart all, some at a time; the next ones when those are ready."""
        yield self._clock.timeout(at_ns)
        for first in range(0, self.wanted, batch):
            some = self._plan.order[first : min(first + batch, self.wanted)]
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
        if order == self._orders[index]:
            self.began_ns[index] = self._clock.now_ns
            if self.on_begin is not None:
                self.on_begin(index)
        startup_ns = self._startup_ns(index)
        if startup_ns == NONE:
            return
        yield self._clock.timeout(startup_ns)
        if order == self._orders[index]:
            self._is_up[index] = True
            self._renew(index)
            self._instances[index].pod += 1
            self._instances[index].restart()
            self._registry.add(self._instances[index])

    def _startup_ns(self, index: int) -> int:  # noqa: ARG002 — see `Deployment`
        """How long what begins at a place takes until it is ready; NONE where it never is."""
        return self._plan.startup_ns

    def _renew(self, index: int) -> None:
        """What has started takes the place of what stood there."""

    def _stop(self, index: int) -> None:
        """Begin the end of what stands at a place, or forget that it was to start."""
        self._give_order(index)
        self.began_ns[index] = None
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
        if instance.is_at_work and self._plan.grace_ns:
            is_empty = clock.event()
            instance.on_empty = is_empty.succeed  # it takes nothing more, so that this comes once
            yield clock.any_of([is_empty, clock.timeout(self._plan.grace_ns)])
            instance.on_empty = None
        instance.end()
