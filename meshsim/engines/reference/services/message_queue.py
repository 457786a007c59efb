"""A message queue: who gets its messages, and what comes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.message import Consumer, Line, Message
from meshsim.engines.reference.services.messages import Messages
from meshsim.engines.reference.time.clock import PARK, Expired
from meshsim.engines.reference.time.outcome import CALLER_LEFT, Outcome
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.row import ATTEMPT, ENDED, FLAGS, GRPC_STATUS, INSTANCE, SENT, STATUS, WASTED, WORKED
from meshsim.engines.reference.travel.server import Job
from meshsim.flags import Flag
from meshsim.plan import NONE, MessageEnd
from meshsim.randomness import DELIVERY, call_key, uniform
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.server import Server
    from meshsim.plan import MessageQueue as Plan


class MessageQueue(Messages):
    """Delivers each message until a consumer has worked on it well, at least once.

    Replicas of the consumer take messages in turn, each up to its prefetch. Whether a readiness probe fails is nothing to them: they
    consume from the start of their process until it is told to stop, after its preStop sleep. Nothing is delivered after the end of
    the load; what is there then stays.

    A message that failed without having taken any time is back a millisecond later, so that time goes on.

    Source: RabbitMQ, docs/confirms (round-robin among consumers below their prefetch; redelivery when a channel closes) and docs/maxlength;
    Amazon SQS, developer guide, "visibility timeout" (a receipt handle is good until the message has been received again).
    """

    def __init__(self, clock: Clock, refusals: Refusals, plan: Plan, number: int, until_ns: int) -> None:
        super().__init__(clock, refusals, plan, number)
        self.consumers: list[Consumer] = []
        self._until_ns = until_ns
        self._held = 0
        """Messages that consumers hold, acknowledged in time or not."""
        self._turn = 0
        """The consumer that is asked first."""

    def connect(self, instances: tuple[Server, ...]) -> None:
        """The replicas that consume."""
        self.consumers = [Consumer(instance) for instance in instances]

    def look(self) -> None:
        """A replica has come or gone."""
        for place in range(len(self.lines)):
            self._offer_all(place)

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

    def _free(self, consumer: Consumer) -> None:  # noqa: ARG002 — a stream asks
        """A replica has room for one more."""
        self._offer(0)
