"""What every queue discipline answers, and what it may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from meshsim.own_policies import State
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_DEADLINE = -1
ORDINARY = 1
"""The class of a request that names none: `critical`."""


class Waiting:
    """A request that waits for a worker, as a discipline sees it."""

    __slots__ = ("consumer", "criticality", "deadline_ns", "is_new", "is_waiting", "since_ns")

    def __init__(
        self,
        since_ns: int = 0,
        criticality: int = ORDINARY,
        consumer: int = -1,
        deadline_ns: int = NO_DEADLINE,
        *,
        is_new: bool = True,
    ) -> None:
        self.since_ns = since_ns
        """When it joined the queue."""
        self.criticality = criticality
        """Its class: 0 is the most important, 3 the least."""
        self.consumer = consumer
        """Number of who asks; requests without a consumer have one number of their own."""
        self.deadline_ns = deadline_ns
        """When its callers give up, as far as it says; `NO_DEADLINE` where it does not."""
        self.is_new = is_new
        """Whether nothing has been done for it yet. Others (an asynchronous request after a call, a health check) are never refused."""
        self.is_waiting = True
        """Whether it is in the queue; the engine says so."""


class QueueDisciplineState(State):
    """The requests that wait at one instance, in the order in which they will get a worker."""

    __slots__ = ()

    def push(self, waiting: Waiting) -> None:
        """A request joins the queue."""
        raise NotImplementedError

    def pop(self, now_ns: int) -> Waiting:
        """The request that gets the free worker; it leaves the queue. Asked only while one waits."""
        raise NotImplementedError

    def remove(self, waiting: Waiting) -> None:
        """A request leaves by itself: its caller has gone, its time is over, or somebody else has its place."""
        raise NotImplementedError

    def push_out(self, newcomer: Waiting) -> Waiting | None:  # noqa: ARG002
        """Who has to leave a full queue so that the newcomer can join it; None where the newcomer is refused."""
        return None


def _waits(answer: Any, asked: Mapping[str, Any]) -> str:  # noqa: ARG001
    """It has to be in the queue."""
    return "" if isinstance(answer, Waiting) and answer.is_waiting else "a request that waits"


def _is_new_or_nobody(answer: Any, asked: Mapping[str, Any]) -> str:  # noqa: ARG001
    """It has to be in the queue and refusable."""
    is_right = answer is None or (isinstance(answer, Waiting) and answer.is_waiting and answer.is_new)
    return "" if is_right else "a request that waits and is new, or None"


@family("queue_discipline", QueueDisciplineState, pop=_waits, push_out=_is_new_or_nobody)
class QueueDiscipline(Policy):
    """Says in which order those that wait get a worker. Each instance has a queue of its own."""

    reads_deadlines: ClassVar[bool] = False
    """Whether it reads when callers give up; without such a policy calls do not say it, unless a service has `deadline_propagation`."""

    def build(self, **_: object) -> QueueDisciplineState:
        """An empty queue."""
        raise NotImplementedError
