"""What every load balancer answers, and what it may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from meshsim.own_policies import State, position
from meshsim.policies.load_balancing.address import Address
from meshsim.randomness import call_key
from meshsim.registry import Policy, family

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_HASH = -1
"""The hash of a request that has none."""
FROM_THE_START = -1
"""Since when an endpoint has been healthy that was so from the start."""
_UNNAMED = call_key(0, 7)
"""Where the addresses of endpoints come from that belong to no instance."""


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

    __slots__ = (
        "error_rate", "healthy_since_ns", "in_flight", "index", "reported_in_flight", "reported_ns", "request_rate", "utilisation",
        "weight",
    )  # fmt: skip
    is_well = True
    """Whether it is neither ejected nor fails its health checks, at this very instant; an engine's endpoint looks."""

    def __init__(self, weight: float = 1.0, index: int = 0) -> None:
        self.weight = weight
        """Envoy's load_balancing_weight."""
        self.index = index
        """Its number among all endpoints that this proxy ever knew: it stays, whoever joins or leaves."""
        self.in_flight = 0
        """This proxy's requests that have a connection to it (Envoy's rq_active); those pending in the pool do not count."""
        self.healthy_since_ns = FROM_THE_START
        """When this proxy learned of it, or when it began to pass this proxy's health checks (again); `FROM_THE_START` where neither
        has been since then. Envoy's last_hc_pass_time: an ejection and its end leave it as it is."""
        self.reported_ns = -1
        """When the latest report of its load came, -1 where none has."""
        self.reported_in_flight = 0
        """Requests in it, queue included, as its latest report has it: of all its callers."""
        self.utilisation = 0.0
        """Share of its workers that were busy, as its latest report has it."""
        self.request_rate = 0.0
        """Requests per second that it finished, as its latest report has it."""
        self.error_rate = 0.0
        """Failures per second among them."""

    @property
    def address(self) -> Address:
        """What a hash of it is made of; another one whenever another process stands at its place."""
        return Address(call_key(_UNNAMED, self.index))

    @property
    def hostname(self) -> Address:
        """A name that it keeps, whatever process stands at its place."""
        return self.address


class LoadBalancerState(State):
    """Chooses the endpoint of each attempt. It belongs to one proxy's view of one destination."""

    __slots__ = ()

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:
        """Prepare for other endpoints from now on: some have joined, left, or changed their weight.

        What is remembered of those that stay (by their `index`) is kept.
        """

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:
        """Position of the endpoint for this attempt; a retry asks again and takes a turn like any request.

        Args:
            endpoints: As in the latest `update`, or as it was built for.
            draw: Chance.
            now_ns: Time.
            hash_key: 64 bits that tell requests apart which belong together (a user's, a key's); `NO_HASH` where nothing does.
        """
        raise NotImplementedError

    def done(self, endpoint: Endpoint, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: FBT001
        """An attempt has ended; called only where the policy `observes`.

        Args:
            endpoint: Where it was sent.
            now_ns: Time.
            rtt_ns: From sending to the answer, or to giving up.
            is_failure: Whether it failed: 5xx, timed out, could not connect.
        """


@family("load_balancer", LoadBalancerState, pick=position("endpoints"))
class LoadBalancer(Policy):
    """Says how endpoints are chosen. Each proxy's view of a destination has a state of its own."""

    observes: bool = False
    """Whether it wants to be told of outcomes by `done`."""
    reads_reports: bool = False
    """Whether it reads the load that endpoints report; without such a policy none is sent."""
    is_hashed: bool = False
    """Whether a request's hash alone says where it goes, its priority included; zones are weights in its tables."""
    report_interval: int = 0
    """Nanoseconds between two reports of an endpoint's load; 0 for one with every answer."""
    report_phase: str = "endpoint"
    """What has a phase of its own in these intervals: each `endpoint`, each `proxy`, or nothing (`common`)."""

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, client: int = 0, clients: int = 1) -> LoadBalancerState:
        """One that has sent nothing yet.

        Args:
            endpoints: Those that it may pick from, at least one.
            draw: Gives the random start that keeps proxies from marching in step.
            client: Number of this proxy among its like, from 0.
            clients: How many there are.
        """
        raise NotImplementedError

    def beside(
        self, first: LoadBalancerState, endpoints: Sequence[Endpoint], draw: Draw, client: int, clients: int  # noqa: ARG002
    ) -> LoadBalancerState:  # fmt: skip
        """Another one for other endpoints of the same view as `first`, as for another zone or priority: its turns are its own.

        What is remembered of endpoints by their `index` belongs to the view: a policy that has such a memory shares it.
        """
        return self.build(endpoints=endpoints, draw=draw, client=client, clients=clients)


def is_weighted(endpoints: Sequence[Endpoint]) -> bool:
    """Whether the weights differ, which makes Envoy change the algorithm."""
    return any(endpoint.weight != endpoints[0].weight for endpoint in endpoints)
