"""Rollouts: new versions of a service that come while it runs, in the words of a Deployment."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from annotated_types import Gt, Le
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from meshsim.policies.deployment import Portion, Recreate, RollingUpdate, Strategy
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.errors import Errors
from meshsim.scenario.sections.types import Duration, Section
from meshsim.scenario.sections.wording import mistake
from meshsim.units import Unit

_PERCENT = re.compile(r"(\d{1,3})%", re.ASCII)
_MOST = 10_000


def _portion(value: Any) -> Portion:
    """Pods, or percent of the replicas."""
    if isinstance(value, Portion):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= _MOST:
            raise mistake(f"must be from 0 to {_MOST:,} pods")
        return Portion(value)
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise mistake(f"expected pods such as 1, or whole percent of the replicas such as 25%, not {shown(value)}")
    if int(match.group(1)) > 100:
        raise mistake("must be at most 100%, as in Kubernetes")
    return Portion(int(match.group(1)), is_percent=True)


_PATTERN = r"^\d{1,3}%$"
Pods = Annotated[
    Portion,
    Unit("number of pods, or percent of the replicas", _portion, _PATTERN, "25%"),
    BeforeValidator(_portion),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "integer", "minimum": 0, "maximum": _MOST}],
            "description": "Pods, or percent of the replicas, such as 1 or 25%",
            "examples": ["25%"],
        }
    ),
]
"""Kubernetes' IntOrString."""
A_QUARTER = Portion(25, is_percent=True)


class RollingUpdateSection(Section):
    """How many pods there may be beyond `replicas`, and how many replicas may be unavailable, while versions change."""

    max_surge: Pods = A_QUARTER
    """Pods beyond `replicas`, not counting those that are terminating; a percentage is rounded up. 25% as in Kubernetes."""
    max_unavailable: Pods = A_QUARTER
    """Replicas that may be unavailable; a percentage is rounded down, and it is 1 where both settings round to 0. 25% as in Kubernetes."""

    @model_validator(mode="after")
    def _something_may_change(self) -> Self:
        if not self.max_surge.value and not self.max_unavailable.value:
            raise mistake("may not be 0 when `max_surge` is 0, as in Kubernetes: nothing could ever change", "max_unavailable")
        return self


class StrategySection(Section):
    """How one version takes another's place."""

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    """`RollingUpdate`: new pods come and old ones go a few at a time. `Recreate`: all old ones end before a new one starts."""
    rolling_update: RollingUpdateSection = Field(default_factory=RollingUpdateSection)
    """How many at a time."""

    @model_validator(mode="after")
    def _bounds_belong_to_a_rolling_update(self) -> Self:
        if self.type == "Recreate" and "rolling_update" in self.model_fields_set:
            raise mistake("may not be written with `type: Recreate`, as in Kubernetes", "rolling_update")
        return self

    @property
    def chosen(self) -> Strategy:
        """The strategy itself."""
        if self.type == "Recreate":
            return Recreate()
        return RollingUpdate(self.rolling_update.max_surge, self.rolling_update.max_unavailable)

    @property
    def surge(self) -> Portion:
        """How many pods there may be beyond the replicas."""
        return Portion(0) if self.type == "Recreate" else self.rolling_update.max_surge


class RolloutStep(Section):
    """A new version of a service: the pod template of its Deployment changes. What is left out is as in the version at the start."""

    at: Duration
    """When the rollout begins."""
    slow: Annotated[float, Gt(0), Le(1e6)] | None = None
    """Its computations take this many times as long as those of the service: 1.2 for a slower version, or 0.8 for a faster one."""
    errors: Errors | None = None
    """Requests that fail in addition to those that the service fails anyway: a share of them with the service's own error after their work,
    or as this says."""
    startup_time: Duration | None = None
    """From the start of one of its pods until it is ready; the service's own where absent."""
    ready: bool = True
    """Whether its pods ever become ready: with `false` the rollout stands still until another one replaces this version."""
    undo: bool = False
    """Goes back to the version before, as `kubectl rollout undo` does; its pods that are still there stay."""

    @model_validator(mode="after")
    def _is_one_version(self) -> Self:
        for name in ("slow", "errors", "startup_time", "ready") if self.undo else ():
            if name in self.model_fields_set:
                raise mistake("goes with a new version, and `undo` goes back to the one before", name)
        if self.startup_time is not None and not self.ready:
            raise mistake("a version that never becomes ready has none", "startup_time")
        return self
