"""What becomes of an endpoint's connections when its health fails, or when it has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.roles import Hosts
    from meshsim.engines.reference.travel.endpoint import EndpointView


def drain(view: Hosts, endpoint: EndpointView) -> None:
    """Close an endpoint's connections: the idle ones now, those in use after their requests.

    Their places under `max_connections` are free for other hosts then.

    Source: Envoy, source/common/upstream/cluster_manager_impl.cc (onHostHealthFailure: DrainExistingConnections; removeHosts).
    """
    if view.pool is not None:
        view.pool.drain_host(endpoint)
        return
    endpoint.draining = endpoint.open - endpoint.idle
    endpoint.open -= endpoint.idle
    for _ in range(endpoint.idle):
        view.connections.done()
    endpoint.idle = 0
