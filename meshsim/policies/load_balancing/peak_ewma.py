"""Peak EWMA: the power of two choices on latency and load."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from meshsim.policies.load_balancing.balancer import Draw, Endpoint, LoadBalancer, LoadBalancerState
from meshsim.portable import exp
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, PositiveCount

if TYPE_CHECKING:
    from collections.abc import Sequence

PENALTY_NS = float(1 << 47)
"""Cost of an endpoint that has requests in flight and has never answered; Finagle's, small enough that one request more still counts."""


@policy
class PeakEwma(LoadBalancer):
    """Send to the cheaper of two different endpoints, where the cost is the estimated round trip times the requests in flight plus one.

    The estimate jumps up to a longer round trip at once, and falls back slowly: towards a shorter one, and towards nothing while the
    endpoint is idle, with weight exp(-time since the last sample / decay). An endpoint that has never answered starts from
    `default_rtt`; with Finagle's penalty it is avoided while its first request is in flight.

    Source: Finagle, finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala; Linkerd,
    linkerd2-proxy, app/outbound/src/http/logical (default RTT 30 ms, decay 10 s).
    """

    observes = True

    decay: Duration = 10_000_000_000
    """Time constant with which the estimate falls."""
    default_rtt: Duration = 30_000_000
    """Estimate of an endpoint that has not answered yet."""
    penalty: bool = False
    """Finagle's: avoid an endpoint that has requests in flight and has never answered. Linkerd 2 has none."""
    choice_count: PositiveCount = 2
    """Different endpoints drawn for each request; as many as there are makes it a full scan."""

    def check(self) -> None:
        """Raise `SettingError` for a decay without length."""
        if self.decay <= 0:
            raise SettingError("decay", "must be longer than 0s, such as 10s")

    def build(self, *, endpoints: Sequence[Endpoint], **_: object) -> PeakEwmaState:
        """No endpoint has answered yet."""
        return PeakEwmaState(self, endpoints)

    def beside(
        self, first: LoadBalancerState, endpoints: Sequence[Endpoint], draw: Draw, client: int, clients: int  # noqa: ARG002
    ) -> PeakEwmaState:  # fmt: skip
        """With the same estimates."""
        return PeakEwmaState(self, endpoints, first if isinstance(first, PeakEwmaState) else None)


class PeakEwmaState(LoadBalancerState):
    """The estimates of one proxy."""

    __slots__ = ("choice_count", "decay", "default_rtt", "estimate_ns", "has_answered", "penalty", "since_ns")

    def __init__(self, settings: PeakEwma, endpoints: Sequence[Endpoint], known: PeakEwmaState | None = None) -> None:
        """No endpoint has answered yet, but for what another state knows; that is shared."""
        self.decay = settings.decay
        self.default_rtt = settings.default_rtt
        self.penalty = settings.penalty
        self.choice_count = settings.choice_count
        self.estimate_ns: list[float] = [] if known is None else known.estimate_ns
        self.since_ns: list[int] = [] if known is None else known.since_ns
        self.has_answered: list[bool] = [] if known is None else known.has_answered
        self._make_room(max(endpoint.index for endpoint in endpoints))

    def update(self, endpoints: Sequence[Endpoint], draw: Draw) -> None:  # noqa: ARG002
        """Room for those that have joined."""
        self._make_room(max(endpoint.index for endpoint in endpoints))

    def _make_room(self, index: int) -> None:
        missing = index + 1 - len(self.estimate_ns)
        self.estimate_ns.extend([float(self.default_rtt)] * missing)
        self.since_ns.extend([0] * missing)
        self.has_answered.extend([False] * missing)

    def pick(self, endpoints: Sequence[Endpoint], draw: Draw, now_ns: int, hash_key: int) -> int:  # noqa: ARG002
        """Position of the cheapest of the endpoints drawn."""
        count = len(endpoints)
        if self.choice_count >= count > 2:
            return min(range(count), key=lambda index: self.cost(endpoints[index], now_ns))
        best = draw.below(count)
        if count == 1:
            return best
        best_cost = self.cost(endpoints[best], now_ns)
        drawn = [best]
        for number in range(1, min(self.choice_count, count)):
            other = draw.below(count - number)
            for one in drawn:  # in order: past each that has been drawn already
                other += other >= one
            insort(drawn, other)
            cost = self.cost(endpoints[other], now_ns)
            if cost < best_cost:
                best, best_cost = other, cost
        return best

    def done(self, endpoint: Endpoint, now_ns: int, rtt_ns: int, is_failure: bool) -> None:  # noqa: ARG002, FBT001
        """Take in a round trip."""
        self._make_room(endpoint.index)  # it may be one of another priority or zone, which this one has not picked from yet
        self.has_answered[endpoint.index] = True
        self._observe(endpoint.index, now_ns, float(rtt_ns))

    def cost(self, endpoint: Endpoint, now_ns: int) -> float:
        """What a request to an endpoint is expected to cost, ns; the estimate falls to what it is at this instant."""
        if self.penalty and endpoint.in_flight and not self.has_answered[endpoint.index]:
            return PENALTY_NS + endpoint.in_flight
        if now_ns > self.since_ns[endpoint.index]:
            self._observe(endpoint.index, now_ns, 0.0)  # as both products do: looking is a sample of nothing
        return self.estimate_ns[endpoint.index] * (endpoint.in_flight + 1)

    def _observe(self, index: int, now_ns: int, rtt_ns: float) -> None:
        """Take in a sample: at once where it is above the estimate, else as much as time has passed since the sample before."""
        estimate_ns = self.estimate_ns[index]
        if rtt_ns > estimate_ns:
            self.estimate_ns[index] = rtt_ns
        else:
            weight = exp(-(now_ns - self.since_ns[index]) / self.decay)
            self.estimate_ns[index] = estimate_ns * weight + rtt_ns * (1.0 - weight)
        self.since_ns[index] = now_ns
