"""Envoy's admission control filter."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Le

from meshsim.flags import Flag
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.portable import power
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, Rate, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

REJECTED = Verdict(503, int(Flag.admission), decision=Decision.SHED)
NS_PER_S = 1_000_000_000
GRPC_FAILURES = (1, 2, 4, 8, 10, 11, 13, 14, 15)
"""gRPC statuses that count as failures: all that are not among Envoy's defaults for success."""


@policy
class AdmissionControl(Filter):
    """Reject at random when too few of the last requests succeeded, the more the fewer did.

    Probability: ((n - s / sr_threshold) / (n + 1)) ^ (1 / aggression), of n requests and s successes in the window, and
    `max_rejection_probability` at most. Rejected requests do not count in n: they are no failures. 4xx answers are successes.
    Requests are counted in samples of a second, which begin with the first request that needs one; a sample is dropped as soon as
    its beginning is as old as the window, which so holds up to a second less than `sampling_window`. Envoy counts for each worker
    thread, here it is one count for each proxy. Its access log shows no flag.

    Source: Envoy, source/extensions/filters/http/admission_control/admission_control.cc, thread_local_controller.cc
    (maybeUpdateHistoricalData, averageRps); measured on Envoy 1.40.
    """

    sampling_window: Duration = 30_000_000_000
    """Over which requests are counted, in whole seconds."""
    sr_threshold: Share = 0.95
    """Success rate below which it begins to reject."""
    aggression: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """More rejects more at the same success rate; below 1 it counts as 1, as in Envoy."""
    rps_threshold: Rate = 0.0
    """Requests per second in the window below which nothing is rejected."""
    max_rejection_probability: Share = 0.8
    """Rejects at most this share, so that recovery is noticed."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if self.sampling_window < NS_PER_S:
            raise SettingError("sampling_window", "must be 1s at least: it is kept in seconds")
        if self.sr_threshold <= 0:
            raise SettingError("sr_threshold", "must be above 0%")

    def build(self, **_: object) -> AdmissionControlState:
        """Nothing has been seen."""
        return AdmissionControlState(self)


class AdmissionControlState(FilterState):
    """The requests and successes of the window."""

    observes = True

    def __init__(self, settings: AdmissionControl) -> None:
        """Nothing has been seen."""
        self.sampling_window = settings.sampling_window
        self.sr_threshold = settings.sr_threshold
        self.aggression = settings.aggression
        self.rps_threshold = settings.rps_threshold
        self.max_rejection_probability = settings.max_rejection_probability
        self._samples: deque[list[int]] = deque()
        """Beginning in nanoseconds, requests, successes."""
        self.requests = self.successes = 0

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 503."""
        if self.requests * NS_PER_S < self.rps_threshold * self.sampling_window:
            return PASS
        self._keep_up(now_ns)
        return REJECTED if self._probability() > draw.uniform() else PASS

    def done(self, now_ns: int, rtt_ns: int, asked: Asked, status: int, grpc_status: int, flags: int) -> None:  # noqa: ARG002
        """Count how it ended; not where the caller gave up."""
        if status == 0:
            return
        is_success = grpc_status not in GRPC_FAILURES if grpc_status >= 0 else status < 500
        self._keep_up(now_ns)
        last = self._samples[-1]
        last[1] += 1
        last[2] += is_success
        self.requests += 1
        self.successes += is_success

    def _probability(self) -> float:
        """With which the next request is rejected."""
        share = (self.requests - self.successes / self.sr_threshold) / (self.requests + 1)
        if share <= 0.0:
            return 0.0
        if self.aggression > 1.0:
            share = power(share, 1.0 / self.aggression)
        return min(self.max_rejection_probability, share)

    def _keep_up(self, now_ns: int) -> None:
        """Drop the samples that are too old, and begin one where the latest has lasted a second."""
        samples, window_ns = self._samples, self.sampling_window // NS_PER_S * NS_PER_S
        while samples and now_ns - samples[0][0] >= window_ns:
            _, requests, successes = samples.popleft()
            self.requests -= requests
            self.successes -= successes
        if not samples or now_ns - samples[-1][0] >= NS_PER_S:
            samples.append([now_ns, 0, 0])
