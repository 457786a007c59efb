"""Discovery: how and when callers learn of instances that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import PROPAGATION, uniform

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import simpy

    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.destinations.parts import Part
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Discovery


class Push:
    """Changes of all services pushed to all proxies of one kind, as istiod pushes endpoints.

    Changes are gathered until none has come for the quiet time, whichever services they are of: one that changes all the time holds up
    the news of the others. When the quiet time after the first of them is over, and then after each latest one, it is looked at
    whether it has been quiet or the longest time is over; so that it may be longer than that by up to a quiet time. Then each proxy
    has them after its own delay: it has one stream, so that no push overtakes an older one, whatever services the two are of.

    Source: Istio, pilot/pkg/xds/discovery.go (debounce), pilot/pkg/features/tuning.go (PILOT_DEBOUNCE_AFTER 100 ms, MAX 10 s).
    """

    __slots__ = ("_arrives_ns", "_clock", "_discovery", "_first_ns", "_followers", "_latest_ns", "_pushed", "_pushes")

    def __init__(self, clock: Clock, discovery: Discovery) -> None:
        self._clock = clock
        self._discovery = discovery
        self._followers: dict[Registry, list[Part]] = {}
        self._pushed: dict[Registry, list[bool]] = {}
        """What was pushed last of each."""
        self._arrives_ns: dict[int, int] = {}
        """When the latest push arrives, by the key of the proxy."""
        self._first_ns = self._latest_ns = -1
        """The first and the latest change that is not pushed yet; -1 of the first where there is none."""
        self._pushes = 0

    def follow(self, view: Part, registry: Registry) -> None:
        """Keep a view up to date, which knows what the registry has now."""
        if registry not in self._followers:
            self._followers[registry] = []
            self._pushed[registry] = registry.listed()
            registry.listen(self._changed)
        self._followers[registry].append(view)

    def _changed(self, index: int, is_there: bool) -> None:  # noqa: ARG002, FBT001
        """A list is another one: push it when it has been quiet."""
        self._latest_ns = self._clock.now_ns
        if self._first_ns < 0:
            self._first_ns = self._latest_ns
            self._clock.call_at(self._latest_ns + self._discovery.debounce_ns, self._push_if_quiet)

    def _push_if_quiet(self) -> None:
        now_ns, discovery = self._clock.now_ns, self._discovery
        if now_ns - self._latest_ns < discovery.debounce_ns and now_ns - self._first_ns < discovery.debounce_max_ns:
            self._clock.call_at(self._latest_ns + discovery.debounce_ns, self._push_if_quiet)
            return
        self._first_ns = -1
        self._pushes += 1
        for registry, views in self._followers.items():
            listed = registry.listed()
            if listed != self._pushed[registry]:
                self._pushed[registry] = listed
                for view in views:
                    self._clock.call_at(self._arrival_ns(view), _delivery(view, listed))

    def _arrival_ns(self, view: Part) -> int:
        """When this push is at a proxy: the same for all that it is told by it."""
        propagation = self._discovery.propagation
        delay_ns = 0 if propagation is None else round(propagation.quantile(uniform(view.key, PROPAGATION, self._pushes)))
        arrives_ns = self._arrives_ns[view.key] = max(self._arrives_ns.get(view.key, 0), self._clock.now_ns + delay_ns)
        return arrives_ns


class Lookups:
    """Changes found by asking DNS: each caller asks at intervals of its own.

    Source: Envoy, envoy/config/cluster/v3/cluster.proto (dns_refresh_rate, 5 s); CoreDNS' default time to live of 30 s.
    """

    __slots__ = ("_clock", "_discovery")

    def __init__(self, clock: Clock, discovery: Discovery) -> None:
        self._clock = clock
        self._discovery = discovery

    def follow(self, view: Part, registry: Registry) -> None:
        """Keep a view up to date."""
        self._clock.process(self._ask(view, registry))

    def _ask(self, view: Part, registry: Registry) -> Generator[simpy.Event, None, None]:
        """A SimPy process: ask, and ask again when the answer is too old."""
        refresh_ns = self._discovery.dns_refresh_ns
        yield self._clock.pause(round(uniform(view.luck, PROPAGATION) * refresh_ns))
        while True:
            _delivery(view, registry.listed())()
            yield self._clock.pause(refresh_ns)


class AtOnce:
    """Callers that learn of every change in the same instant: where no discovery is described."""

    __slots__ = ()

    def follow(self, view: Part, registry: Registry) -> None:
        """Keep a view up to date."""

        def changed(index: int, is_there: bool) -> None:  # noqa: FBT001
            if is_there:
                view.join(index)
            else:
                view.leave(index)

        registry.listen(changed)


def _delivery(view: Part, listed: list[bool]) -> Callable[[], None]:
    """What brings a view to the state of the list."""

    def deliver() -> None:
        for index, is_there in enumerate(listed):
            if is_there:
                view.join(index)
            else:
                view.leave(index)

    return deliver
