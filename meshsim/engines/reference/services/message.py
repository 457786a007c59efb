"""A message, a replica that consumes, and the waiting messages of a queue or of one partition."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.travel.request import Request
    from meshsim.engines.reference.travel.server import Server


class Message:
    """One message in one queue."""

    __slots__ = (
        "deliveries",
        "first_ns",
        "is_over",
        "is_waiting",
        "key",
        "line",
        "number",
        "published_ns",
        "publisher",
        "request",
    )

    def __init__(self, number: int, request: Request, key: int, publisher: int, line: int, now_ns: int) -> None:
        self.number = number
        self.request = request
        """What it was published for: whose key and consumer its deliveries have."""
        self.key = key
        self.publisher = publisher
        """The service."""
        self.line = line
        """The partition; 0 in a queue."""
        self.published_ns = now_ns
        self.first_ns = NONE
        """When it was delivered for the first time."""
        self.deliveries = 0
        self.is_waiting = False
        """Whether it could be delivered now: it is neither with a consumer nor kept away after a failure."""
        self.is_over = False


class Consumer:
    """A replica that takes messages from a queue, and how many it holds."""

    __slots__ = ("held", "instance")

    def __init__(self, instance: Server) -> None:
        self.instance = instance
        self.held = 0


class Line:
    """Messages that wait, in the order of their publication: one that comes back gets its old place.

    Source: RabbitMQ, docs/nack ("it will be placed to its original position in its queue, if possible").
    """

    __slots__ = ("_heap", "length", "locked")

    def __init__(self) -> None:
        self._heap: list[tuple[int, Message]] = []
        self.length = 0
        self.locked: Message | None = None
        """Of a partition: the message that the others wait for."""

    def add(self, message: Message) -> None:
        """One more."""
        message.is_waiting = True
        self.length += 1
        heappush(self._heap, (message.number, message))

    def take_oldest(self) -> Message:
        """The first one; there is one."""
        while True:
            message = heappop(self._heap)[1]
            if message.is_waiting:
                self.take(message)
                return message

    def take(self, message: Message) -> None:
        """This one, which waits."""
        message.is_waiting = False
        self.length -= 1
