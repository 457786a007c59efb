"""Message queues and streams, and what a service consumes from them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from meshsim.scenario.sections.types import Duration, Name, Section, TimeDistribution
from meshsim.scenario.sections.wording import mistake


class MessageQueueSection(Section):
    """A queue or, with `partitions`, a stream, from which one service consumes what others publish.

    Delivery is at least once, as in RabbitMQ, SQS and Kafka: whatever is not acknowledged comes again.
    """

    partitions: Annotated[int, Ge(1), Le(10_000)] | None = None
    """Makes it a stream, with partitions like those of a Kafka topic: each belongs to one replica of the consumer, which works on one of its
    messages at a time, in order. Requests with a key of the load's `keys` go to the partition of that key, all others to any. A queue where absent:
    whoever is free gets the next message."""
    publish_time: TimeDistribution | None = None
    """Time from when a publisher sends a message to the broker's acknowledgement; the message is in the queue from then on. No time where absent."""
    delivery_time: TimeDistribution | None = None
    """Time from the queue to the consumer; none where absent."""
    visibility_timeout: Annotated[Duration, Gt(0)] | None = None
    """A message not acknowledged within this time of its delivery is delivered again, even while it is still being worked on: SQS's visibility
    timeout, Pub/Sub's acknowledgement deadline, RabbitMQ's `consumer_timeout`. It also decides when the messages of a crashed consumer come back.
    Where absent, only a broken connection brings a message back, at once."""
    retry_delay: Duration | None = None
    """How long a message stays away after a consumer has failed on it. Where absent, until its `visibility_timeout`, as in SQS when the consumer
    does not delete it; without one it is back at once, as RabbitMQ's `nack` with `requeue` does it."""
    max_deliveries: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """After this many failed deliveries a message goes to `dead_letter`, or is discarded: SQS's `maxReceiveCount`, RabbitMQ's `delivery-limit` plus
    one. Without a limit where absent."""
    dead_letter: Name | None = None
    """The queue that gets what was delivered `max_deliveries` times without success, has outlived `message_ttl`, or had to make room
    for a new message; lost where absent."""
    message_ttl: Annotated[Duration, Gt(0)] | None = None
    """A message that has waited this long leaves the queue; no limit where absent."""
    max_length: Annotated[int, Ge(1), Le(2**32 - 1)] | None = None
    """How many messages may wait, in a stream in each partition; those delivered but not yet acknowledged do not count. No limit
    where absent."""
    on_full: Literal["reject", "drop_oldest", "drop_new"] = "drop_oldest"
    """What happens when a message arrives and `max_length` are waiting. With `reject` its publisher learns of it (500, `message_rejected`) and may do
    something about it; otherwise the oldest message (which goes to `dead_letter`, if there is one) or the new one is lost silently. RabbitMQ's
    `overflow`, with the same default."""
    rebalance_time: Duration = 0
    """For a stream: how long no partition is consumed after a replica of the consumer has come or gone."""

    @model_validator(mode="after")
    def _is_of_use(self) -> Self:
        if self.on_full != "drop_oldest" and self.max_length is None:
            raise mistake("a queue without `max_length` is never full; write one", "on_full")
        makes_room = self.max_length is not None and self.on_full == "drop_oldest"
        if self.dead_letter is not None and self.max_deliveries is None and self.message_ttl is None and not makes_room:
            raise mistake("nothing would ever go there; write `max_deliveries`, `message_ttl` or `max_length`", "dead_letter")
        if self.rebalance_time and self.partitions is None:
            raise mistake("only the partitions of a stream are rebalanced; write `partitions`", "rebalance_time")
        return self


class ConsumesSection(Section):
    """How a service consumes a queue."""

    operation: Name | None = None
    """Which of its operations each message is a request to; its own script where absent."""
    prefetch: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """How many unacknowledged messages one replica may hold: those it works on, and those that wait for its workers. As many as it has
    `workers` where absent."""
