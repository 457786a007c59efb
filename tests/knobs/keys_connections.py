"""Keys of connections."""

from __future__ import annotations

import keys_measures as measure
from keys_worlds import Section, mesh_world, traffic_to_back
from rows import Row

BURST = {"rate": "300/s", "arrivals": "poisson"}


def connections(**settings: object) -> Section:
    """A change of the connections to the back."""
    return traffic_to_back(connections=settings)


def rows() -> list[Row]:
    """All rows of connections."""
    http1, http2 = (mesh_world({"connections": {"protocol": protocol}}, load=BURST) for protocol in ("http1", "http2"))
    rare = mesh_world({"connections": {}}, load={"rate": "10/s"})
    four = mesh_world({"connections": {"protocol": "http2"}}, {"replicas": 4})
    opened = measure.counted("opened")
    pinned = {"protocol": "http2", "balance": "connections", "max_concurrent_streams": 1, "max_connections": 1}
    kept = mesh_world({"connections": pinned}, {"replicas": 4}, load=BURST)
    return [
        Row("ConnectionsSection.protocol", http1, {}, connections(protocol="http2"), opened, "less"),
        Row("ConnectionsSection.max_concurrent_streams", http2, {}, connections(max_concurrent_streams=2), opened, "more"),
        Row(
            "ConnectionsSection.max_requests_per_connection", rare, {}, connections(max_requests_per_connection=1), opened, "more"
        ),
        Row("ConnectionsSection.max_connection_duration", rare, {}, connections(max_connection_duration="250ms"), opened, "more"),
        Row("ConnectionsSection.idle_timeout", rare, {}, connections(idle_timeout="50ms"), opened, "more"),
        Row("ConnectionsSection.balance", four, {}, connections(balance="connections"), measure.instances_used, "less"),
        Row("ConnectionsSection.max_connections", kept, {}, connections(max_connections=3), opened, "more"),
    ]


ROWS = rows()
