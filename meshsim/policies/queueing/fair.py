"""One of each consumer in turn."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.queueing.discipline import Waiting


@policy
class Fair(QueueDiscipline):
    """Serve the waiting consumers in turn, one request of each, in FIFO order within a consumer.

    A consumer that asks for less than an equal share gets all of it, whatever the others ask for; the others share the rest. Turns count
    requests, however long each takes. Loads without a `consumer` count together as one.

    Source: Nagle, "On packet switches with infinite storage", IEEE Transactions on Communications 35(4), 1987 (RFC 970); for `push_out`
    McKenney, "Stochastic fairness queueing", INFOCOM 1990, and Linux, net/sched/sch_sfq.c (sfq_drop: the tail of the longest queue).
    """

    push_out: bool = True
    """Whether a request that finds the queue full takes the place of the newest of the consumer with the most waiting, if that consumer has at
    least two more than its own; without this one consumer can fill the queue and keep all others out."""

    def build(self, **_: object) -> FairState:
        """An empty queue."""
        return FairState(self)


class FairState(QueueDisciplineState):
    """Those that wait by consumer, the oldest first, and the consumers in the order of their turns."""

    __slots__ = ("_consumers", "_pushes_out")

    def __init__(self, settings: Fair) -> None:
        """Nobody waits."""
        self._pushes_out = settings.push_out
        self._consumers: OrderedDict[int, OrderedDict[Waiting, None]] = OrderedDict()

    def push(self, waiting: Waiting) -> None:
        """At the end of his consumer's, whose turn comes last where none of his waits."""
        self._consumers.setdefault(waiting.consumer, OrderedDict())[waiting] = None

    def pop(self, now_ns: int) -> Waiting:  # noqa: ARG002
        """The oldest of the consumer whose turn it is, who has his next one after all others."""
        consumer, own = next(iter(self._consumers.items()))
        waiting = own.popitem(last=False)[0]
        if own:
            self._consumers.move_to_end(consumer)
        else:
            del self._consumers[consumer]
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """Close up."""
        own = self._consumers[waiting.consumer]
        del own[waiting]
        if not own:
            del self._consumers[waiting.consumer]

    def push_out(self, newcomer: Waiting) -> Waiting | None:
        """The last of whoever has most waiting."""
        if not self._pushes_out or not self._consumers:
            return None
        most = max(self._consumers.values(), key=len)
        if len(most) < len(self._consumers.get(newcomer.consumer, ())) + 2:
            return None
        return next((waiting for waiting in reversed(most) if waiting.is_new), None)
