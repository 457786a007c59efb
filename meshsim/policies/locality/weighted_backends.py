"""Envoy Gateway's localities: the backends of a rule, each with its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.policies.locality.locality import Host, Level, LocalityState

if TYPE_CHECKING:
    from collections.abc import Sequence

    class BackendHost(Host, Protocol):
        """An endpoint that belongs to one of several backends."""

        backend: int


class WeightedBackends(LocalityState):
    """Give each backend a share of the requests by its weight, whatever the number of its hosts; no policy of a scenario's own.

    A weight counts in full while 1 / 1.4 of the backend's hosts are healthy, and less in proportion below that: what is left goes to the
    other backends. In panic all hosts of all backends are used alike, whatever the weights. A backend of which no host is known keeps
    its share, and nobody answers it.

    Source: Envoy Gateway, internal/xds/translator/cluster.go (buildWeightedLocalities, buildLocalityLbConfig), internal/ir/xds.go
    (ToBackendWeights: what has no endpoints goes to a cluster that does not exist); Envoy,
    docs/root/intro/arch_overview/upstream/load_balancing/locality_weight.rst.
    """

    __slots__ = ("weights",)

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.weights = list(weights)
        """By number of the backend."""

    def inside(  # type: ignore[override]
        self,
        hosts: Sequence[BackendHost],
        everyone: list[int],
        own_zone: int,
        callers: Sequence[int],
        overprovisioning: float,
        *,
        is_first: bool,
    ) -> Level:
        """Backends by weight and availability."""
        groups: list[list[int]] = []
        kinds, weights = [], []
        for number, weight in enumerate(self.weights):
            members = [position for position in everyone if hosts[position].backend == number]
            healthy = [position for position in members if hosts[position].is_healthy]
            if members:
                weight *= min(1.0, overprovisioning * len(healthy) / len(members))  # noqa: PLW2901 — what it is worth now
            elif not is_first or any(host.backend == number for host in hosts):
                continue
            if weight > 0.0:
                groups.append(healthy)
                kinds.append(number)
                weights.append(weight)
        if not groups:
            return super().inside(hosts, everyone, own_zone, callers, overprovisioning, is_first=is_first)
        return Level(groups, kinds, weights=weights if len(groups) > 1 else ())
