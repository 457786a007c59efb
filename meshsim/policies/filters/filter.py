"""What every filter answers."""

from __future__ import annotations

from typing import NamedTuple

from meshsim.registry import Policy, family


class Verdict(NamedTuple):
    """What a filter says of a request: go on (status 0), or an answer in its place."""

    status: int
    flags: int


PASS = Verdict(0, 0)


@family("filter")
class Filter(Policy):
    """Looks at each request that comes in to one proxy. State belongs to that proxy."""

    def set_up(self, consumers: int, routes: int) -> None:
        """Prepare for requests of so many consumers and routes."""

    def judge(self, now_ns: int, consumer: int, route: int) -> Verdict:
        """`PASS`, or the answer that the request gets instead of going on.

        Args:
            now_ns: Time.
            consumer: Number of the consumer, 0 where the load names none.
            route: Number of the route.
        """
        raise NotImplementedError
