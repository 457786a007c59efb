"""Discovery: how and when callers learn of instances that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import PHASE, PROPAGATION, uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import simpy

    from meshsim.engines.reference.clock import Clock
    from meshsim.engines.reference.registry import Registry
    from meshsim.engines.reference.view import View
    from meshsim.plan import Discovery


class Push:
    """Changes pushed to all proxies of one kind, as istiod pushes endpoints.

    Changes are gathered until none has come for the quiet time, but not longer than the longest; then each proxy has them after
    its own delay. A proxy is never overtaken by an older push.

    Source: Istio, pilot/pkg/xds/discovery.go (debounce), pilot/pkg/features/tuning.go (PILOT_DEBOUNCE_AFTER 100 ms, MAX 10 s).
    """

    __slots__ = ("_clock", "_discovery", "_due_ns", "_first_ns", "_pushes", "_registry", "_views")

    def __init__(self, clock: Clock, discovery: Discovery, registry: Registry) -> None:
        self._clock = clock
        self._discovery = discovery
        self._registry = registry
        self._views: list[list] = []  # type: ignore[type-arg]
        """Each view, and when its latest push arrives."""
        self._first_ns = self._due_ns = -1
        self._pushes = 0
        registry.listen(self._changed)

    def follow(self, view: View) -> None:
        """Keep a view up to date."""
        self._views.append([view, 0])

    def _changed(self, index: int, is_there: bool) -> None:  # noqa: ARG002, FBT001
        """The list is another one: push it when it has been quiet."""
        now_ns, discovery = self._clock.now_ns, self._discovery
        if self._first_ns < 0:
            self._first_ns = now_ns
        due_ns = min(now_ns + discovery.debounce_ns, self._first_ns + max(discovery.debounce_max_ns, discovery.debounce_ns))
        self._due_ns = due_ns
        self._clock.call_at(due_ns, self._push_if_due)

    def _push_if_due(self) -> None:
        if self._first_ns < 0 or self._clock.now_ns < self._due_ns:
            return
        self._first_ns = -1
        self._pushes += 1
        listed, propagation = self._registry.listed(), self._discovery.propagation
        for entry in self._views:
            view, latest_ns = entry
            delay_ns = 0
            if propagation is not None:
                delay_ns = round(propagation.quantile(uniform(view.key, PROPAGATION, self._pushes)))
            entry[1] = arrives_ns = max(latest_ns, self._clock.now_ns + delay_ns)
            self._clock.call_at(arrives_ns, _delivery(view, listed))


class Lookups:
    """Changes found by asking DNS: each caller asks at intervals of its own.

    Source: Envoy, envoy/config/cluster/v3/cluster.proto (dns_refresh_rate, 5 s); CoreDNS' default time to live of 30 s.
    """

    __slots__ = ("_clock", "_discovery", "_registry")

    def __init__(self, clock: Clock, discovery: Discovery, registry: Registry) -> None:
        self._clock = clock
        self._discovery = discovery
        self._registry = registry

    def follow(self, view: View) -> None:
        """Keep a view up to date."""
        self._clock.process(self._ask(view))

    def _ask(self, view: View) -> Generator[simpy.Event, None, None]:
        """A SimPy process: ask, and ask again when the answer is too old."""
        refresh_ns = self._discovery.dns_refresh_ns
        yield self._clock.pause(round(uniform(view.key, PHASE, view.service) * refresh_ns))
        while True:
            _delivery(view, self._registry.listed())()
            yield self._clock.pause(refresh_ns)


class AtOnce:
    """Callers that learn of every change in the same instant: where no discovery is described."""

    __slots__ = ("_registry",)

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def follow(self, view: View) -> None:
        """Keep a view up to date."""

        def changed(index: int, is_there: bool) -> None:  # noqa: FBT001
            if is_there:
                view.join(index)
            else:
                view.leave(index)

        self._registry.listen(changed)


def _delivery(view: View, listed: list[bool]) -> Callable[[], None]:
    """What brings a view to the state of the list."""

    def deliver() -> None:
        for index, is_there in enumerate(listed):
            if is_there:
                view.join(index)
            else:
                view.leave(index)

    return deliver
