"""Keys of rollouts: new versions whose pods take a tenth of a second to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keys_measures as measure
from keys_worlds import Section, back_is, mesh_world
from rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim import Result

AT = {"at": "300ms"}


def rolled(figure: str) -> Callable[[Result], float]:
    """A figure of the first rollout of the back; 0 where it has none."""
    return lambda result: float(next((getattr(one, figure) for one in result.summary().rollouts), 0.0) or 0.0)


def world(*rollouts: Section, **back: Any) -> Section:
    """Four pods of the back, and new versions of it."""
    return mesh_world(back={"replicas": 4, "startup_time": "100ms", **({"rollouts": list(rollouts)} if rollouts else {}), **back})


def bounds(**settings: Any) -> Section:
    return back_is(strategy={"rolling_update": settings})


ROWS = [
    Row("ServiceSection.rollouts", world(), {}, back_is(rollouts=[AT]), rolled("pods_most"), "more"),
    Row("ServiceSection.strategy", world(AT), {}, back_is(strategy={"type": "Recreate"}), measure.failures, "more"),
    Row("ServiceSection.min_ready", world(AT), {}, back_is(min_ready="50ms"), rolled("duration_s"), "more"),
    Row("StrategySection.type", world(AT), {}, back_is(strategy={"type": "Recreate"}), rolled("available_least"), "less"),
    Row("StrategySection.rolling_update", world(AT), {}, bounds(max_surge="100%"), rolled("pods_most"), "more"),
    Row("RollingUpdateSection.max_surge", world(AT), {}, bounds(max_surge=3), rolled("duration_s"), "less"),
    Row("RollingUpdateSection.max_unavailable", world(AT), {}, bounds(max_unavailable=0), rolled("available_least"), "more"),
    Row("RolloutStep.at", world(AT), {}, back_is(rollouts=[{"at": "500ms"}]), rolled("began_s"), "more"),
    Row("RolloutStep.slow", world(AT), {}, back_is(rollouts=[{**AT, "slow": 3}]), measure.latency, "more"),
    Row("RolloutStep.errors", world(AT), {}, back_is(rollouts=[{**AT, "errors": "50%"}]), measure.failures, "more"),
    Row("RolloutStep.startup_time", world(AT), {}, back_is(rollouts=[{**AT, "startup_time": "200ms"}]), rolled("duration_s"), "more"),
    Row("RolloutStep.ready", world(AT), {}, back_is(rollouts=[{**AT, "ready": False}]), rolled("updated"), "less"),
    Row(
        "RolloutStep.undo", world({**AT, "errors": "100%"}, {"at": "600ms"}), {},
        back_is(rollouts=[{**AT, "errors": "100%"}, {"at": "600ms", "errors": "100%"}, {"at": "610ms", "undo": True}]),
        measure.failures, "more",
    ),
]  # fmt: skip
