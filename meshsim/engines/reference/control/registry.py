"""The registry: which instances of a service are there to be called, as the control plane knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock


class Registry:
    """The list of one service: instances enter it when they are ready and leave it when they stop.

    An instance that has crashed or cannot be reached is noticed by its readiness probe: it leaves the list after failing for as long as
    the probe takes (period times threshold), and is back as long after it has recovered. Without a probe nobody notices.
    """

    __slots__ = ("_changes", "_clock", "_ill", "_instances", "_listeners", "_readiness_ns", "_stopped")

    def __init__(self, clock: Clock, instances: tuple[Instance, ...], replicas: int, readiness_ns: int) -> None:
        self._clock = clock
        self._instances = instances
        self._readiness_ns = readiness_ns
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

    def add(self, instance: Instance) -> None:
        """An instance has started: it is ready, unless its probe fails, as where a crash or an outage still lasts."""
        index = instance.index
        self._stopped[index] = False
        self._ill[index] = is_ill = self._readiness_ns >= 0 and instance.is_gone
        self._changes[index] += 1
        self._set(instance, is_listed=not is_ill)

    def remove(self, instance: Instance) -> None:
        """An instance begins to stop."""
        self._stopped[instance.index] = True
        self._set(instance, is_listed=False)

    def look(self, instance: Instance) -> None:
        """A crash or an outage has begun or ended: the probe will tell, if it still holds then."""
        index, is_ill = instance.index, instance.is_gone
        if self._readiness_ns < 0 or is_ill == self._ill[index]:
            return
        self._ill[index] = is_ill
        self._changes[index] = number = self._changes[index] + 1

        def tell() -> None:
            if self._changes[index] == number and not self._stopped[index]:
                self._set(instance, is_listed=not is_ill)

        self._clock.call_at(self._clock.now_ns + self._readiness_ns, tell)

    def _set(self, instance: Instance, *, is_listed: bool) -> None:
        if instance.is_listed != is_listed:
            instance.is_listed = is_listed
            for listener in self._listeners:
                listener(instance.index, is_listed)
