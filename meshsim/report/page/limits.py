"""What the model does not cover: the report's copy of the list in docs/model.md; a test keeps them the same."""

from __future__ import annotations

SECTION = "What this version leaves out"
"""Heading of the list in docs/model.md."""
LIMITS: tuple[tuple[str, str], ...] = (
    (
        "",
        (
            "Bandwidth between pods; what closing a connection costs. Sizes of requests and answers count for encryption, filters, and "
            "the links of clients."
        ),
    ),
    (
        "",
        (
            "Envoy's load statistics across worker threads: a proxy's workers share one view, and a thread's own share of a limit is not "
            "modelled."
        ),
    ),
    ("", "What an answer holds: a cache knows keys, not contents; a transformation costs time and changes sizes."),
    ("", "The gateway's own discovery of its routes: a canary's weights are the same at all replicas at once."),
    (
        "",
        (
            "Of Envoy's active health checks: `no_traffic_interval` (60 s between checks until a cluster has had traffic), the jitters "
            'and the edge intervals, and checks that say "degraded" or "fail at once". Of discovery: `DRAINING`; an endpoint that '
            "leaves, leaves the list."
        ),
    ),
    (
        "Kubernetes itself",
        (
            "no nodes that fill up; `restarts` stop a replica before they start the one that replaces it (`rollouts` need not). What "
            "`requests` are worth on a node that is full (`cpu.weight`) is not modelled: `node_cores` says what neighbours leave. Proxies have "
            "workers and no quota."
        ),
    ),
)
"""Topic and sentence of each point, word for word as docs/model.md has them."""
TRUST = (
    "What goes in decides the rest: times fitted on an idle system do not describe a loaded one. "
    "Compare variants on the same scenario before you believe absolute figures."
)
"""How far to trust it, from the same page."""
