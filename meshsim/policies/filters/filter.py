"""What every filter answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


class Verdict(NamedTuple):
    """What a filter says of a request: go on (status 0), perhaps after a delay, or an answer in its place."""

    status: int
    flags: int
    delay_ns: int = 0
    """How long the request is held up first."""


PASS = Verdict(0, 0)


@family("filter")
class Filter(Policy):
    """Looks at each request that comes in to one proxy. State belongs to that proxy."""

    observes: ClassVar[bool] = False
    """Whether it wants to be told by `done` what became of the requests that it let pass."""
    delays: ClassVar[bool] = False
    """Whether its verdicts may hold a request up."""
    draws: ClassVar[bool] = True
    """Whether it asks its `draw` for anything."""

    def set_up(self, consumers: int, routes: int) -> None:
        """Prepare for requests of so many consumers and routes."""

    def judge(self, now_ns: int, consumer: int, route: int, draw: Draw) -> Verdict:
        """`PASS`, or the answer that the request gets instead of going on.

        Args:
            now_ns: Time.
            consumer: Number of the consumer, 0 where the load names none.
            route: Number of the route.
            draw: Chance.
        """
        raise NotImplementedError

    def done(self, now_ns: int, rtt_ns: int, status: int, grpc_status: int, flags: int) -> None:
        """A request that it let pass has ended; called once for each of them, and only where the filter `observes`.

        Args:
            now_ns: Time.
            rtt_ns: From its `judge` to the answer.
            status: HTTP status; 0 where the caller gave up first.
            grpc_status: gRPC status, -1 where the answer has none.
            flags: Bits of `meshsim.flags.Flag`.
        """
