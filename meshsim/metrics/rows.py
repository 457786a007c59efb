"""What all who read records ask of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.records import Chunk

NO_ROUTE = "(no route)"
"""Stands in place of a route's name for the requests that matched none."""
NO_CONSUMER = "(no consumer)"
"""Stands in place of a consumer's name for the loads that say none."""


def is_failed(chunk: Chunk) -> np.ndarray:
    """Whether the caller did not get what it asked for: HTTP 400 and above, any gRPC status but OK, or it gave up."""
    status = chunk["status"]
    failed: np.ndarray = (status == 0) | (status >= 400) | (chunk["grpc_status"] > 0)
    return failed


GRPC_SERVER_ERRORS = (2, 4, 12, 13, 14, 15)
"""Unknown, deadline exceeded, unimplemented, internal, unavailable, data loss."""


def is_error_of_service(chunk: Chunk) -> np.ndarray:
    """Whether an attempt that failed was an error of the service, and not of who asked: 5xx, no answer, such a gRPC status.

    What is refused with 4xx (no credentials, over a limit) failed for its caller alone.

    Source: OpenTelemetry, semantic conventions, docs/http/http-spans.md ("Status": 4xx is an error of the client's span, and none of the
    server's) and docs/rpc/grpc.md ("Server Span", rpc.response.status_code). Istio's dashboards count alike: response_code !~ "5.." is
    success (manifests/addons/dashboards/lib/queries.libsonnet).
    """
    status = chunk["status"]
    error: np.ndarray = (status == 0) | (status >= 500) | np.isin(chunk["grpc_status"], GRPC_SERVER_ERRORS)
    return error


def groups(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each key with the rows that have it, in order."""
    if not len(keys):
        return
    order = np.argsort(keys, kind="stable")
    found, first = np.unique(keys[order], return_index=True)
    for key, rows in zip(found, np.split(order, first[1:]), strict=True):
        yield int(key), rows
