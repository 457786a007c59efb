"""One replication: a plan in, the files of its figures out. This is what travels to other processes and machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.engines import reference
from meshsim.errors import LimitError
from meshsim.experiments.observer import Observer
from meshsim.experiments.watch import Watch, available_bytes
from meshsim.plan.fault_times import drawn

if TYPE_CHECKING:
    from meshsim.engines.reference import Progress
    from meshsim.plan import Plan


@dataclass(frozen=True, slots=True)
class Task:
    """One replication of one point."""

    folder: str
    """Of the point, in the directory of the comparison."""
    plan: Plan
    seed: int
    replication: int
    is_limited: bool = True
    """Whether a replication is ended that would take more than can be had."""


def replicate(task: Task) -> dict[str, bytes]:
    """The files of a replication by name: the same bytes wherever it is done.

    Raises:
        LimitError: It would have taken more than can be had.
    """
    plan = drawn(task.plan, task.seed, task.replication)
    observer = Observer(plan)
    watch = Watch(task.plan, available_bytes()) if task.is_limited else None
    why_ended = ""

    def on_progress(now: Progress) -> bool:
        nonlocal why_ended
        why_ended = "" if watch is None else watch.why_end(now)
        return not why_ended

    end = reference.run(plan, task.seed, task.replication, observer.sinks, on_progress)
    if why_ended and not end.is_over:
        raise LimitError(f"replication {task.replication} of {task.folder} was ended: {why_ended}")
    return observer.files(end.now_ns)
