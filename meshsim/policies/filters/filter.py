"""What every filter is asked, and what it answers."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from meshsim.own_policies import State, one_of, whole
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

NOTHING = -1
"""What `Asked.content_key`, `.credential`, `Verdict.retry_after_ns` and `.rule` are where there is none."""


class Asked(Protocol):
    """A request as a filter sees it."""

    consumer: int
    """Number of the consumer, 0 where the load names none."""
    route: int
    """Number of the route, -1 where none matches."""
    content_key: int
    """Which of the load's keys it asks for, -1 where it has none."""
    is_write: bool
    """Whether its method is neither GET nor HEAD."""

    @property
    def address(self) -> int:
        """Number of the client's address, from 0."""
        ...

    @property
    def credential(self) -> int:
        """Number of the key or token that it brings, -1 where it brings none."""
        ...

    @property
    def is_valid(self) -> bool:
        """Whether that is good; a filter learns of it only by checking."""
        ...

    @property
    def criticality(self) -> int:
        """How important it is; 0 is the most important."""
        ...

    @property
    def kib(self) -> float:
        """Size of its body."""
        ...


class Then(IntEnum):
    """What is to be done before the request goes on."""

    NOTHING = 0
    """It goes on, or is answered where the verdict has a status."""
    ASK = 1
    """The filter's service is called; `answered` is told what it said, and gives the next verdict."""
    WAIT = 2
    """The request waits until somebody's `done` or `answered` for the same `key` has come; then it is judged again.

    It waits for `delay_ns` at most, where that is given; then `give_up_waiting` is asked instead.
    """
    REFRESH = 3
    """The request is answered at once, and a copy of it goes on in the background; its `done` comes as of any."""


class Decision(IntEnum):
    """What a filter has decided, for the counters."""

    ADMITTED = 0
    DELAYED = 1
    LIMITED = 2
    SHADOWED = 3
    """It would have been limited, had the rule not only looked on."""
    DENIED = 4
    """Bad credentials, or none, or no right: 401 and 403."""
    HIT = 5
    MISS = 6
    STALE = 7
    COALESCED = 8
    """Waited for the answer to another request for the same thing."""
    FAILED_OPEN = 9
    """Admitted because whom the filter asks did not answer."""
    FAILED_CLOSED = 10
    """Refused because whom the filter asks did not answer."""
    SHED = 11
    ABORTED = 12


class Verdict(NamedTuple):
    """What a filter says of a request: go on (status 0), perhaps after a delay, or an answer in its place."""

    status: int = 0
    flags: int = 0
    delay_ns: int = 0
    """How long the request is held up first; it holds no worker meanwhile."""
    work_ns: int = 0
    """How long a worker of the proxy is at work for it, before all else."""
    retry_after_ns: int = NOTHING
    """When the answer says to come again."""
    decision: Decision = Decision.ADMITTED
    then: Then = Then.NOTHING
    key: int = 0
    """What is asked for, of verdicts that wait, and of those that others may wait for."""
    rule: int = NOTHING
    """Which of the filter's rules decided, from 0 in their order; of several that say the same the one that says it most strongly."""


PASS = Verdict()


class Surroundings(NamedTuple):
    """What a filter may size its state by."""

    consumers: tuple[str, ...] = ("",)
    """Names of the consumers, by number; the first is that of requests without one."""
    routes: tuple[str, ...] = ("",)
    """Names of the routes, by number."""
    addresses: int = 1
    keys: int = 0
    """Different things that all loads ask for."""
    credentials: int = 0
    replica: int = 0
    """Number of its proxy among its like."""
    replicas: int = 1
    """How many of its like there are."""
    time_zero_ns: int = 0
    """Time of day at time zero, by everybody's clocks: since 1970."""
    born_ns: int = 0
    """When its proxy's process began; below 0 for one that was there before the run. Its timers run since then."""
    begins: str = ""
    """Date and time of time zero, where the scenario says it."""
    shared: dict[str, Any] = {}  # noqa: RUF012 — a default that nobody writes to: whoever shares anything is given one
    """What the same filter of all its like has in common; the first one fills it."""


class FilterState(State):
    """Looks at each request that comes in to one proxy."""

    observes: bool = False
    """Whether it wants to be told by `done` what became of the requests that it let pass."""
    delays: bool = False
    """Whether its verdicts may take time: delay, work, `Then.ASK`, `WAIT` or `REFRESH`."""
    draws: bool = True
    """Whether it asks its `draw` for anything."""
    works_on_answers: bool = False
    """Whether answers take its time too, by `answer_work_ns`."""
    replaces: bool = False
    """Whether it may give an answer of its own in place of the failure of a request that it let pass, by `answer_instead`."""
    load_interval_ns: int = 0
    """Nanoseconds between two calls of `load`; 0 for none at all."""

    def load(self, utilisation: float) -> None:
        """A reading: requests at work or waiting for a worker, for each worker of the gateway's replica, or of the instance."""

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:
        """`PASS`, or what is to be done instead.

        Args:
            now_ns: Time.
            asked: The request.
            draw: Chance.
        """
        raise NotImplementedError

    def answered(self, now_ns: int, asked: Asked, status: int, draw: Draw) -> Verdict:
        """What follows from the answer of the service that was asked; only after `Then.ASK`.

        Args:
            now_ns: Time.
            asked: The request.
            status: HTTP status of the answer; 0 where none came in time.
            draw: Chance.
        """
        raise NotImplementedError

    def give_up_waiting(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:
        """The verdict of a request that has waited for as long as it may; only after `Then.WAIT` with a `delay_ns`."""
        raise NotImplementedError

    def answer_work_ns(self, asked: Asked, status: int, kib: float) -> int:  # noqa: ARG002
        """How long a worker is at work for the answer; only where it `works_on_answers`."""
        return 0

    def answer_instead(self, now_ns: int, asked: Asked, status: int, grpc_status: int) -> int:  # noqa: ARG002
        """The status of an answer of its own in place of a failure that has come, 0 to let that stand; only where it `replaces`."""
        return 0

    def answer_kib(self, kib: float) -> float:
        """The size of an answer after it has passed."""
        return kib

    def done(self, now_ns: int, rtt_ns: int, asked: Asked, status: int, grpc_status: int, flags: int) -> None:
        """A request that it let pass has ended; called once for each, and only where the filter `observes` or `replaces`.

        Args:
            now_ns: Time.
            rtt_ns: From its `judge` to the answer.
            asked: The request.
            status: HTTP status; 0 where the caller gave up first.
            grpc_status: gRPC status, -1 where the answer has none.
            flags: Bits of `meshsim.flags.Flag`.
        """


@family(
    "filter",
    FilterState,
    judge=one_of(Verdict),
    answered=one_of(Verdict),
    give_up_waiting=one_of(Verdict),
    answer_work_ns=whole(0),
    answer_instead=whole(0),
)
class Filter(Policy):
    """A filter of a proxy. Each proxy that has it has a state of its own."""

    works_on_answers: ClassVar[bool] = False
    """Whether it is there for answers (too), so that its verdicts alone do not tell whether it has acted."""

    def build(self, *, around: Surroundings) -> FilterState:
        """One that has seen no request.

        Args:
            around: What it may size its state by.
        """
        raise NotImplementedError
