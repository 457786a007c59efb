"""The registry: which instances of a service are there to be called, as the control plane knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.instance import Instance


class Registry:
    """The list of one service: instances enter it when they are ready and leave it when they stop.

    An instance that has crashed or cannot be reached is noticed by its readiness probe: it leaves the list after failing for as long as
    the probe takes (period times threshold), and is back as long after it has recovered.
    """

    __slots__ = ("_clock", "_instances", "_listeners", "_readiness_ns", "_stopped")

    def __init__(self, clock: Clock, instances: tuple[Instance, ...], replicas: int, readiness_ns: int) -> None:
        self._clock = clock
        self._instances = instances
        self._readiness_ns = readiness_ns
        self._listeners: list[Callable[[int, bool], None]] = []
        self._stopped = [index >= replicas for index in range(len(instances))]
        """Those that their lifecycle has taken out, whatever a probe says."""
        for instance in instances[replicas:]:
            instance.is_listed = False

    def listen(self, what: Callable[[int, bool], None]) -> None:
        """Call `what(index, is_there)` at each change."""
        self._listeners.append(what)

    def listed(self) -> list[bool]:
        """Who is in the list now."""
        return [instance.is_listed for instance in self._instances]

    def add(self, instance: Instance) -> None:
        """An instance is ready."""
        self._stopped[instance.index] = False
        self._set(instance, is_listed=True)

    def remove(self, instance: Instance) -> None:
        """An instance begins to stop."""
        self._stopped[instance.index] = True
        self._set(instance, is_listed=False)

    def look(self, instance: Instance) -> None:
        """Something has happened to an instance: its probe will tell, if it still holds then."""
        is_ill = instance.is_down or instance.is_unreachable
        life = instance.incarnation

        def tell() -> None:
            is_so = (instance.is_down or instance.is_unreachable) == is_ill and instance.incarnation == life
            if is_so and not self._stopped[instance.index]:
                self._set(instance, is_listed=not is_ill)

        self._clock.call_at(self._clock.now_ns + self._readiness_ns, tell)

    def _set(self, instance: Instance, *, is_listed: bool) -> None:
        if instance.is_listed != is_listed:
            instance.is_listed = is_listed
            for listener in self._listeners:
                listener(instance.index, is_listed)
