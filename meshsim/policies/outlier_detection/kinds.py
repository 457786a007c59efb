"""Why hosts are ejected, and what counts as a failure of whose."""

from __future__ import annotations

from meshsim.flags import Flag

KINDS = (
    "consecutive_5xx",
    "consecutive_gateway_failure",
    "consecutive_local_origin_failure",
    "success_rate",
    "local_origin_success_rate",
    "failure_percentage",
    "local_origin_failure_percentage",
)
"""Why a host was ejected, in the order of the counters."""
LOCAL = int(Flag.UF | Flag.UC | Flag.UT)
"""Failures that the proxy sees and not the host: no connection, a broken one, no answer in time."""
HTTP_OF_GRPC = {1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
                14: 503, 15: 500, 16: 401}  # fmt: skip
"""Source: Envoy, source/common/grpc/status.cc (grpcToHttpStatus)."""
