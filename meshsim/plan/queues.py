"""Message queues and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.plan.kinds import NONE, OnFull

if TYPE_CHECKING:
    from meshsim.distributions import Distribution


class MessageQueue(NamedTuple):
    """A queue or a stream, with the service that consumes it."""

    partitions: int = 0
    """Of a stream; 0 for a queue."""
    publish_time: Distribution | None = None
    delivery_time: Distribution | None = None
    visibility_ns: int = NONE
    """After a delivery: a message that has not been acknowledged by then is delivered again; NONE for never."""
    retry_ns: int = NONE
    """After a failure; NONE for when it becomes visible again, or at once where it never does."""
    max_deliveries: int = NONE
    dead_letter: int = NONE
    """Another queue."""
    ttl_ns: int = NONE
    max_length: int = NONE
    """Of each partition, or of the queue."""
    on_full: OnFull = OnFull.DROP_OLDEST
    rebalance_ns: int = 0
    service: int = NONE
    """Who consumes it; NONE for nobody."""
    operation: int = NONE
    prefetch: int = 1
    """Messages that one replica may hold without having acknowledged them."""
