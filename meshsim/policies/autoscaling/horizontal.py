"""The HorizontalPodAutoscaler: from what metrics ask for to the number of replicas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from meshsim.policies.autoscaling.combining import FAILED, NO_METRIC, Combined, combine
from meshsim.policies.autoscaling.rules import DOWN, UP, ScaleEvents, ScalingRules, highest, lowest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.policies.autoscaling.combining import Proposed

SCALE_UP_LIMIT_FACTOR = 2.0
SCALE_UP_LIMIT_MINIMUM = 4.0
"""What limits the growth where no `behavior` is given: to twice as many, and to 4 at least."""


class Reason(IntEnum):
    """Why there is a change, or none."""

    NO_CHANGE = 0
    ABOVE_TARGET = 1
    """A metric is above its target."""
    BELOW_TARGET = 2
    """All metrics are below their targets."""
    ABOVE_MAX = 3
    """There are more than `max_replicas`; metrics are not looked at."""
    BELOW_MIN = 4
    DISABLED = 5
    """There are 0 replicas, which turns the autoscaler off."""
    NO_METRICS = 6
    """No figures, or some are missing and the others would scale down."""


class Limit(IntEnum):
    """What held a change back: the reasons of the condition `ScalingLimited`."""

    NONE = 0
    SCALE_UP_LIMIT = 1
    SCALE_DOWN_LIMIT = 2
    TOO_MANY_REPLICAS = 3
    TOO_FEW_REPLICAS = 4


class Decision(NamedTuple):
    """One look at the metrics."""

    replicas: int
    """How many there shall be."""
    reason: Reason
    proposed: int = FAILED
    """What the metrics ask for; `FAILED` where they were not looked at, or had nothing to say."""
    metric: int = NO_METRIC
    """The metric that asks for most."""
    stabilized: int = FAILED
    """What is left of that by the windows of stabilisation."""
    limit: Limit = Limit.NONE
    failure: str = ""
    """Why a metric has no figure."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """How fast replicas come and go."""

    scale_up: ScalingRules = UP
    scale_down: ScalingRules = DOWN


class Recommendation(NamedTuple):
    """What metrics asked for, and when."""

    replicas: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class HorizontalPodAutoscaler:
    """The settings of one autoscaler, defaults filled in."""

    min_replicas: int
    max_replicas: int
    behavior: Behavior | None = None
    """None for the limits from before there was a `behavior`."""
    downscale_stabilization_ns: int = DOWN.stabilization_ns
    """The controller's own, for where no `behavior` says otherwise."""

    def build(self) -> Autoscaler:
        """What one autoscaler remembers."""
        return Autoscaler(self)


