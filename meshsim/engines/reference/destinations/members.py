"""Who is in a view: what discovery says of instances that come and go, and what active checks say of their health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.draining import drain
from meshsim.engines.reference.destinations.limited import Limited
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.destinations.health import Health
    from meshsim.engines.reference.destinations.roles import Pool
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.plan import Cluster, Service
    from meshsim.policies.locality import LocalityState


class Members(Limited):
    """The endpoints of a view, each of which is a member or is not."""

    __slots__ = ()

    clock: Clock
    ticks: Ticks | None
    key: int
    luck: int
    service: int
    zone: int
    cluster: Cluster
    activity: Activity
    pool: Pool | None
    endpoints: list[EndpointView]
    health: Health | None
    _locality: LocalityState | None

    def refresh(self) -> None:
        """Work out anew among whom picks are made."""
        raise NotImplementedError

    def activity_of(self, endpoint: EndpointView | None) -> Activity:  # noqa: ARG002 — of one service all is one
        """Where it is counted what befalls an endpoint; None for what has to do with none."""
        return self.activity

    def _begin(self, service: Service) -> None:
        """Who is a member at the start; all are, where nothing says otherwise."""
        if service.lifecycle is None and self.cluster.subset == NONE and self._locality is None:
            return
        replicas = len(self.endpoints) if service.lifecycle is None else service.lifecycle.replicas
        for endpoint in self.endpoints:
            endpoint.is_member = endpoint.index < replicas and self.belongs(endpoint.index)

    def belongs(self, index: int) -> bool:
        """Whether an instance is one that this view may ever know: of its subset, and in a zone that its locality policy lets it know."""
        instance, subset, locality = self.endpoints[index].instance, self.cluster.subset, self._locality
        return subset in (NONE, instance.subset) and (locality is None or locality.knows(instance.zone, self.zone))

    def join(self, index: int) -> None:
        """Discovery says that an instance is there: a new host, whatever stood at its place before."""
        endpoint = self.endpoints[index]
        if endpoint.leaving_pod not in (NONE, endpoint.instance.pod):
            self._remove(endpoint)
        endpoint.leaving_pod = NONE
        if endpoint.is_member or not self.belongs(index):
            return
        endpoint.is_member, endpoint.pod = True, endpoint.instance.pod
        endpoint.healthy_since_ns = self.clock.now_ns
        if self.health is None:
            self.refresh()
        else:
            self.health.join(endpoint)

    def leave(self, index: int) -> None:
        """Discovery says that an instance has gone."""
        endpoint = self.endpoints[index]
        if endpoint.is_member and (self.health is None or not self.health.keeps(endpoint)):
            self._remove(endpoint)

    def _remove(self, endpoint: EndpointView) -> None:
        endpoint.is_member, endpoint.leaving_pod = False, NONE
        drain(self, endpoint)
        if self.health is None:
            self.refresh()
        else:
            self.health.leave(endpoint)

    def set_health(self, index: int, is_healthy: bool) -> None:  # noqa: FBT001
        """An active health check says that an instance has become healthy, or unhealthy."""
        assert self.health is not None  # noqa: S101 — there are no checks without it
        endpoint = self.endpoints[index]
        self.activity_of(endpoint).health_changes += 1
        self.health.set_passing(endpoint, is_healthy)
        if endpoint.leaving_pod != NONE and not is_healthy:
            self._remove(endpoint)
