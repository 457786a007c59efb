"""How fast an autoscaler may change the number of replicas: the `behavior` of a HorizontalPodAutoscaler."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND_NS = 1_000_000_000
MOST = 2**31 - 1


class SelectPolicy(Enum):
    """Which of several policies counts."""

    MAX = "Max"
    """The one that allows the largest change."""
    MIN = "Min"
    DISABLED = "Disabled"
    """No change in this direction at all."""


class ScalingPolicy(NamedTuple):
    """One limit to change."""

    value: int
    """A number of pods, or percent of the replicas at the start of the period."""
    period_ns: int
    is_percent: bool = False


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """The rules of one direction."""

    policies: tuple[ScalingPolicy, ...]
    select_policy: SelectPolicy = SelectPolicy.MAX
    stabilization_ns: int = 0
    tolerance: float | None = None
    """None for the controller's own."""


UP = ScalingRules((ScalingPolicy(4, 15 * SECOND_NS), ScalingPolicy(100, 15 * SECOND_NS, is_percent=True)))
"""Source: Kubernetes, pkg/apis/autoscaling/v2/defaults.go (commit 1adaa75), defaultHPAScaleUpRules."""
DOWN = ScalingRules((ScalingPolicy(100, 15 * SECOND_NS, is_percent=True),), stabilization_ns=300 * SECOND_NS)
"""Source: the same, defaultHPAScaleDownRules; the window is the controller's --horizontal-pod-autoscaler-downscale-stabilization."""


@dataclass(slots=True)
class _Event:
    """A change of the number of replicas."""

    change: int
    """How many pods, not below 0."""
    at_ns: int
    is_outdated: bool = False


@dataclass(slots=True)
class ScaleEvents:
    """Changes in one direction, as long as a policy looks back on them; the place of an old one is used again."""

    events: list[_Event] = field(default_factory=list)

    def add(self, change: int, now_ns: int, rules: ScalingRules) -> None:
        """Note a change.

        Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go, storeScaleEvent.
        """
        longest_ns = max((policy.period_ns for policy in rules.policies), default=0)
        old = None
        for index, event in enumerate(self.events):
            event.is_outdated |= event.at_ns < now_ns - longest_ns
            old = index if event.is_outdated else old
        if old is None:
            self.events.append(_Event(change, now_ns))
        else:
            self.events[old] = _Event(change, now_ns)

    def within(self, period_ns: int, now_ns: int) -> int:
        """Pods that were added, or taken away, in this time."""
        return sum(event.change for event in self.events if event.at_ns > now_ns - period_ns)


def highest(current: int, ups: ScaleEvents, downs: ScaleEvents, rules: ScalingRules, now_ns: int) -> int:
    """The most replicas that the rules for scaling up allow now.

    Each policy starts from what there was at the start of its period, so that what has been added since counts. Percentages are
    rounded up, or a few pods would never grow.

    Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go, calculateScaleUpLimitWithScalingRules.
    """

    def allowed(at_start: int, policy: ScalingPolicy) -> int:
        return ceil(float(at_start) * (1 + float(policy.value) / 100)) if policy.is_percent else at_start + policy.value

    made = _allowed(current, ups, downs, rules, now_ns, allowed)
    if rules.select_policy is SelectPolicy.DISABLED:
        return current
    return min(made, default=MOST) if rules.select_policy is SelectPolicy.MIN else max(made, default=-MOST)


def lowest(current: int, ups: ScaleEvents, downs: ScaleEvents, rules: ScalingRules, now_ns: int) -> int:
    """The fewest replicas that the rules for scaling down allow now; percentages are rounded towards fewer.

    Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go, calculateScaleDownLimitWithBehaviors.
    """

    def allowed(at_start: int, policy: ScalingPolicy) -> int:
        return int(float(at_start) * (1 - float(policy.value) / 100)) if policy.is_percent else at_start - policy.value

    made = _allowed(current, ups, downs, rules, now_ns, allowed)
    if rules.select_policy is SelectPolicy.DISABLED:
        return current
    return max(made, default=-MOST) if rules.select_policy is SelectPolicy.MIN else min(made, default=MOST)


def _allowed(
    current: int,
    ups: ScaleEvents,
    downs: ScaleEvents,
    rules: ScalingRules,
    now_ns: int,
    allowed: Callable[[int, ScalingPolicy], int],
) -> Sequence[int]:
    """What each policy allows."""
    return [
        allowed(current - ups.within(policy.period_ns, now_ns) + downs.within(policy.period_ns, now_ns), policy)
        for policy in rules.policies
    ]
