"""Load shedding, the least important first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_MS, Duration, Number, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

SHED = Verdict(503, int(Flag.shed), decision=Decision.SHED)


@policy
class ShedByCriticality(Filter):
    """Answer 503 to a request when the proxy's load is above the threshold of its criticality.

    The load is what is at work or ready to be, for each worker (of the gateway's replica; of the instance, where the filter stands at a
    service): 1 where all are busy and nobody waits. It is smoothed, so that a
    spike passes. Less important requests have lower thresholds and go first; all of a class go, not a share of them, so that a load
    near a threshold is shed by turns. The book gives no figures: the thresholds here are ours.

    At the gateway a request takes its `proxy_time` before the filters see it, so that shedding relieves whom the gateway calls, and not
    the gateway's own workers.

    Source: Beyer et al., "Site Reliability Engineering", chapter 21, "Criticality" and "Utilization signals" (executor load average).
    """

    critical_plus: Number = 2.0
    """Load above which even the most important requests are shed."""
    critical: Number = 1.2
    """Load above which what users see is shed: the criticality of a request that names none."""
    sheddable_plus: Number = 1.0
    """Load above which batch jobs that can wait minutes are shed."""
    sheddable: Number = 0.8
    """Load above which what can wait for hours is shed."""
    interval: Duration = 100_000_000
    """Between two readings of the load."""
    decay: Share = 0.5
    """Weight of all earlier readings at each new one; 0 for the newest alone."""

    def check(self) -> None:
        """Raise `SettingError` where the more important would go first, or nothing is ever read."""
        order = ("critical_plus", "critical", "sheddable_plus", "sheddable")
        for more, less in pairwise(order):
            if getattr(self, less) > getattr(self, more):
                raise SettingError(less, f"must not be above {more}, which is more important")
        if self.interval < NS_PER_MS:
            raise SettingError("interval", "must be 1ms or longer")
        if self.decay >= 1:
            raise SettingError("decay", "must be below 100%: no reading would count")

    def build(self, **_: object) -> ShedByCriticalityState:
        """No load."""
        return ShedByCriticalityState(self)


class ShedByCriticalityState(FilterState):
    """The load of one proxy, smoothed."""

    draws = False

    def __init__(self, settings: ShedByCriticality) -> None:
        """No load."""
        self.load_interval_ns = settings.interval
        self.decay = settings.decay
        self._thresholds = (settings.critical_plus, settings.critical, settings.sheddable_plus, settings.sheddable)
        self._load = 0.0

    def load(self, utilisation: float) -> None:
        """A reading, each `interval`: requests at work or waiting for a worker, for each worker."""
        self._load = self.decay * self._load + (1.0 - self.decay) * utilisation

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 503 above the threshold."""
        return SHED if self._load > self._thresholds[asked.criticality] else PASS
