"""The Deployment of a service: its versions, and how they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, Revision, Rollouts
from meshsim.planning.faults import failing_of
from meshsim.scenario.sections.rollouts import StrategySection

if TYPE_CHECKING:
    from meshsim.planning.errors import Tables
    from meshsim.scenario.sections.rollouts import RolloutStep
    from meshsim.scenario.sections.services import ServiceSection

VERSIONS = 1 << 20
"""Numbers of errors of versions begin here, those of faults at 0: what strikes whom is drawn by number."""


def plan_rollouts(service: ServiceSection, tables: Tables) -> Rollouts | None:
    """What a Deployment is to do; None where there is one version only."""
    if not service.rollouts:
        return None
    steps = sorted(service.rollouts, key=lambda step: step.at)
    return Rollouts(
        strategy=(service.strategy or StrategySection()).chosen,
        min_ready_ns=service.min_ready,
        first=Revision(service.startup_time),
        changes=tuple((step.at, _revision(step, number, service, tables)) for number, step in enumerate(steps)),
    )


def _revision(step: RolloutStep, number: int, service: ServiceSection, tables: Tables) -> Revision | None:
    if step.undo:
        return None
    startup_ns = service.startup_time if step.startup_time is None else step.startup_time
    is_grpc = service.protocol == "grpc"
    return Revision(
        startup_ns=startup_ns if step.ready else NONE,
        slowness=1.0 if step.slow is None else float(step.slow),
        failing=None if step.errors is None else failing_of(step.errors, VERSIONS + number, tables, is_grpc=is_grpc),
    )
