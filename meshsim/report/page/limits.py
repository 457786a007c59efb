"""What the model does not cover: the report's copy of the list in docs/model.md; a test keeps them the same."""

from __future__ import annotations

SECTION = "What this version leaves out"
"""Heading of the list in docs/model.md."""
LIMITS: tuple[tuple[str, str], ...] = (
    (
        "Connections",
        (
            "setting one up takes no time, HTTP/2 is not told from HTTP/1.1 (one request on a connection at a time, and that only where "
            "`circuit_breakers` or a retry budget limit anything; elsewhere connections are not counted), and there is no TLS."
        ),
    ),
    ("Discovery", "every proxy always knows all instances, the crashed ones too. A crash is seen as UF by those who pick it."),
    ("", "Outlier detection, panic, priorities and locality, slow start, hashing balancers, hedging, adaptive concurrency."),
    ("", "Authentication, transformation, caching; sizes of requests and answers."),
    (
        "Kubernetes itself",
        "no autoscaler, no rollout, no CPU quota. Put the effect of a quota into the service's times.",
    ),
)
"""Topic and sentence of each point, word for word as docs/model.md has them."""
TRUST = (
    "What goes in decides the rest: times fitted on an idle system know nothing of a loaded one. "
    "Compare variants on the same scenario before you believe absolute figures."
)
"""How far to trust it, from the same page."""
