"""Envoy's adaptive concurrency filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.concurrency.gradient_controller import GradientController, Settings
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, PositiveCount, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked, Surroundings
    from meshsim.policies.load_balancing.balancer import Draw

OVER_LIMIT = Verdict(503, int(Flag.concurrency), decision=Decision.SHED)


@policy
class AdaptiveConcurrency(Filter):
    """Answer 503 above a limit on concurrent requests that follows latency.

    The limit grows while requests take hardly longer than at best, and shrinks when they queue. For the best time the limit is pinned
    to `min_concurrency` every `min_rtt_interval`: a service under load sheds most of its requests then. A proxy that has been up for
    long knows its best time; here each has to measure it as the run begins (leave that to the warm-up), and then measures it
    again after a part of an interval that is drawn, not all proxies at once. Envoy's access log shows no flag, only
    "reached_concurrency_limit".

    Source: Envoy, source/extensions/filters/http/adaptive_concurrency; measured on Envoy 1.40.
    """

    sample_aggregate_percentile: Share = 0.5
    """Quantile of the latencies of a window that stands for them."""
    max_concurrency_limit: PositiveCount = 1000
    """The limit never rises above this."""
    concurrency_update_interval: Duration = 100_000_000
    """Length of a window."""
    min_rtt_interval: Duration = 60_000_000_000
    """Between two measurements of the best latency."""
    min_rtt_request_count: PositiveCount = 50
    """Samples of such a measurement."""
    jitter: Share = 0.15
    """A random share of `min_rtt_interval` is added, so that proxies do not measure together."""
    min_concurrency: PositiveCount = 3
    """The limit while the best latency is measured, and the least at any time."""
    buffer: Share = 0.25
    """Latency above the best that is still fine."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        for name in ("concurrency_update_interval", "min_rtt_interval"):
            if getattr(self, name) <= 0:
                raise SettingError(name, "must be longer than 0s")
        if self.min_concurrency > self.max_concurrency_limit:
            raise SettingError("min_concurrency", f"must not be above max_concurrency_limit, {self.max_concurrency_limit:,}")

    def build(self, *, around: Surroundings) -> AdaptiveConcurrencyState:
        """A controller that begins with a measurement."""
        return AdaptiveConcurrencyState(self, around)


class AdaptiveConcurrencyState(FilterState):
    """The controller of one proxy's limit."""

    observes = True

    def __init__(self, settings: AdaptiveConcurrency, around: Surroundings) -> None:
        """A controller that begins with a measurement."""
        self.controller = GradientController(
            Settings(
                settings.sample_aggregate_percentile,
                settings.max_concurrency_limit,
                settings.concurrency_update_interval,
                settings.min_rtt_interval,
                settings.min_rtt_request_count,
                settings.jitter,
                settings.min_concurrency,
                settings.buffer,
            ),
            max(0, -around.born_ns) % settings.min_rtt_interval,
        )

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 503 above the limit."""
        return PASS if self.controller.admit(now_ns, draw) else OVER_LIMIT

    def done(self, now_ns: int, rtt_ns: int, asked: Asked, status: int, grpc_status: int, flags: int) -> None:  # noqa: ARG002
        """A sample; none where the caller gave up."""
        if status == 0:
            self.controller.cancelled()
        else:
            self.controller.done(now_ns, rtt_ns)