class Autoscaler:
    """Decides on the number of replicas every time that it is asked.

    Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go, reconcileAutoscaler.
    """

    __slots__ = ("downs", "recommendations", "settings", "ups")

    def __init__(self, settings: HorizontalPodAutoscaler) -> None:
        self.settings = settings
        self.recommendations: list[Recommendation] | None = None
        """What metrics asked for of late; the number of replicas at the first look is the first."""
        self.ups = ScaleEvents()
        self.downs = ScaleEvents()

    def decide(self, now_ns: int, current: int, look: Callable[[], Sequence[Proposed]]) -> Decision:
        """How many replicas there shall be.

        Args:
            now_ns: Time.
            current: How many are wanted at present (`spec.replicas`).
            look: Looks at the metrics, and says what each asks for.
        """
        settings = self.settings
        if self.recommendations is None:
            self.recommendations = [Recommendation(current, now_ns)]
        if not current and settings.min_replicas:
            return Decision(0, Reason.DISABLED)
        if current > settings.max_replicas:
            decision = Decision(settings.max_replicas, Reason.ABOVE_MAX)
        elif current < settings.min_replicas:
            decision = Decision(settings.min_replicas, Reason.BELOW_MIN)
        else:
            decision = self._by_metrics(now_ns, current, combine(current, look()))
        self._note(now_ns, current, decision.replicas)
        return decision

    def _by_metrics(self, now_ns: int, current: int, asked: Combined) -> Decision:
        if asked.replicas == FAILED:
            return Decision(current, Reason.NO_METRICS, failure=asked.failure)
        behavior = self.settings.behavior
        if behavior is None:
            stabilized = self.stabilize_downscale(now_ns, asked.replicas)
            replicas, limit = self.within_old_limits(current, stabilized)
        else:
            stabilized = self.stabilize(now_ns, current, asked.replicas, behavior)
            replicas, limit = self.within_rules(now_ns, current, stabilized, behavior)
        reason = Reason.NO_CHANGE
        if replicas != current:
            reason = Reason.ABOVE_TARGET if asked.replicas > current else Reason.BELOW_TARGET
        return Decision(replicas, reason, asked.replicas, asked.metric, stabilized, limit, asked.failure)

    def stabilize_downscale(self, now_ns: int, desired: int) -> int:
        """The largest of what metrics asked for in the controller's own window.

        Source: the same file, stabilizeRecommendation.
        """
        cutoff_ns = now_ns - self.settings.downscale_stabilization_ns
        recent = [one.replicas for one in self._known() if one.at_ns >= cutoff_ns]
        self._remember(now_ns, desired, lambda one: one.at_ns < cutoff_ns)
        return max(desired, *recent, 0)

    def stabilize(self, now_ns: int, current: int, desired: int, behavior: Behavior) -> int:
        """As near to `current` as what metrics asked for in the windows of both directions leaves it.

        Up no further than the least of one window, down no further than the most of the other.

        Source: the same file, stabilizeRecommendationWithBehaviors.
        """
        up_ns = now_ns - behavior.scale_up.stabilization_ns
        down_ns = now_ns - behavior.scale_down.stabilization_ns
        up = min([desired, *(one.replicas for one in self._known() if one.at_ns > up_ns)])
        down = max([desired, *(one.replicas for one in self._known() if one.at_ns > down_ns)])
        self._remember(now_ns, desired, lambda one: one.at_ns < min(up_ns, down_ns))
        return min(max(current, up), down)

    def within_old_limits(self, current: int, desired: int) -> tuple[int, Limit]:
        """Between the fewest and the most, and no more than twice as many (or 4).

        Source: the same file, convertDesiredReplicasWithRules.
        """
        settings = self.settings
        most = int(max(SCALE_UP_LIMIT_FACTOR * current, SCALE_UP_LIMIT_MINIMUM))
        if desired < settings.min_replicas:
            return settings.min_replicas, Limit.TOO_FEW_REPLICAS
        if desired > min(settings.max_replicas, most):
            limit = Limit.SCALE_UP_LIMIT if settings.max_replicas > most else Limit.TOO_MANY_REPLICAS
            return min(settings.max_replicas, most), limit
        return desired, Limit.NONE

    def within_rules(self, now_ns: int, current: int, desired: int, behavior: Behavior) -> tuple[int, Limit]:
        """Between the fewest and the most, and no faster than the rules of its direction allow.

        Source: the same file, convertDesiredReplicasWithBehaviorRate.
        """
        settings = self.settings
        if desired > current:
            most = max(highest(current, self.ups, self.downs, behavior.scale_up, now_ns), current)
            if desired > min(settings.max_replicas, most):
                limit = Limit.SCALE_UP_LIMIT if settings.max_replicas > most else Limit.TOO_MANY_REPLICAS
                return min(settings.max_replicas, most), limit
        elif desired < current:
            fewest = min(lowest(current, self.ups, self.downs, behavior.scale_down, now_ns), current)
            if desired < max(settings.min_replicas, fewest):
                limit = Limit.SCALE_DOWN_LIMIT if settings.min_replicas < fewest else Limit.TOO_FEW_REPLICAS
                return max(settings.min_replicas, fewest), limit
        return desired, Limit.NONE

    def _known(self) -> list[Recommendation]:
        assert self.recommendations is not None  # noqa: S101 — `decide` has begun the list
        return self.recommendations

    def _remember(self, now_ns: int, desired: int, is_old: Callable[[Recommendation], bool]) -> None:
        """Note what metrics ask for, in the place of the last old one where there is any."""
        known = self._known()
        old = [index for index, one in enumerate(known) if is_old(one)]
        if old:
            known[old[-1]] = Recommendation(desired, now_ns)
        else:
            known.append(Recommendation(desired, now_ns))

    def _note(self, now_ns: int, current: int, replicas: int) -> None:
        """A change of the number; without a `behavior` nobody asks for it."""
        behavior = self.settings.behavior
        if behavior is None or replicas == current:
            return
        if replicas > current:
            self.ups.add(replicas - current, now_ns, behavior.scale_up)
        else:
            self.downs.add(current - replicas, now_ns, behavior.scale_down)
