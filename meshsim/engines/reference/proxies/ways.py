"""One proxy's ways to the services: layers of their own around views that they share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.destinations.rule_view import RuleView
from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.plan import Cluster, Operation, Stack


class MakeHandler(Protocol):
    """Makes the layers to a service, around views that are there already or new ones."""

    def __call__(self, cluster: Cluster, stack: Stack, views: tuple[View, ...] | None) -> tuple[Handler, tuple[View, ...]]:
        """The handler, and its views."""
        ...


class Destinations:
    """Handlers of one proxy; those to one service (and the same subsets) look at it by the same view."""

    def __init__(self, make: MakeHandler, clusters: Sequence[Cluster | None], operations: tuple[Operation, ...]) -> None:
        self._make = make
        self._clusters = clusters
        """By service; None where nothing of this proxy leads."""
        self._operations = operations
        self._views: dict[tuple[int, int, tuple[int, ...]], tuple[View, ...]] = {}
        """By whose they are (0 for all of the proxy's), service and subsets."""

    def handler(self, operation: int, stack: Stack, owner: int = 0) -> Handler:
        """The layers to an operation's service, by views that all have or that are one route's own.

        Args:
            operation: What is asked for.
            stack: The layers.
            owner: Hash of the route's name; 0 for views that all have.
        """
        service = self._operations[operation].service
        cluster, shared = self._clusters[service], (owner, service, stack.subsets)
        assert cluster is not None  # noqa: S101 — the planner makes one for each destination
        handler, self._views[shared] = self._make(replace(cluster, owner=owner), stack, self._views.get(shared))
        return handler

    def rule(self, cluster: Cluster, stack: Stack, owner: int) -> tuple[Handler, RuleView]:
        """The layers to all destinations of a route, by one view of its own; `owner` is the hash of the route's name."""
        handler, views = self._make(replace(cluster, owner=owner), stack, None)
        self._views[owner, NONE, ()] = views
        (view,) = views
        assert isinstance(view, RuleView)  # noqa: S101 — the cluster has backends
        return handler, view

    @property
    def views(self) -> list[View]:
        """All views so far."""
        return [view for each in self._views.values() for view in each]
