"""A stream: partitions, each of which belongs to one replica of the consumer and is worked on in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.message_queue import MessageQueue

if TYPE_CHECKING:
    from meshsim.engines.reference.services.message import Consumer, Line, Message
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.server import Server
    from meshsim.plan import MessageQueue as Plan


class MessageStream(MessageQueue):
    """Partition p belongs to the p-th of the replicas that are there, counted around; who comes or goes shifts them.

    One message of a partition is worked on at a time; one that failed, or has been away for long enough, keeps the others of its
    partition waiting, as a consumer does that tries a record again where it stands.

    Source: Apache Kafka, clients/consumer/RoundRobinAssignor.java; Spring for Apache Kafka, DefaultErrorHandler (seeks back to the record
    that failed).
    """

    def __init__(self, clock: Clock, refusals: Refusals, plan: Plan, number: int, until_ns: int) -> None:
        super().__init__(clock, refusals, plan, number, until_ns)
        self._owners: list[Consumer] = []
        self._resumes_ns = 0
        """When the latest rebalance is over."""

    def connect(self, instances: tuple[Server, ...]) -> None:
        """The replicas that consume."""
        super().connect(instances)
        self._owners = self._present()

    def look(self) -> None:
        """A replica has come or gone: partitions change hands, once the rebalance is over."""
        present = self._present()
        if present == self._owners:
            return
        self._owners = present
        if self.plan.rebalance_ns:
            self._resumes_ns = self.clock.now_ns + self.plan.rebalance_ns
            self.clock.call_at(self._resumes_ns, self._look_at_all)
        else:
            self._look_at_all()

    def _present(self) -> list[Consumer]:
        return [consumer for consumer in self.consumers if not consumer.instance.is_gone]

    def _look_at_all(self) -> None:
        for place in range(len(self.lines)):
            self._offer(place)

    def _who(self, place: int) -> Consumer | None:
        """The replica whose partition it is, if it has room."""
        owners = self._owners
        if not owners or self.clock.now_ns < self._resumes_ns:
            return None
        consumer = owners[place % len(owners)]
        return consumer if self._has_room(consumer) else None

    def _free(self, consumer: Consumer) -> None:
        """Its partitions in turn, from the one after the last that it got a message of."""
        owners = self._owners
        if consumer not in owners:
            self._look_at_all()
            return
        mine = range(owners.index(consumer), len(self.lines), len(owners))
        after = next((at for at, place in enumerate(mine) if place > self._turn), 0)
        for at in range(len(mine)):
            if not self._has_room(consumer):
                return
            self._offer(mine[(after + at) % len(mine)])

    def _lock(self, line: Line, message: Message) -> None:
        line.locked = message
        self._turn = message.line

    def _unlock(self, message: Message) -> None:
        line = self.lines[message.line]
        if line.locked is message:
            line.locked = None
