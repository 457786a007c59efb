"""Limits of connection pools that refuse everything, or that the load reaches."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.scenario.advice.destinations import most_hosts, using
from meshsim.scenario.advice.remark import Kind, Remark, count, number, per_second, time
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.flow.reading import Path


def nothing_may_wait(flow: Flow) -> Iterator[Remark]:
    """Pools that let nothing wait: a connection is opened for a request that waits for one, so that there never is any.

    Whatever the protocol, and whether connections are told apart or not. Istio leaves the limit out where it is 0.

    Source: Envoy, source/common/conn_pool/conn_pool_base.cc (newStreamImpl asks pendingRequests().canCreate() before it opens a
    connection); Istio, pilot/pkg/networking/core/cluster_traffic_policy.go (applyConnectionPool: Http1MaxPendingRequests > 0).
    """
    for path, all_of_it in using(flow, "circuit_breakers"):
        found = [one.service for one in all_of_it if _limit(one, "max_pending_requests") == 0 and not _is_layer_4(one)]
        if found:
            yield Remark(
                Kind.NOTHING_MAY_WAIT,
                (*path, "max_pending_requests"),
                "max_pending_requests: 0 refuses everything, since the first request to a host waits for its connection to be opened:"
                f" every call to {', '.join(dict.fromkeys(found))} gets 503 (UO); write 1 or more, or leave it out (which is what Istio"
                " makes of 0)",
            )


def full_pools(flow: Flow) -> Iterator[Remark]:
    """Limits on connections or requests that an open load reaches even if nothing ever fails."""
    for path, all_of_it in using(flow.of_open_loads, "circuit_breakers"):
        remarks = [remark for one in all_of_it if _limit(one, "max_pending_requests") != 0 for remark in _full(flow, one, path)]
        yield from remarks[:1]


def _full(flow: Flow, one: Destination, path: Path) -> Iterator[Remark]:
    busy = one.held / one.callers
    if not busy or _is_layer_4(one):
        return
    each_ns = one.held / one.rate * NS_PER_S
    asks = (
        f"{one.who} has {per_second(one.rate / one.callers)} x {time(each_ns)} = {number(busy)} requests at {one.service} at once at the"
        " peak"
    )
    connections, requests = _limit(one, "max_connections"), _limit(one, "max_requests")
    if connections is not None and not _is_http2(flow, one):
        most = max(connections, most_hosts(flow, one))
        if busy >= most:
            yield Remark(
                Kind.POOL_IS_FULL,
                (*path, "max_connections"),
                f"{asks}, and may have {count(most, 'connection')}: they wait for one longer and longer, and get 503 (UO) beyond"
                f" max_pending_requests; write max_connections: {ceil(busy * 1.25)} or more",
            )
            return
    if requests is not None and busy >= requests:
        yield Remark(
            Kind.POOL_IS_FULL,
            (*path, "max_requests"),
            f"{asks}, and may have {number(requests)}: the others get 503 (UO); write max_requests: {ceil(busy * 1.25)} or more",
        )


def _limit(one: Destination, name: str) -> int | None:
    """A limit; None where there is none."""
    return (one.traffic.circuit_breakers or {}).get(name)


def _is_layer_4(one: Destination) -> bool:
    """Whether instances are chosen by connection, without the limits of a proxy."""
    connections = one.traffic.connections
    return connections is not None and connections.balance == "connections"


def _is_http2(flow: Flow, one: Destination) -> bool:
    """Whether a connection may carry many requests at once."""
    connections = one.traffic.connections
    protocol = None if connections is None else connections.protocol
    return protocol == "http2" or (protocol is None and flow.scenario.services[one.service].protocol == "grpc")


CHECKS = (nothing_may_wait, full_pools)
