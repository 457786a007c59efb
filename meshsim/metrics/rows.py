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


def groups(keys: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each key with the rows that have it, in order."""
    if not len(keys):
        return
    order = np.argsort(keys, kind="stable")
    found, first = np.unique(keys[order], return_index=True)
    for key, rows in zip(found, np.split(order, first[1:]), strict=True):
        yield int(key), rows
