"""`Engine = (Plan, seed, replication) -> Records`."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.engines.reference.model import Model
from meshsim.plan.fault_times import drawn
from meshsim.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.plan import Plan
    from meshsim.records import Sink


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    now_ns: int
    """Simulated time."""
    requests: int
    """Client requests that have started."""
    events: int
    is_over: bool
    """Whether nothing is left to happen."""
    planned_ns: int
    """Simulated time at which load ends."""
    live: int = 0
    """Tasks that are under way: requests, those that wait for them, and those that work on them."""


def run(
    plan: Plan,
    seed: int,
    replication: int,
    sinks: tuple[Sink, ...],
    on_progress: Callable[[Progress], bool] = lambda _: True,
) -> Progress:
    """Simulate a plan and hand its records to the sinks.

    Load arrives until the plan's duration; the run is over when the last request has ended and no instance works any more.

    Args:
        plan: What to simulate.
        seed: Root of all draws.
        replication: Number of the replication: another world under the same plan.
        sinks: Take the records in chunks; the last ones before this function returns.
        on_progress: Called every few thousand events; returns False to stop there, and what has been recorded is handed on.

    Returns:
        How far it came; `is_over` is False where it was stopped.
    """
    was_enabled = gc.isenabled()
    gc.disable()  # a model makes no garbage in cycles until it ends, and looking for some costs a tenth of the time
    try:
        recorder = Recorder(sinks)
        return _simulate(Model(drawn(plan, seed, replication), seed, replication, recorder), recorder, on_progress)
    finally:
        if was_enabled:
            gc.enable()


def _simulate(model: Model, recorder: Recorder, on_progress: Callable[[Progress], bool]) -> Progress:
    clock, planned_ns = model.clock, model.plan.duration_ns

    def progress() -> Progress:
        return Progress(int(clock.now_ns), model.requests.count, clock.events, clock.is_over, planned_ns, clock.live)

    def look() -> None:
        recorder.flush_full()
        if not on_progress(progress()):
            clock.is_stopped = True

    clock.run_all(look)
    model.finish()
    recorder.flush()
    return progress()
