"""The registry: which instances of a service are there to be called, as the control plane knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.randomness import PHASE, call_key, uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.engines.reference.time.clock import Clock


class Stoppable(Protocol):
    """What may go and come back: an instance, or a replica of the gateway."""

    index: int
    key: int
    is_listed: bool

    @property
    def is_gone(self) -> bool:
        """Whether it is down, or cannot be reached."""
        ...

    @property
    def pod(self) -> int:
        """Raised whenever another one takes its place."""
        ...

    def crash(self) -> None:
        """It loses what is in it, and refuses what comes."""
        ...

    def restart(self) -> None:
        """End that."""
        ...

    def cut_off(self) -> None:
        """Messages to it and from it are lost."""
        ...

    def reconnect(self) -> None:
        """End that."""
        ...


class Registry:
    """The list of one service: instances enter it when they are ready and leave it when they stop.

    An instance that has crashed or cannot be reached is noticed by its readiness probe: it leaves the list with the last of so many
    failures in a row, and is back with the last of so many successes. Each pod is probed at a phase of its own, so that three
    failures at intervals of 10 s take 20 to 30 s. Without a probe nobody notices.

    Source: Kubernetes, pkg/kubelet/prober/worker.go (a ticker for each container, since the container began; failureThreshold 3,
    successThreshold 1).
    """

    __slots__ = (
        "_changes",
        "_clock",
        "_ill",
        "_instances",
        "_listeners",
        "_period_ns",
        "_readiness_ns",
        "_stopped",
        "_successes",
    )

    def __init__(
        self,
        clock: Clock,
        instances: Sequence[Stoppable],
        replicas: int,
        readiness_ns: int,
        period_ns: int = 0,
        successes: int = 1,
    ) -> None:
        self._clock = clock
        self._instances = instances
        self._readiness_ns = readiness_ns
        self._period_ns = period_ns
        self._successes = successes
        self._listeners: list[Callable[[int, bool], None]] = []
        self._stopped = [index >= replicas for index in range(len(instances))]
        """Those that their lifecycle has taken out, whatever a probe says."""
        self._ill = [False] * len(instances)
        """Those that would fail their probe now."""
        self._changes = [0] * len(instances)
        """How often that has changed: a probe that fails once among successes tells nothing."""
        for instance in instances[replicas:]:
            instance.is_listed = False

    def listen(self, what: Callable[[int, bool], None]) -> None:
        """Call `what(index, is_there)` at each change."""
        self._listeners.append(what)

    def listed(self) -> list[bool]:
        """Who is in the list now."""
        return [instance.is_listed for instance in self._instances]

    def add(self, instance: Stoppable) -> None:
        """An instance has started: it is ready, unless its probe fails, as where a crash or an outage still lasts."""
        index = instance.index
        self._stopped[index] = False
        self._ill[index] = is_ill = self._readiness_ns >= 0 and instance.is_gone
        self._changes[index] += 1
        self._set(instance, is_listed=not is_ill)

    def remove(self, instance: Stoppable) -> None:
        """An instance begins to stop."""
        self._stopped[instance.index] = True
        self._set(instance, is_listed=False)

    def look(self, instance: Stoppable) -> None:
        """A crash or an outage has begun or ended: the probe will tell, if it still holds then."""
        index, is_ill = instance.index, instance.is_gone
        if self._readiness_ns < 0 or is_ill == self._ill[index]:
            return
        self._ill[index] = is_ill
        self._changes[index] = number = self._changes[index] + 1

        def tell() -> None:
            if self._changes[index] == number and not self._stopped[index]:
                self._set(instance, is_listed=not is_ill)

        self._clock.call_at(self._clock.now_ns + self._probe_ns(instance, is_ill=is_ill), tell)

    def _probe_ns(self, instance: Stoppable, *, is_ill: bool) -> int:
        """How long the probe takes from now on to be sure."""
        period_ns = self._period_ns
        if not period_ns:
            return self._readiness_ns
        phase_ns = round(uniform(call_key(instance.key, instance.pod), PHASE) * period_ns)
        to_next_ns = period_ns - (self._clock.now_ns - phase_ns) % period_ns
        return to_next_ns + (self._readiness_ns - period_ns if is_ill else (self._successes - 1) * period_ns)

    def _set(self, instance: Stoppable, *, is_listed: bool) -> None:
        if instance.is_listed != is_listed:
            instance.is_listed = is_listed
            for listener in self._listeners:
                listener(instance.index, is_listed)
