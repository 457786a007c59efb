"""What a view and those who work for it know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.plan import Cluster
    from meshsim.policies.admission import ResourceLimit
    from meshsim.policies.locality import Arrangement, Source
    from meshsim.policies.retry import RetryBudget, RetryTokenBudgetState


class Pool(Protocol):
    """Whatever keeps a view's connections."""

    def drain(self) -> None:
        """Certificates have changed: no further request goes on a connection that was made before."""
        ...

    def drain_host(self, endpoint: EndpointView) -> None:
        """An endpoint's health has failed, or it has gone: no further request goes on its connections."""
        ...


class Reports(Protocol):
    """What brings a view the endpoints' own reports of their load."""

    def send(self, endpoint: EndpointView) -> None:
        """One report."""
        ...


class Hosts(Protocol):
    """A view, as its health sees it: endpoints to look after, and who looks at them again when one of them has changed."""

    clock: Clock
    ticks: Ticks | None
    luck: int
    zone: int
    cluster: Cluster
    activity: Activity
    pool: Pool | None
    connections: ResourceLimit

    @property
    def endpoints(self) -> Sequence[EndpointView]:
        """All that it may ever know, by index."""
        ...

    def activity_of(self, endpoint: EndpointView | None) -> Activity:
        """Where it is counted what befalls an endpoint."""
        ...

    def refresh(self) -> None:
        """Work out anew among whom picks are made."""
        ...


class Grouped(Protocol):
    """A view, as those see it who pick among some of its endpoints only."""

    endpoints: list[EndpointView]
    sources: list[Source]
    """Of the groups that other picks are made among."""

    def level(self, endpoint: EndpointView) -> int:
        """The priority of an endpoint."""
        ...

    def arrange(self, members: list[EndpointView]) -> tuple[Arrangement, list[list[EndpointView]]]:
        """Share them out in groups."""
        ...

    def prepare(self, source: Source, group: list[EndpointView]) -> None:
        """A balancer for a group."""
        ...


class Retrying(Protocol):
    """A view, as its retry breaker sees it."""

    clock: Clock
    requests: ResourceLimit
    pending: ResourceLimit
    retries: ResourceLimit
    budget: RetryBudget | None
    token_budget: RetryTokenBudgetState | None

    def activity_of(self, endpoint: EndpointView | None) -> Activity:
        """Where it is counted what befalls an endpoint."""
        ...


class Balanced(Protocol):
    """A view, as the queue before its balancer sees it."""

    clock: Clock
    activity: Activity
    is_empty: bool
    """Whether no endpoint is ready."""


class Checker(Protocol):
    """Who checks one endpoint."""

    def join(self) -> None:
        """A new host stands there."""
        ...

    def leave(self) -> None:
        """It has gone."""
        ...
