"""The proxies on a request's way, as those who meet them there know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.time.station import Station
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.request import Request
    from meshsim.policies.filters import FilterState

AT_GATEWAY = 0
OUTBOUND = 1
INBOUND = 2
AT_WAYPOINT = 3


class Passing(NamedTuple):
    """A filter that has let a request pass, and wants to hear how that ended or may answer in place of a failure."""

    number: int
    filter: FilterState
    since_ns: int
    key: int
    """Who else may wait for that."""


Passed = list[Passing]


class Incoming(Protocol):
    """A call, as a proxy on its way sees it."""

    request: Request
    key: int
    operation: int
    caller: int
    zone: int


class Screen(Protocol):
    """The filters of a proxy, as a call meets them."""

    @property
    def is_plain(self) -> bool:
        """Whether they answer at once and want to hear nothing afterwards."""
        ...

    def judge(self, call: Incoming, side: int) -> Outcome | None:
        """Their answer, or None for "go on"; only where they are plain."""
        ...

    def screen(self, call: Incoming, side: int, passed: Passed) -> Steps:
        """The same, with everything that takes time."""
        ...

    def tell(self, passed: Passed, outcome: Outcome, request: Request) -> None:
        """Let them know what became of a request that they let pass."""
        ...


class Sidecar(Protocol):
    """The proxy beside an instance, as the hop and the connections to it meet it."""

    @property
    def station(self) -> Station:
        """Its workers."""
        ...

    @property
    def connection_ns(self) -> int:
        """Time for which a new TCP connection holds a worker."""
        ...

    @property
    def takes_time(self) -> bool:
        """Whether a request costs it any."""
        ...

    @property
    def screen(self) -> Screen:
        """Its filters."""
        ...

    def work(self, call: Incoming, side: int, operation: int = NONE) -> Steps:
        """Hold one of its workers for the time that one request takes; only where it `takes_time`."""
        ...


class Owner(Protocol):
    """The proxy whose view it is, as far as connections and timers need it."""

    @property
    def station(self) -> Station:
        """Its workers, which pay for connections and their encryption."""
        ...

    @property
    def ticks(self) -> Ticks | None:
        """The clock that its timers go by; None for exact ones."""
        ...

    @property
    def connection_ns(self) -> int:
        """Time for which a new TCP connection holds a worker."""
        ...
