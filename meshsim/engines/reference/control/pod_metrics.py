"""Where an autoscaler has its figures from: metrics-server, and Prometheus behind an adapter."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.autoscaling import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.services.processor import Meter

NS_PER_S = 1_000_000_000
FRESH_NS = 10 * NS_PER_S
"""How old a container has to be for its first sample to count from its start."""
STALE_NS = 300 * NS_PER_S
"""How long Prometheus takes a sample for the present value (`query.lookback-delta`)."""
MANY = 10**15
NEAR_ENOUGH = 1.1
"""A window that begins or ends within so many intervals of a sample is extrapolated to."""


class Point(NamedTuple):
    """A sample of metrics-server."""

    began_ns: int
    """When the container began."""
    at_ns: int
    used_ns: int
    """Processor time of the instance at this place, of all pods that it has been."""


class MetricsServer:
    """The last two samples of each pod's processor time; its CPU is the mean between them.

    A pod that is younger than the resolution has one sample, which counts from its start if that is 10 s ago at least.

    Source: kubernetes-sigs/metrics-server, pkg/storage/pod.go (commit b455063) and types.go (commit 0c5886a, resourceUsage); the
    resolution of 15 s is that of its manifests.
    """

    __slots__ = ("_at_start", "_last", "_previous", "_processors", "_resolution_ns")

    def __init__(self, processors: tuple[Meter, ...], resolution_ns: int) -> None:
        self._processors = processors
        self._resolution_ns = resolution_ns
        self._at_start = [0] * len(processors)
        """Of each place, what had been used when its present pod began."""
        self._last: dict[int, Point] = {}
        self._previous: dict[int, Point] = {}

    def begin(self, place: int) -> None:
        """A container begins."""
        self._at_start[place] = self._processors[place].used_ns

    def sample(self, now_ns: int, pods: Iterable[tuple[int, int]]) -> None:
        """Ask all pods that run, each by its place and when it began."""
        last, previous = {}, {}
        for place, began_ns in pods:
            last[place] = point = Point(began_ns, now_ns, self._processors[place].used_ns)
            before = self._last.get(place)
            if FRESH_NS <= now_ns - began_ns < self._resolution_ns:
                previous[place] = Point(began_ns, began_ns, self._at_start[place])
            elif before is not None and before.began_ns == began_ns and before.at_ns < point.at_ns:
                previous[place] = before
        self._last, self._previous = last, previous

    def readings(self) -> dict[int, Reading]:
        """Thousandths of a core by place: nanocores as metrics-server cuts them, rounded up as the controller does."""
        found = {}
        for place, before in self._previous.items():
            last = self._last[place]
            window_ns = last.at_ns - before.at_ns
            nanocores = int((last.used_ns - before.used_ns) / (window_ns / NS_PER_S))
            found[place] = Reading(-(-nanocores // 1_000_000), last.at_ns, window_ns)
        return found


class Scraped(NamedTuple):
    """A sample of Prometheus."""

    at_ns: int
    arrived: int
    """Since the pod began."""
    in_flight: int
    queued: int


class Prometheus:
    """Samples of each pod's own figures: requests that have arrived so far, in it, and queued.

    Source: Prometheus, promql/functions.go (extrapolatedRate), cmd/prometheus/main.go (query.lookback-delta, 5m).
    """

    __slots__ = ("_at_start", "_instances", "_rate_ns", "_samples")

    def __init__(self, instances: tuple[Instance, ...], rate_ns: int) -> None:
        self._instances = instances
        self._rate_ns = rate_ns
        self._at_start = [-MANY] * len(instances)
        """Of each place, the requests before its present pod: those that are there at the start have counted for long."""
        self._samples: list[deque[Scraped]] = [deque() for _ in instances]

    def begin(self, place: int) -> None:
        """Another pod: another series."""
        self._samples[place].clear()
        self._at_start[place] = self._instances[place].arrived

    def sample(self, now_ns: int, place: int) -> None:
        """Ask one pod; one that is down does not answer."""
        instance = self._instances[place]
        if not instance.is_gone:
            samples = self._samples[place]
            samples.append(Scraped(now_ns, instance.arrived - self._at_start[place], instance.in_it, instance.station.queued))
            while samples[0].at_ns < now_ns - max(self._rate_ns, STALE_NS):
                samples.popleft()

    def rates(self, now_ns: int, places: Iterable[int]) -> dict[int, float]:
        """Requests per second by place: `rate` over the window, of those that have two samples in it."""
        made = {place: _rate(self._within(place, now_ns, self._rate_ns), now_ns, self._rate_ns) for place in places}
        return {place: rate for place, rate in made.items() if rate is not None}

    def latest(self, now_ns: int, places: Iterable[int]) -> dict[int, Scraped]:
        """The latest sample by place, of those that have one that is not stale."""
        made = {place: self._within(place, now_ns, STALE_NS) for place in places}
        return {place: samples[-1] for place, samples in made.items() if samples}

    def _within(self, place: int, now_ns: int, range_ns: int) -> list[Scraped]:
        return [one for one in self._samples[place] if one.at_ns > now_ns - range_ns]


def _rate(samples: list[Scraped], now_ns: int, range_ns: int) -> float | None:
    """Prometheus' `rate`: the increase between two samples, extrapolated to the ends of the window where these are near."""
    if len(samples) < 2:
        return None
    first, last = samples[0], samples[-1]
    increase, sampled_ns = last.arrived - first.arrived, last.at_ns - first.at_ns
    interval_ns = sampled_ns / (len(samples) - 1)
    to_start_ns, to_end_ns = first.at_ns - (now_ns - range_ns), now_ns - last.at_ns
    before_ns = to_start_ns if to_start_ns < NEAR_ENOUGH * interval_ns else interval_ns / 2
    if increase:
        before_ns = min(before_ns, sampled_ns * first.arrived / increase)  # no counter was ever below 0
    after_ns = to_end_ns if to_end_ns < NEAR_ENOUGH * interval_ns else interval_ns / 2
    return float(increase * (sampled_ns + before_ns + after_ns) / sampled_ns / (range_ns / NS_PER_S))
