"""Response flags: why a request ended as it did.

Upper case are Envoy's, as its access log prints them. Lower case are meshsim's own: Envoy's log shows `-` for them, with
"via_upstream" where the service itself answered, and with the details of the filter where one of its filters did.

Source: Envoy 1.40, envoy/stream_info/stream_info.h, source/common/stream_info/utility.cc.
"""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """The bits of a `response_flags` column."""

    UH = 1 << 0
    UF = 1 << 1
    UO = 1 << 2
    NR = 1 << 3
    URX = 1 << 4
    DC = 1 << 5
    UC = 1 << 6
    UT = 1 << 7
    DI = 1 << 8
    FI = 1 << 9
    RL = 1 << 10
    UAEX = 1 << 11
    error = 1 << 12
    queue_full = 1 << 13
    dependency = 1 << 14
    SI = 1 << 15
    circuit_open = 1 << 16
    throttled = 1 << 17
    admission = 1 << 18
    concurrency = 1 << 19
    shed = 1 << 20
    deadline = 1 << 21
    too_large = 1 << 22
    RLSE = 1 << 23
    unauthenticated = 1 << 24
    forbidden = 1 << 25
    auth_unavailable = 1 << 26
    queue_timeout = 1 << 27
    pushed_out = 1 << 28
    pool_timeout = 1 << 29
    message_rejected = 1 << 30


MEANINGS: dict[str, str] = {
    "UH": "no healthy upstream host",
    "UF": "connection to the instance failed",
    "UO": "a circuit breaker's limit was reached",
    "NR": "no route matched",
    "URX": "retries used up",
    "DC": "the client gave up",
    "UC": "the instance broke the connection",
    "UT": "timed out",
    "DI": "delay injected",
    "FI": "fault injected",
    "RL": "rate limited",
    "UAEX": "denied by authorization",
    "error": "the service answered with an error of its own",
    "queue_full": "the instance's queue was full",
    "dependency": "a call that the service needed failed",
    "SI": "idle for too long",
    "circuit_open": "the circuit breaker was open",
    "throttled": "the caller's own throttling held it back",
    "admission": "rejected by admission control",
    "concurrency": "a concurrency limit was reached",
    "shed": "waited too long in the queue and was shed",
    "deadline": "its deadline had passed",
    "too_large": "its body was too large",
    "RLSE": "the rate-limit service did not answer",
    "unauthenticated": "no credentials, or bad ones",
    "forbidden": "not allowed",
    "auth_unavailable": "whom authentication asks did not answer",
    "queue_timeout": "waited in the instance's queue for `max_wait`",
    "pushed_out": "had to leave a full queue for another request",
    "pool_timeout": "waited in vain for a connection of the service's pool",
    "message_rejected": "a message queue was full and rejected its message",
}
"""What each flag means, for legends."""


def flag_text(mask: int) -> str:
    """Flags as an access log prints them: `URX,UT`, or `-` for none."""
    return ",".join(flag.name or "" for flag in Flag if mask & flag) or "-"
