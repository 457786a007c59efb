"""A message queue or a stream: what is published, who gets it, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.message import Consumer, Line, Message
from meshsim.engines.reference.time.clock import PARK, Expired
from meshsim.engines.reference.time.outcome import CALLER_LEFT, Outcome
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.row import ATTEMPT, ENDED, FLAGS, GRPC_STATUS, INSTANCE, SENT, STATUS, WASTED, WORKED
from meshsim.engines.reference.travel.server import Job
from meshsim.flags import Flag
from meshsim.plan import NONE, MessageEnd, OnFull
from meshsim.randomness import DEAD_LETTER, DELIVERY, PARTITION, PUBLISH, call_key, uniform
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.request import Request
    from meshsim.engines.reference.travel.server import Server
    from meshsim.plan import MessageQueue as Plan

COUNTED = (
    "published", "delivered", "redelivered", "consumed", "dead_lettered", "discarded", "expired", "dropped", "rejected", "done_again",
)  # fmt: skip
"""What a queue counts, as the columns of its records."""


class MessageQueue:
    """Delivers each message until a consumer has worked on it well, at least once.

    Replicas of the consumer take messages in turn, each up to its prefetch. Whether a readiness probe fails is nothing to them: they
    consume from the start of their process until it is told to stop, after its preStop sleep. Nothing is delivered after the end of
    the load; what is there then stays.

    A message that failed without having taken any time is back a millisecond later, so that time goes on.

    Source: RabbitMQ, docs/confirms (round-robin among consumers below their prefetch; redelivery when a channel closes) and docs/maxlength;
    Amazon SQS, developer guide, "visibility timeout" (a receipt handle is good until the message has been received again).
    """

    def __init__(self, clock: Clock, refusals: Refusals, plan: Plan, number: int, until_ns: int) -> None:
        self.clock = clock
        self.plan = plan
        self.number = number
        self.dead_letters: MessageQueue | None = None
        self.consumers: list[Consumer] = []
        self.counts = dict.fromkeys(COUNTED, 0)
        self.delayed = 0
        """Messages that stay away after a failure."""
        self.unacknowledged = 0
        """Messages that consumers hold and may still acknowledge."""
        self.there: dict[int, Message] = {}
        """All that are not over, by number: the oldest first."""
        self.lines = [Line() for _ in range(max(1, plan.partitions))]
        self._refusals = refusals
        self._until_ns = until_ns
        self._there_ns = 0
        """All ends of being there minus all beginnings so far; with what is there now it makes the integral."""
        self._next = 0
        """Number of the next message."""
        self._held = 0
        """Messages that consumers hold, acknowledged in time or not."""
        self._turn = 0
        """The consumer that is asked first."""

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

    def connect(self, instances: tuple[Server, ...]) -> None:
        """The replicas that consume."""
        self.consumers = [Consumer(instance) for instance in instances]

    def publish_ns(self, key: int) -> int:
        """How long a message takes until the broker acknowledges it."""
        time = self.plan.publish_time
        return 0 if time is None else round(time.quantile(uniform(key, PUBLISH)))

    def put(self, request: Request, key: int, publisher: int) -> bool:
        """A message reaches the queue; whether it takes it, as far as the publisher knows.

        Args:
            request: What it is published for.
            key: Of all that it draws.
            publisher: The service.
        """
        plan, now_ns = self.plan, self.clock.now_ns
        self.counts["published"] += 1
        message = Message(self._next, request.aside(now_ns), key, publisher, self._place(request, key), now_ns)
        self._next += 1
        line = self.lines[message.line]
        self.there[message.number] = message
        self._there_ns -= now_ns
        if 0 <= plan.max_length <= line.length:
            if plan.on_full is not OnFull.DROP_OLDEST:
                is_told = plan.on_full is OnFull.REJECT
                self._end(message, MessageEnd.REJECTED if is_told else MessageEnd.DROPPED)
                return not is_told
            self._end(line.take_oldest(), MessageEnd.DROPPED)
        if plan.ttl_ns != NONE:
            self.clock.call_at(now_ns + plan.ttl_ns, lambda: self._grow_old(message))
        line.add(message)
        self._offer(message.line)
        return True

    def look(self) -> None:
        """A replica has come or gone."""
        for place in range(len(self.lines)):
            self._offer_all(place)

    def finish(self) -> None:
        """The run is over: what is still there."""
        for message in list(self.there.values()):
            self._end(message, MessageEnd.LEFT)

    def _place(self, request: Request, key: int) -> int:
        """The partition: that of the request's key, or any."""
        count = self.plan.partitions
        if count < 2:
            return 0
        drawn = uniform(key, PARTITION) if request.content_key == NONE else uniform(PARTITION, request.content_key)
        return int(drawn * count)

    def _offer_all(self, place: int) -> None:
        line, before = self.lines[place], -1
        while line.length and line.length != before:
            before = line.length
            self._offer(place)

    def _offer(self, place: int) -> None:
        """Deliver the first message that waits, if there is one and anybody to take it."""
        line = self.lines[place]
        if line.length and line.locked is None and self.clock.now_ns < self._until_ns:
            consumer = self._who(place)
            if consumer is not None:
                self._deliver(line, consumer)

    def _who(self, place: int) -> Consumer | None:  # noqa: ARG002 — a stream asks
        """The next replica that has room."""
        consumers, count = self.consumers, len(self.consumers)
        if self._held >= count * self.plan.prefetch:
            return None
        for step in range(count):
            consumer = consumers[(self._turn + step) % count]
            if self._has_room(consumer):
                self._turn = (self._turn + step + 1) % count
                return consumer
        return None

    def _has_room(self, consumer: Consumer) -> bool:
        return consumer.held < self.plan.prefetch and not consumer.instance.is_gone

    def _deliver(self, line: Line, consumer: Consumer) -> None:
        message = line.take_oldest()
        message.deliveries += 1
        if message.first_ns == NONE:
            message.first_ns = self.clock.now_ns
        consumer.held += 1
        self._held += 1
        self.unacknowledged += 1
        self.counts["delivered"] += 1
        self.counts["redelivered"] += message.deliveries > 1
        self._lock(line, message)
        self.clock.start(self._wait_for(message, consumer))

    def _lock(self, line: Line, message: Message) -> None:
        """Of a stream: the others of its partition wait."""

    def _unlock(self, message: Message) -> None:
        """They no longer do."""

    def _wait_for(self, message: Message, consumer: Consumer) -> Steps:
        """A task: one delivery, until the consumer is done with it."""
        clock, plan, instance, delivery = self.clock, self.plan, consumer.instance, message.deliveries
        key = call_key(message.key, delivery)
        call = Call(message.request.aside(clock.now_ns), key, plan.operation, message.publisher, instance.zone)
        row = call.row(plan.service, self._refusals.next_id())
        row[ATTEMPT], row[INSTANCE], row[SENT] = delivery, instance.index, clock.now_ns
        job = Job(call, row, instance, clock.active)
        instance.expect(job, 0 if plan.delivery_time is None else round(plan.delivery_time.quantile(uniform(key, DELIVERY))))
        timer = None if plan.visibility_ns == NONE else clock.timers(plan.visibility_ns).start(CALLER_LEFT)
        try:
            outcome: Outcome | None = yield PARK
            is_late = False
        except Expired:
            is_late = True
            self.unacknowledged -= 1
            self._come_back(message)
            outcome = yield PARK
        if timer is not None:
            timer.task = None
        row[ENDED] = clock.now_ns
        if outcome is not None:
            row[STATUS], row[GRPC_STATUS], row[FLAGS] = outcome.status, outcome.grpc_status, row[FLAGS] | outcome.flags
        else:
            row[STATUS], row[FLAGS] = 503, int(Flag.UC)
        if is_late:
            self._hear_late(message, delivery, outcome, row)
        else:
            self.unacknowledged -= 1
            self._hear(message, outcome, row[SENT])
        self._refusals.recorder.attempts.append(row)
        consumer.held -= 1
        self._held -= 1
        self._free(consumer)
        self._offer(message.line)

    def _hear(self, message: Message, outcome: Outcome | None, since_ns: int) -> None:
        """A delivery has ended in time: the message is consumed, or comes back."""
        plan, now_ns = self.plan, self.clock.now_ns
        if outcome is not None and not outcome.is_failure:
            self._unlock(message)
            self._end(message, MessageEnd.CONSUMED)
            return
        visible_ns = NONE if plan.visibility_ns == NONE else since_ns + plan.visibility_ns - now_ns
        if (
            outcome is None or outcome.flags & Flag.UC or plan.retry_ns == NONE
        ):  # the consumer has gone; nobody says how long it is to stay away
            delay_ns = max(0, visible_ns)
        else:
            delay_ns = 0 if self._is_last(message) else plan.retry_ns
        self._keep_away(message, delay_ns if now_ns > since_ns else max(delay_ns, NS_PER_MS))

    def _hear_late(self, message: Message, delivery: int, outcome: Outcome | None, row: list[int]) -> None:
        """A delivery has ended after its time: it counts unless the message has been delivered again by now."""
        if outcome is None or outcome.is_failure:
            return
        if message.is_over or message.deliveries > delivery:
            row[WASTED] = row[WORKED]
            self.counts["done_again"] += 1
            return
        if message.is_waiting:
            self.lines[message.line].take(message)
        self._end(message, MessageEnd.CONSUMED)

    def _keep_away(self, message: Message, delay_ns: int) -> None:
        """A message is back after so long."""
        if not delay_ns:
            self._come_back(message)
            return
        self.delayed += 1

        def end() -> None:
            self.delayed -= 1
            self._come_back(message)

        self.clock.call_at(self.clock.now_ns + delay_ns, end)

    def _come_back(self, message: Message) -> None:
        """A message can be delivered again, unless that has been tried often enough, or it is too old."""
        plan = self.plan
        self._unlock(message)
        if self._is_last(message):
            self._give_up(message, MessageEnd.DISCARDED)
        elif plan.ttl_ns != NONE and self.clock.now_ns >= message.published_ns + plan.ttl_ns:
            self._give_up(message, MessageEnd.EXPIRED)
        else:
            self.lines[message.line].add(message)
        self._offer_all(message.line)

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

    def _free(self, consumer: Consumer) -> None:  # noqa: ARG002 — a stream asks
        """A replica has room for one more."""
        self._offer(0)

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
