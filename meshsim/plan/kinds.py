"""Small numbers with a meaning."""

from __future__ import annotations

from enum import IntEnum

NONE = -1
"""No such thing, wherever an index could stand."""


class OnCancel(IntEnum):
    """What a service does with a request whose caller has given up."""

    CONTINUE = 0
    """Work on: most servers do not notice. It is what makes retry storms."""
    DROP_QUEUED = 1
    """Skip it where it still waits in the queue; finish it where work has begun."""
    STOP = 2
    """Stop at once, and cancel its own calls."""


class StepKind(IntEnum):
    """What one step of a script does."""

    COMPUTE = 0
    CALL = 1
    PARALLEL = 2
    TRANSACTION = 3
    """Its steps hold a connection of a pool."""
    PUBLISH = 5


class OnFull(IntEnum):
    """What a full message queue does with one more message."""

    DROP_OLDEST = 0
    DROP_NEW = 1
    REJECT = 2


class MessageEnd(IntEnum):
    """What became of a message."""

    CONSUMED = 0
    DEAD_LETTERED = 1
    """It went to another queue, because of too many deliveries in vain or its age."""
    DISCARDED = 2
    """Too many deliveries in vain, and no queue for such."""
    EXPIRED = 3
    """It had waited too long, and there is no queue for such."""
    DROPPED = 4
    """The queue was full, and nobody was told."""
    REJECTED = 5
    """The queue was full, and the publisher was told."""
    LEFT = 6
    """It was still there at the end."""


class Effect(IntEnum):
    """What a fault does to an instance."""

    SLOW = 0
    """Computations that begin take `amount` times as long."""
    CRASH = 1
    """Requests in it are lost, new ones refused."""
    UNREACHABLE = 2
    """Messages to and from it are lost: nobody is refused, everybody waits."""
    ERRORS = 3
    """A share `amount` of what it works on ends with the service's error."""


class HealthStatus(IntEnum):
    """What discovery says of an instance: Envoy's `health_status`."""

    HEALTHY = 0
    DEGRADED = 1
    """Used only where there are not enough healthy ones."""
    UNHEALTHY = 2
    """Used in panic only."""


class HashOn(IntEnum):
    """What tells the requests apart that a hashing load balancer keeps together."""

    NOTHING = 0
    USER = 1
    KEY = 2
    CONSUMER = 3
    ROUTE = 4
    ADDRESS = 5
