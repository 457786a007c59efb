"""The columns of the records that an engine makes: what each number means, and how they become Parquet.

All times are integer nanoseconds since the start of the simulation; -1 stands for "never" and "none". An engine fills rows, a
`Recorder` hands them on in chunks of columns, so that a run longer than memory can be written and tallied as it goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.service_records import AUTOSCALING, CACHES, CONNECTION_POOLS, CPU, DEPLOYMENTS, MESSAGE_QUEUES, MESSAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    Chunk = Mapping[str, np.ndarray]

REQUESTS: dict[str, str] = {
    "request": "number of the request, in the order in which they started",
    "source": "the load that it came from",
    "number": "its number in that load; of a virtual user, the iteration (from 0)",
    "user": "the virtual user; -1 of an open load",
    "route": "the route; -1 where none matched",
    "started_ns": "when the client began to send it",
    "ended_ns": "when the client had its outcome",
    "status": "HTTP status that the client saw; 0 where it gave up",
    "grpc_status": "gRPC status; -1 where the answer is not gRPC",
    "response_flags": "why it ended as it did (meshsim.flags)",
    "attempts": "tries that were sent to the entry service, over all layers that retry",
    "origin": "the service where the failure began; -1 where there was none",
    "origin_flags": "the flags of that first failure",
}
"""One row for each client request, written when it ended."""

ATTEMPTS: dict[str, str] = {
    "request": "the client request that it was made for",
    "id": "number of the attempt",
    "parent": "the attempt in whose script the call stands; -1 where the client or the gateway made it",
    "attempt": "number of the try of this call, from 1, over all layers that retry it",
    "caller": "the service that called; -1 a client, -2 the gateway",
    "proxy": "which replica of the gateway, or which instance's sidecar of the caller, sent it; -1 without a proxy",
    "service": "the service that was called",
    "operation": "the operation that was called",
    "instance": "which instance of the service; -1 where none was picked or the pool refused it",
    "request_started_ns": "when the client request began",
    "sent_ns": "when it was sent to the instance; -1 never",
    "arrived_ns": "when it reached the instance's queue; -1 never",
    "started_ns": "when it got a worker, or began to fail without one; -1 never",
    "finished_ns": "when the instance was done with it; -1 never",
    "ended_ns": "when the caller had its outcome",
    "worked_ns": "time that workers computed for it, with `cpu` waits for a core included",
    "wasted_ns": "of that, what was spent on an answer that nobody waited for: all or nothing",
    "backoff_ns": "wait before this try",
    "proxy_ns": "after it, time in the proxy that sent it (a gateway's replica, a sidecar), with that proxy's queue",
    "filter_ns": "of that, in the filters of the gateway or the waypoint: delays, work, and waits for whom they ask",
    "connection_ns": "after that, wait for an instance that is ready and for a connection of the pool: sent or refused at its end",
    "tls_ns": "of that, for the TLS handshake of the connection that it got",
    "inbound_ns": "time in the sidecar at the instance, with its queue",
    "status": "HTTP status; 0 where the caller was gone first",
    "grpc_status": "gRPC status; -1 where the answer is not gRPC",
    "response_flags": "why it ended as it did (meshsim.flags)",
}
"""One row for each attempt at a service, written when caller and instance were done with it."""

WAITS: dict[str, str] = {
    "request": "the client request that it was for",
    "parent": "the attempt in whose script the call stands; -1 where the client or the gateway made it",
    "caller": "the service that called; -1 a client, -2 the gateway",
    "service": "the service that was to be called; -1 the gateway, or none yet; the caller itself for a connection or a load of its own",
    "request_started_ns": "when the client request began",
    "ended_ns": "when the wait was over",
    "backoff_ns": "wait before a try",
    "proxy_ns": "after it, time in a proxy, with its queue",
    "filter_ns": "of that, in its filters",
    "connection_ns": "after that, wait for an instance that is ready and for a connection of the pool",
    "tls_ns": "of that, for the TLS handshake of the connection that it got",
}
"""One row for each wait that no attempt's row tells of: it was given up, or the gateway answered, before there was an attempt; what a client
waits between its tries at the gateway; and what a script waits for one of its service's `connection_pools`, or for
another request's load of one of its `caches`."""

COUNTERS: dict[str, str] = {
    "time_ns": "end of the interval",
    "service": "the service",
    "instance": "the instance",
    "queued": "requests waiting for a worker at that instant",
    "busy": "workers held at that instant; requests that have begun where the service has no workers",
    "queued_ns": "waiting requests, integrated over the interval",
    "busy_ns": "held workers, integrated over the interval; processor time where the service has no workers",
    "arrived": "requests that reached the queue in the interval",
    "finished": "requests that the instance was done with in the interval",
    "is_up": "1 while the instance is up at that instant",
}
"""One row for each instance and interval."""

PROXIES: dict[str, str] = {
    "time_ns": "end of the interval",
    "kind": "0 gateway, 1 sidecar, 2 node proxy, 3 waypoint",
    "service": "the service whose sidecar or waypoint it is; -1 a gateway or a node proxy",
    "instance": "the replica of the gateway or waypoint, the instance of the service, or the node",
    "queued": "requests waiting for the proxy at that instant",
    "busy": "its workers at work at that instant",
    "queued_ns": "waiting requests, integrated over the interval",
    "busy_ns": "workers at work, integrated over the interval",
    "passed": "requests that it took up in the interval",
    "active_retries": "retries that hold a slot at that instant, over all destinations",
    "connections": "open connections of clients at that instant; 0 where they are not looked at",
    "opened": "of them, those opened in the interval",
    "handshakes": "TLS handshakes with clients in the interval, resumed ones included",
    "resumed": "of them, resumed",
    "refused": "connections of clients refused in the interval",
}
"""One row for each proxy and interval."""

