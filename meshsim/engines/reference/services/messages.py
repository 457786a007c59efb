"""The messages of a queue: what is there, what finds room, and what becomes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.message import Line, Message
from meshsim.plan import NONE, MessageEnd, OnFull
from meshsim.randomness import DEAD_LETTER, PARTITION, PUBLISH, call_key, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.request import Request
    from meshsim.plan import MessageQueue as Plan

COUNTED = (
    "published", "delivered", "redelivered", "consumed", "dead_lettered", "discarded", "expired", "dropped", "rejected", "done_again",
)  # fmt: skip
"""What a queue counts, as the columns of its records."""


class Messages:
    """Takes messages in, up to a limit, and lets each end once.

    Source: RabbitMQ, docs/maxlength, docs/ttl and docs/dlx.
    """

    def __init__(self, clock: Clock, refusals: Refusals, plan: Plan, number: int) -> None:
        self.clock = clock
        self.plan = plan
        self.number = number
        self.dead_letters: Messages | None = None
        self.counts = dict.fromkeys(COUNTED, 0)
        self.delayed = 0
        """Messages that stay away after a failure."""
        self.unacknowledged = 0
        """Messages that consumers hold and may still acknowledge."""
        self.there: dict[int, Message] = {}
        """All that are not over, by number: the oldest first."""
        self.lines = [Line() for _ in range(max(1, plan.partitions))]
        self._refusals = refusals
        self._there_ns = 0
        """All ends of being there minus all beginnings so far; with what is there now it makes the integral."""
        self._next = 0
        """Number of the next message."""

    @property
    def waiting(self) -> int:
        """Messages that wait."""
        return sum(line.length for line in self.lines)

    @property
    def there_ns(self) -> int:
        """Messages that are there, integrated over time up to now."""
        return self._there_ns + len(self.there) * self.clock.now_ns

    @property
    def oldest_ns(self) -> int:
        """Age of the oldest message; 0 without any."""
        return self.clock.now_ns - next(iter(self.there.values())).published_ns if self.there else 0

    def publish_ns(self, key: int) -> int:
        """How long a message takes until the broker acknowledges it."""
        time = self.plan.publish_time
        return 0 if time is None else round(time.quantile(uniform(key, PUBLISH)))

    def put_after(self, way_ns: int, request: Request, key: int, publisher: int, content: int) -> Steps:
        """A task: a message on its way, for whose acknowledgement nobody waits."""
        yield way_ns
        self.put(request, key, publisher, content)

    def put(self, request: Request, key: int, publisher: int, content: int | None = None) -> bool:
        """A message reaches the queue; whether it takes it, as far as the publisher knows.

        Args:
            request: What it is published for.
            key: Of all that it draws.
            publisher: The service.
            content: What its consumer looks up, where that is not what the request does.
        """
        plan, now_ns = self.plan, self.clock.now_ns
        self.counts["published"] += 1
        message = Message(self._next, request.aside(now_ns, content), key, publisher, self._place(request, key), now_ns)
        self._next += 1
        line = self.lines[message.line]
        self.there[message.number] = message
        self._there_ns -= now_ns
        if 0 <= plan.max_length <= line.length:
            if plan.on_full is not OnFull.DROP_OLDEST:
                is_told = plan.on_full is OnFull.REJECT
                self._end(message, MessageEnd.REJECTED if is_told else MessageEnd.DROPPED)
                return not is_told
            self._give_up(line.take_oldest(), MessageEnd.DROPPED)
        if plan.ttl_ns != NONE:
            self.clock.call_at(now_ns + plan.ttl_ns, lambda: self._grow_old(message))
        line.add(message)
        self._offer(message.line)
        return True

    def finish(self) -> None:
        """The run is over: what is still there."""
        for message in list(self.there.values()):
            self._end(message, MessageEnd.LEFT)

    def _offer(self, place: int) -> None:
        """A message waits: see whether somebody takes it."""

    def _place(self, request: Request, key: int) -> int:
        """The partition: that of the request's key, or any."""
        count = self.plan.partitions
        if count < 2:
            return 0
        drawn = uniform(key, PARTITION) if request.content_key == NONE else uniform(PARTITION, request.content_key)
        return int(drawn * count)

    def _is_last(self, message: Message) -> bool:
        """Whether it has been delivered as often as it may be."""
        return 0 <= self.plan.max_deliveries <= message.deliveries

    def _grow_old(self, message: Message) -> None:
        """Its time is over; one that is not waiting is looked at when it comes back."""
        if message.is_waiting:
            self.lines[message.line].take(message)
            self._give_up(message, MessageEnd.EXPIRED)

    def _give_up(self, message: Message, without: MessageEnd) -> None:
        """It goes where such messages go, or ends so."""
        if self.dead_letters is None:
            self._end(message, without)
        else:
            self._end(message, MessageEnd.DEAD_LETTERED)
            self.dead_letters.put(message.request, call_key(message.key, DEAD_LETTER), message.publisher)

    def _end(self, message: Message, how: MessageEnd) -> None:
        now_ns = self.clock.now_ns
        message.is_over = True
        del self.there[message.number]
        self._there_ns += now_ns
        if how is not MessageEnd.LEFT:
            self.counts[how.name.lower()] += 1
        self._refusals.recorder.messages.append(
            [
                self.number, message.line if self.plan.partitions else NONE, message.published_ns, message.first_ns,
                NONE if how is MessageEnd.LEFT else now_ns, message.deliveries, int(how),
            ]
        )  # fmt: skip
