"""Envoy's retry conditions."""

from __future__ import annotations

from meshsim.flags import Flag

FIVE_XX = 1 << 0
GATEWAY_ERROR = 1 << 1
RESET = 1 << 2
RESET_BEFORE_REQUEST = 1 << 3
CONNECT_FAILURE = 1 << 4
REFUSED_STREAM = 1 << 5
RETRIABLE_4XX = 1 << 6
RETRIABLE_STATUS_CODES = 1 << 7
ENVOY_RATELIMITED = 1 << 8
CANCELLED = 1 << 9
DEADLINE_EXCEEDED = 1 << 10
RESOURCE_EXHAUSTED = 1 << 11
INTERNAL = 1 << 12
UNAVAILABLE = 1 << 13

CONDITIONS: dict[str, int] = {
    "5xx": FIVE_XX,
    "gateway-error": GATEWAY_ERROR,
    "reset": RESET,
    "reset-before-request": RESET_BEFORE_REQUEST,
    "connect-failure": CONNECT_FAILURE,
    "refused-stream": REFUSED_STREAM,
    "retriable-4xx": RETRIABLE_4XX,
    "retriable-status-codes": RETRIABLE_STATUS_CODES,
    "envoy-ratelimited": ENVOY_RATELIMITED,
    "cancelled": CANCELLED,
    "deadline-exceeded": DEADLINE_EXCEEDED,
    "resource-exhausted": RESOURCE_EXHAUSTED,
    "internal": INTERNAL,
    "unavailable": UNAVAILABLE,
}
"""Envoy's words for `retry_on`, and their bits."""

GRPC_STATUS = {"cancelled": 1, "deadline-exceeded": 4, "resource-exhausted": 8, "internal": 13, "unavailable": 14}
_GRPC_CONDITION = {status: CONDITIONS[name] for name, status in GRPC_STATUS.items()}

_CONNECT_FAILED = int(Flag.UF)
_NO_ANSWER = int(Flag.UF | Flag.UC | Flag.UT)
_ENDED_HERE = int(Flag.UO | Flag.UH | Flag.SI)
_LIMITED = int(Flag.RL)
_FAILED_FAST = 504


def is_retriable(conditions: int, codes: tuple[int, ...], status: int, grpc_status: int, flags: int) -> bool:
    """Whether an outcome matches the retry conditions.

    What the proxy answers at once and by itself never does: an overflow of its pool, no healthy host, an idle stream. An answer that
    was rate limited matches `envoy-ratelimited` only. A per-try timeout is a reset to Envoy, so `5xx`, `gateway-error` and `reset`
    match it. A failed gRPC call answers 200, so that `5xx` does not match it: the gRPC conditions do. `refused-stream` never matches:
    the model's servers do not refuse HTTP/2 streams. Who has waited in vain for an endpoint (Linkerd's queue: 504) is tried again whatever
    the conditions, in hope of another backend; who is turned away at once (503) is not.

    Args:
        conditions: Bits of `CONDITIONS`.
        codes: HTTP statuses for `retriable-status-codes`.
        status: HTTP status of the outcome.
        grpc_status: gRPC status, -1 where the answer has none.
        flags: Bits of `meshsim.flags.Flag`.

    Source: Envoy, source/common/router/retry_state_impl.cc (wouldRetryFromHeaders, wouldRetryFromReset),
    router.cc (doRetry, sendNoHealthyUpstreamResponse); linkerd2-proxy 29637b6,
    linkerd/app/outbound/src/http/logical/policy/route/retry.rs (retryable_error).
    """
    if flags & _ENDED_HERE:
        return bool(flags & Flag.UH and status == _FAILED_FAST and conditions)
    if flags & _LIMITED:
        return bool(conditions & ENVOY_RATELIMITED)
    matched = _GRPC_CONDITION.get(grpc_status, 0)
    if status >= 500:
        matched |= FIVE_XX
        if status in (502, 503, 504):
            matched |= GATEWAY_ERROR
    elif status == 409:
        matched |= RETRIABLE_4XX
    if flags & _NO_ANSWER:
        matched |= RESET | FIVE_XX | GATEWAY_ERROR
        if flags & _CONNECT_FAILED:
            matched |= CONNECT_FAILURE | RESET_BEFORE_REQUEST
    elif status in codes:
        matched |= RETRIABLE_STATUS_CODES
    return bool(conditions & matched)