FILTERS: dict[str, str] = {
    "time_ns": "end of the interval",
    "kind": "0 gateway, 1 sidecar, 2 node proxy, 3 waypoint",
    "service": "the service whose sidecar or waypoint it is; -1 the gateway",
    "instance": "the replica of the gateway or waypoint, or the instance of the service",
    "filter_number": "which of the proxy's filters, from 0 in their order",
    "judged": "requests that it looked at in the interval",
    "acted": "of them, those that it answered itself or held up",
}
"""One row for each filter of each proxy and interval."""

DECISIONS: dict[str, str] = {
    "time_ns": "end of the interval",
    "kind": "0 gateway, 1 sidecar, 2 node proxy, 3 waypoint",
    "service": "the service whose sidecar or waypoint it is; -1 the gateway",
    "instance": "the replica of the gateway or waypoint, or the instance of the service",
    "filter_number": "which of the proxy's filters, from 0 in their order",
    "decision": "what it decided: its place in meshsim.policies.filters.Decision",
    "rule": "which of the filter's rules decided, from 0 in their order; -1 where none did",
    "route": "the route of the requests; -1 where none matched",
    "consumer": "their consumer; 0 where the load names none",
    "requests": "how many, in the interval",
}
"""One row for each decision that a filter made in an interval, by rule, route and consumer; none where it made none."""

ACTIVITY: dict[str, str] = {
    "opened": "connections opened",
    "closed": "connections closed",
    "handshakes": "TLS handshakes, resumed ones included",
    "resumed": "of them, resumed",
    "connect_failures": "connections that an instance refused",
    "connect_timeouts": "connections that timed out while they were made",
    "pool_waits": "requests that waited for a connection",
    "connection_overflows": "of them, those that a limit on connections kept from a new one",
    "stale_picks": "picks of an instance that is gone, or does not take requests, without the caller's knowing",
    "panic_picks": "picks among all instances because too few were healthy",
    "no_host": "tries that found no instance to go to (UH)",
    "endpoint_waits": "tries that waited until an instance was ready (`balancer_queue`)",
    "failfasts": "times that such waiting was over, and everything failed at once",
    "sessions_moved": "first tries of a session whose instance could not be used",
    "timeouts": "calls that the timeout over all their tries ended, wherever they waited",
    "retries": "further tries sent",
    "retries_refused": "further tries refused by `max_retries` or a budget",
    "hedges": "further tries sent while one was on its way",
    "hedges_won": "of them, those whose answer came first",
    "mirrored": "copies sent",
    "breaker_rejected": "tries that an open circuit breaker held back",
    "throttled": "tries that the caller's own throttling held back",
    "limited": "tries that a concurrency limit held back",
    "ejections": "instances taken out by outlier detection or failure accrual",
    "health_changes": "changes of an instance's health by active checks",
    "cross_zone": "tries sent to an instance in another zone than the caller's",
    "cross_zone_bytes": "bytes that crossed zones for them: requests, and the answers of those that were answered well",
}
"""What is counted of a caller's traffic to a destination."""

DESTINATIONS: dict[str, str] = {
    "time_ns": "end of the interval",
    "caller": "the service that calls; -1 the clients, -2 the gateway, -3 the waypoints of the called service",
    "service": "the service that is called",
    "subset": "the subset of it that is called; -1 all of it",
    "proxies": "how many proxies (or callers without one) the row is the sum of: each has a view of its own",
    "members": "instances that they know of at that instant, summed over the proxies",
    "healthy": "of them, those that are neither ejected nor fail a check",
    "connections": "connections at that instant",
    "in_flight": "requests that hold a connection at that instant",
    "pending": "requests that wait for a connection, or for an instance that is ready, at that instant",
    "active_retries": "retries that hold a slot at that instant",
    "breakers_open": "circuit breakers that are open at that instant",
    "breakers_half_open": "circuit breakers that are half open at that instant",
    "concurrency_limit": "what adaptive limits of the callers allow at that instant; 0 without any",
    **{name: f"{text}, in the interval" for name, text in ACTIVITY.items()},
}
"""One row for each caller, destination and interval."""

TABLES: dict[str, dict[str, str]] = {
    "requests": REQUESTS,
    "attempts": ATTEMPTS,
    "waits": WAITS,
    "counters": COUNTERS,
    "proxies": PROXIES,
    "filters": FILTERS,
    "decisions": DECISIONS,
    "destinations": DESTINATIONS,
    "autoscaling": AUTOSCALING,
    "connection_pools": CONNECTION_POOLS,
    "cpu": CPU,
    "message_queues": MESSAGE_QUEUES,
    "messages": MESSAGES,
    "deployments": DEPLOYMENTS,
    "caches": CACHES,
}
"""The tables of a run, each with its columns in order."""

STAGES = ("queue", "service", "network", "proxy", "filters", "connection", "TLS", "back-off", "other")
"""What the time of a request goes to: waiting for a worker; computing; on the wire; in proxies, with their queues, and in
filters of the gateway; waiting for an instance that is ready and for a connection of the pool (of a proxy, or of the service's own
`connection_pools`, and for another request's load of a cache) and of that for its TLS handshake; waiting between tries; what cannot be told apart."""


class Sink(Protocol):
    """Whoever takes the chunks: writer, tally."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Take rows of one of `TABLES`, as int64 columns of equal length."""
        ...
