"""A view over several services: Envoy Gateway's cluster of a rule, whose localities are the rule's backends.

All state of the cluster is there once: health and its percentages, panic, circuit breakers, retries and connections look at the
endpoints of all backends together. Each backend is told of by its own registry.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.activity import Activity
from meshsim.engines.reference.destinations.view import View
from meshsim.policies.locality.weighted_backends import WeightedBackends
from meshsim.randomness import call_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.engines.reference.destinations.hash_keys import HashKeys
    from meshsim.engines.reference.destinations.parts import Part
    from meshsim.engines.reference.destinations.place import Place
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.plan import Cluster, Service
    from meshsim.policies.locality import Source


class BackendPart:
    """The endpoints of one service in a view over several: what discovery tells of, and what is counted."""

    __slots__ = ("_first", "_view", "activity", "endpoints", "key", "listed", "luck", "operation", "service", "weight")

    def __init__(self, view: RuleView, number: int, first: int, service: Service) -> None:
        backend = view.cluster.backends[number]
        self._view = view
        self._first = first
        """Number of its first endpoint in the view."""
        self.key, self.luck = view.key, call_key(view.luck, service.stream)
        self.service, self.operation = backend.service, backend.operation
        self.weight = backend.weight
        count = len(service.weights)
        self.endpoints: list[EndpointView] = view.endpoints[first : first + count]
        replicas = count if service.lifecycle is None else service.lifecycle.replicas
        self.listed = [index < replicas for index in range(count)]
        """Which of them discovery has told of; they are members of the view while the backend has a weight."""
        self.activity = view.activity if not number else Activity()
        """Of the first backend also what has to do with no endpoint: Envoy counts all of it for the cluster."""
        for endpoint, is_listed in zip(self.endpoints, self.listed, strict=True):
            endpoint.backend = number
            endpoint.is_member = is_listed and self.weight > 0.0

    @property
    def present(self) -> tuple[int, int]:
        """How many endpoints the proxy knows of, and how many of them are neither ejected nor fail a check."""
        members = [endpoint for endpoint in self.endpoints if endpoint.is_member]
        return len(members), sum(endpoint.is_available and endpoint.is_healthy for endpoint in members)

    def join(self, index: int) -> None:
        """Discovery says that an instance is there."""
        self.listed[index] = True
        if self.weight > 0.0:
            self._view.join(self._first + index)

    def leave(self, index: int) -> None:
        """Discovery says that an instance has gone."""
        self.listed[index] = False
        self._view.leave(self._first + index)

    def set_weight(self, weight: float) -> None:
        """The route gives it another weight: without any it is no part of the cluster."""
        self.weight = weight
        for index, is_listed in enumerate(self.listed):
            if is_listed and weight > 0.0:
                self._view.join(self._first + index)
            else:
                self._view.leave(self._first + index)


class RuleView(View):
    """What one proxy knows of the backends of a rule.

    With consistent hashing the weights do nothing but for 0: the table is of all hosts alike, as Envoy Gateway has it from 1.5 on.

    Source: Envoy Gateway, internal/xds/translator/cluster.go (buildXdsClusterLoadAssignment, buildXdsCluster: Maglev without
    locality_weighted_lb_config), and its issue 9775.
    """

    __slots__ = ("_nobody", "_parts", "_services", "_weighted")

    def __init__(
        self,
        clock: Clock,
        cluster: Cluster,
        services: Sequence[Service],
        instances: Sequence[Sequence[Instance]],
        place: Place,
        latency_ns: Callable[[int, int], int],
        hash_keys: HashKeys | None = None,
        beginnings: Beginnings | None = None,
    ) -> None:
        self._services = services
        self._weighted: WeightedBackends | None = None
        everyone = [instance for each in instances for instance in each]
        super().__init__(clock, cluster, _together(services), everyone, place, latency_ns, hash_keys, beginnings)
        self.is_dynamic = True

    def _begin(self, service: Service) -> None:  # noqa: ARG002 — its own services say more
        """Who is a member at the start, and what the weights are."""
        for index, endpoint in enumerate(self.endpoints):
            endpoint.index = index
        firsts = [sum(len(one.weights) for one in self._services[:number]) for number in range(len(self._services))]
        self._parts = tuple(BackendPart(self, number, firsts[number], one) for number, one in enumerate(self._services))
        self._nobody = self._parts[0]
        if self.cluster.weighs_backends:
            self._locality = self._weighted = WeightedBackends([part.weight for part in self._parts])

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its backends."""
        return self._parts

    @property
    def nobody(self) -> Part:
        """The backend whose share it was, where the pick was among one backend's; else the first."""
        return self._nobody

    def activity_of(self, endpoint: EndpointView | None) -> Activity:
        """Of the backend whose endpoint it is."""
        return self.activity if endpoint is None else self._parts[endpoint.backend].activity

    def _miss(self, source: Source) -> None:
        kind = source[1]
        self._nobody = self._parts[max(kind, 0)]

    def set_weights(self, weights: Sequence[float]) -> None:
        """The route has other weights, in the order of the backends."""
        if self._weighted is not None:
            self._weighted.weights = list(weights)
        for part, weight in zip(self._parts, weights, strict=True):
            if part.weight != weight:
                part.set_weight(weight)
        self.refresh()


def _together(services: Sequence[Service]) -> Service:
    """One service with the instances of all."""
    has_priorities = any(service.priorities for service in services)
    priorities = tuple(
        priority for service in services for priority in service.priorities or (0,) * len(service.weights) if has_priorities
    )
    weights = tuple(weight for service in services for weight in service.weights)
    is_told = any(service.health for service in services)
    health = tuple(one for service in services for one in service.health or (0,) * len(service.weights) if is_told)
    return replace(services[0], weights=weights, priorities=priorities, health=health, subsets=(), lifecycle=None)
