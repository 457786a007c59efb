"""What every load balancer answers, and what it may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Sequence


class Draw(Protocol):
    """Chance, as a policy sees it: the numbers of one decision, one after the other."""

    def uniform(self) -> float:
        """A number strictly between 0 and 1."""
        ...

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, all equally likely."""
        ...


class Endpoint:
    """An instance as one proxy sees it."""

    __slots__ = ("in_flight", "weight")

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        """Envoy's load_balancing_weight."""
        self.in_flight = 0
        """This proxy's requests that have a connection to it (Envoy's rq_active); those pending in the pool do not count."""


@family("load_balancer")
class LoadBalancer(Policy):
    """Chooses the endpoint of each attempt. State belongs to one proxy's view of one destination."""

    def set_up(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Prepare for these endpoints; `draw` gives the random start that keeps proxies from marching in step."""

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw) -> int:
        """Index of the endpoint for this attempt; a retry asks again and takes a turn like any request."""
        raise NotImplementedError


def is_weighted(endpoints: Sequence[Endpoint]) -> bool:
    """Whether the weights differ, which makes Envoy change the algorithm."""
    return any(endpoint.weight != endpoints[0].weight for endpoint in endpoints)
