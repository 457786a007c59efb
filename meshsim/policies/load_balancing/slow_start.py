"""Slow start: an endpoint that is new, or passes its health checks again, gets its share little by little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Le

from meshsim.own_policies import State, one_of, yes_or_no
from meshsim.policies.load_balancing.balancer import FROM_THE_START, Endpoint
from meshsim.portable import power
from meshsim.registry import Policy, SettingError, family, policy
from meshsim.units import Duration, Share

if TYPE_CHECKING:
    from collections.abc import Sequence


class WarmingState(State):
    """How much of its weight an endpoint has while it is new."""

    __slots__ = ()

    def factor(self, endpoint: Endpoint, now_ns: int) -> float:
        """Share of its weight that an endpoint has at `now_ns`, at most 1."""
        raise NotImplementedError

    def is_on(self, endpoints: Sequence[Endpoint], now_ns: int) -> bool:
        """Whether any of the endpoints is new."""
        raise NotImplementedError


@family("slow_start", WarmingState, factor=one_of(float, int), is_on=yes_or_no)
class Warming(Policy):
    """Says how an endpoint that is new gets its share."""

    def build(self, **_: object) -> WarmingState:
        """What a balancer asks."""
        raise NotImplementedError


@policy
class SlowStart(Warming):
    """Give an endpoint that has just joined, or passes its health checks again, a share of its weight that grows over a window.

    The share is max(min_weight_percent, (time since it became healthy / window) ^ (1 / aggression)). With active health checks the
    window begins whenever an endpoint passes them after it did not, at each return; without them when it joins, and never again: the
    end of an ejection begins none. An endpoint that is not healthy and gets requests all the same, in a panic, has its full weight.
    While any endpoint is in its window, turns are weighted, with round robin and with least request. Endpoints that are there from
    the start have their full weight.

    Source: Envoy, envoy/config/cluster/v3/cluster.proto (SlowStartConfig);
    source/extensions/load_balancing_policies/common/load_balancer_impl.cc (recalculateHostsInSlowStart, applySlowStartFactor);
    source/extensions/health_checkers/common/health_checker_base_impl.cc (handleSuccess sets last_hc_pass_time); measured on Envoy
    1.40: with a window of 30 s the fourth of four endpoints got 3.5, 7.7, 12.1, 16.3, 19.9, 23.4 and 25.0 % of the requests in
    windows of 5 s.
    """

    slow_start_window: Duration
    """How long an endpoint is new after it joined, or passed its checks again."""
    aggression: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """1 grows in proportion to time, more grows faster at first."""
    min_weight_percent: Share = 0.1
    """Share of its weight that it has at least."""

    def check(self) -> None:
        """Raise `SettingError` for a window without length."""
        if self.slow_start_window <= 0:
            raise SettingError("slow_start_window", "must be longer than 0s; leave `slow_start` out for none")

    def build(self, **_: object) -> SlowStartState:
        """Nothing to begin with."""
        return SlowStartState(self)


class SlowStartState(WarmingState):
    """It remembers nothing: endpoints know since when they are healthy."""

    __slots__ = ("aggression", "min_weight_percent", "slow_start_window")

    def __init__(self, settings: SlowStart) -> None:
        """Nothing has happened."""
        self.slow_start_window = settings.slow_start_window
        self.aggression = settings.aggression
        self.min_weight_percent = settings.min_weight_percent

    def factor(self, endpoint: Endpoint, now_ns: int) -> float:
        """Share of its weight that an endpoint has at `now_ns`, at most 1."""
        since_ns = endpoint.healthy_since_ns
        if since_ns == FROM_THE_START or now_ns - since_ns >= self.slow_start_window or not endpoint.is_well:
            return 1.0
        share = (now_ns - since_ns) / self.slow_start_window
        if self.aggression != 1.0 and share > 0:
            share = power(share, 1.0 / self.aggression)
        return max(self.min_weight_percent, share)

    def is_on(self, endpoints: Sequence[Endpoint], now_ns: int) -> bool:
        """Whether any of the endpoints is in its window."""
        since_ns = now_ns - self.slow_start_window
        return any(endpoint.healthy_since_ns > since_ns and endpoint.healthy_since_ns != FROM_THE_START for endpoint in endpoints)
