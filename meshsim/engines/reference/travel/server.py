"""An instance as its callers see it, and an attempt as the instance sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.time.at_once import end
from meshsim.engines.reference.time.clock import Cancelled
from meshsim.engines.reference.time.outcome import CALLER_GONE
from meshsim.engines.reference.travel.row import ATTEMPT, ID
from meshsim.engines.reference.travel.sidecar import Incoming
from meshsim.plan import NONE, OnCancel
from meshsim.randomness import call_key

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps, Task
    from meshsim.engines.reference.time.station import Station
    from meshsim.engines.reference.travel.addresses import Addresses
    from meshsim.engines.reference.travel.sidecar import Sidecar


class Server(Protocol):
    """An instance, as those see it who call it: where it is, how it is, and its door."""

    index: int
    service: int
    zone: int
    subset: int
    station: Station
    """Its workers."""
    sidecar: Sidecar | None
    guard: Sidecar | None
    """The sidecar, where it does anything with what comes in."""
    on_cancel: OnCancel
    is_gone: bool
    """Whether it takes no requests: it is down, or cannot be reached."""
    is_down: bool
    """Whether it refuses connections."""
    is_unreachable: bool
    """Whether messages to it and from it are lost."""
    is_listed: bool
    """Whether the registry has it, and it takes requests."""
    incarnation: int
    """Raised whenever it stops: connections that were made before are dead."""
    pod: int
    """Raised whenever another one takes its place: an address that was known before is nobody's."""
    addresses: Addresses
    """Of what stands at its place, one pod after the other."""
    finished: int
    failed: int
    """Of the finished ones, those that failed at the server's side."""

    @property
    def in_it(self) -> int:
        """Requests that it works on, those that wait included."""
        ...

    def expect(self, job: Job, after_ns: int) -> None:
        """A request reaches it after so long; where it is gone by then, the job's caller goes on with None."""
        ...

    def accept(self, job: Job) -> None:
        """A request has reached it."""
        ...

    def be_checked(self) -> Steps:
        """Answer a health check as a request without work is."""
        ...


class Attempt(Incoming, Protocol):
    """A call, as the job sees it that is made of one try of it."""

    parent: Job | None
    step: int
    deadline_ns: int


class Job:
    """An attempt as its instance sees it."""

    __slots__ = (
        "attempt", "caller", "deadline_ns", "has_worker", "instance", "is_abandoned", "is_queued", "key", "operation", "parent", "request",
        "row", "step", "task", "way_back_ns",
    )  # fmt: skip

    def __init__(self, call: Attempt, row: list[int], instance: Server, caller: Task, way_back_ns: int = 0) -> None:
        self.key = call.key
        self.request = call.request
        self.operation = call.operation
        self.attempt = row[ATTEMPT]
        self.parent = call.parent
        self.step = call.step
        self.deadline_ns = call.deadline_ns
        self.row = row
        self.instance = instance
        self.caller = caller
        self.task: Task
        self.way_back_ns = way_back_ns
        """How long its answer travels."""
        self.is_abandoned = False
        """Whether the caller has gone: nobody waits for the answer."""
        self.is_queued = False
        self.has_worker = False

    @property
    def content(self) -> int:
        """A key that tells what it asks for: the same in each try of it, and of the calls that led to it, and in every variant."""
        key = self.request.content if self.parent is None else self.parent.content
        return key if self.step == NONE else call_key(key, self.step)

    @property
    def tries(self) -> list[int]:
        """Number of the try at each hop down to this one, the client's and the gateway's together first."""
        made = [self.attempt]
        job = self.parent
        while job is not None:
            made.append(job.attempt)
            job = job.parent
        return made[::-1]

    def is_in_vain(self) -> bool:
        """Whether nobody will use the answer: the caller has gone, or the caller's caller."""
        job: Job | None = self
        while job is not None:
            if job.is_abandoned:
                return True
            job = job.parent
        return False

    @property
    def holds_worker(self) -> bool:
        """Whether a worker of its instance is held for it while it waits, unless the service is asynchronous."""
        return True

    def cancel(self) -> None:
        """The message that the caller has gone has reached the instance."""
        on_cancel = self.instance.on_cancel
        if on_cancel is OnCancel.STOP or (on_cancel is OnCancel.DROP_QUEUED and self.is_queued):
            end(self.task, Cancelled(CALLER_GONE))


class JobAside(Job):
    """What an instance does for nobody in the name of one of its requests: its calls and its computing are in no request's rows."""

    __slots__ = ("_of",)

    def __init__(self, of: Job, now_ns: int) -> None:
        self._of = of
        self.key, self.operation, self.attempt, self.step = of.key, of.operation, of.attempt, of.step
        self.request = of.request.aside(now_ns)
        self.parent, self.deadline_ns = None, NONE
        self.row = [*of.row]
        self.row[ID] = NONE
        self.instance, self.caller, self.way_back_ns = of.instance, of.caller, 0
        self.is_abandoned = self.is_queued = self.has_worker = False

    @property
    def content(self) -> int:
        """As of the request in whose name it is."""
        return self._of.content

    @property
    def holds_worker(self) -> bool:
        """None: it is done beside those."""
        return False
