"""Client-side weighted round robin: turns by what each endpoint says that it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.policies.load_balancing.earliest_deadline import MOST_PICKS, EarliestDeadline
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

NS_PER_S = 1_000_000_000


@policy
class ClientSideWeightedRoundRobin(LoadBalancer):
    """Take turns weighted by requests per second divided by utilisation, as each endpoint reports them.

    A faster endpoint does more at the same utilisation and gets more. Errors count as load: to the utilisation comes the share of
    failures times the penalty. A report without requests or utilisation is passed over: the weight before it stands until it expires.
    An endpoint whose reports are too new (blackout) or too old has the mean weight (the median in Envoy); with fewer than two weights
    it is plain round robin. New weights count from an endpoint's next turn on: turns go on where they were.

    Source: gRPC proposal A58, "Client-side weighted round robin"; Envoy,
    source/extensions/load_balancing_policies/client_side_weighted_round_robin.
    """

    reads_reports = True

    report_interval: Duration = 0
    """How often endpoints report (out of band); 0 for a report with every answer."""
    report_phase: Literal["endpoint", "proxy", "common"] = "endpoint"
    """Which reports come together: with `endpoint` none, as each endpoint sends its own when it likes (ORCA); with `proxy` those of all
    endpoints to one proxy, which asks them all at once (a poller); with `common` all of them, as from a board that everybody reads. Only with a
    `report_interval`."""
    blackout_period: Duration = 10_000_000_000
    """Reports have to come for so long before they count."""
    weight_expiration_period: Duration = 180_000_000_000
    """A report older than this counts no more."""
    weight_update_period: Duration = 1_000_000_000
    """How often weights are worked out; at least 100ms."""
    error_utilization_penalty: Annotated[float, Ge(0), Le(1e6)] = 1.0
    """How much of an endpoint a share of failures takes up."""

    def beside(
        self, first: LoadBalancerState, endpoints: Sequence[Endpoint], draw: Draw, client: int, clients: int  # noqa: ARG002
    ) -> ClientSideWeightedRoundRobinState:  # fmt: skip
        """With the same knowledge of reports, which Envoy keeps with the host: the blackout of one that is known does not begin again."""
        known = first if isinstance(first, ClientSideWeightedRoundRobinState) else None
        return ClientSideWeightedRoundRobinState(self, endpoints, draw, known)

    def build(self, *, endpoints: Sequence[Endpoint], draw: Draw, **_: object) -> ClientSideWeightedRoundRobinState:
        """Nothing has been reported."""
        return ClientSideWeightedRoundRobinState(self, endpoints, draw)


class ClientSideWeightedRoundRobinState(LoadBalancerState):
    """What endpoints have reported to one proxy, and whose turn it is."""

    __slots__ = (
        "_is_old",
        "_next",
        "_seed",
        "_turns",
        "_updated_ns",
        "_weights",
        "blackout_period",
        "error_utilization_penalty",
        "reported",
        "reported_ns",
        "reporting_since_ns",
        "weight_expiration_period",
        "weight_update_period",
    )

    def __init__(
        self,
        settings: ClientSideWeightedRoundRobin,
        endpoints: Sequence[Endpoint],
        draw: Draw,
        known: ClientSideWeightedRoundRobinState | None = None,
    ) -> None:
        """Nothing has been reported, but for what another state knows, which is shared; plain turns from a random place on."""
        self.blackout_period = settings.blackout_period
        self.weight_expiration_period = settings.weight_expiration_period
        self.weight_update_period = settings.weight_update_period
        self.error_utilization_penalty = settings.error_utilization_penalty
        self.reporting_since_ns: list[int] = [] if known is None else known.reporting_since_ns
        self.reported_ns: list[int] = [] if known is None else known.reported_ns
        self.reported: list[float] = [] if known is None else known.reported
        self._seed = self._next = draw.below(MOST_PICKS)
        self._updated_ns = 0
        self.update(endpoints, draw)

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:  # noqa: ARG002
        """Weights anew at the next pick."""
        missing = max(endpoint.index for endpoint in endpoints) + 1 - len(self.reporting_since_ns)
        self.reporting_since_ns.extend([-1] * missing)
        self.reported_ns.extend([-1] * missing)
        self.reported.extend([0.0] * missing)
        self._turns: EarliestDeadline | None = None
        self._weights: list[float] = []
        self._is_old = True

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the endpoint whose turn it is."""
        if self._is_old or now_ns - self._updated_ns >= max(self.weight_update_period, NS_PER_S // 10):
            self._weigh(endpoints, now_ns)
        if self._turns is not None:
            return self._turns.take(self._weights[self._turns.peek()])
        index = self._next % len(endpoints)
        self._next += 1
        return index

    def _weigh(self, endpoints: Sequence[Endpoint], now_ns: int) -> None:
        """Weights of this period."""
        self._is_old, self._updated_ns = False, now_ns
        known = [self._weight(endpoint, now_ns) for endpoint in endpoints]
        usable = [weight for weight in known if weight > 0.0]
        if len(usable) < 2:
            self._turns = None
            return
        mean = sum(usable) / len(usable)
        self._weights = [weight if weight > 0.0 else mean for weight in known]
        if self._turns is None:  # not anew with each period: those with the first turns would get them all
            self._turns = EarliestDeadline(self._weights, self._seed)

    def _weight(self, endpoint: Endpoint, now_ns: int) -> float:
        """What an endpoint's latest report of any work makes it worth; 0 where it does not count."""
        index, since = endpoint.index, self.reporting_since_ns
        if 0 <= endpoint.reported_ns >= self.reported_ns[index] and endpoint.request_rate > 0.0:
            load = endpoint.utilisation + endpoint.error_rate / endpoint.request_rate * self.error_utilization_penalty
            if load > 0.0:
                self.reported[index], self.reported_ns[index] = endpoint.request_rate / load, endpoint.reported_ns
                if since[index] < 0:
                    since[index] = endpoint.reported_ns
        if self.reported_ns[index] < 0 or now_ns - self.reported_ns[index] >= self.weight_expiration_period:
            since[index] = -1
            return 0.0
        return 0.0 if now_ns - since[index] < self.blackout_period else self.reported[index]
