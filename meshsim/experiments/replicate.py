"""One replication: a plan in, the files of its figures out. This is what travels to other processes and machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.engines import reference
from meshsim.experiments.observer import Observer

if TYPE_CHECKING:
    from meshsim.plan import Plan


@dataclass(frozen=True, slots=True)
class Task:
    """One replication of one point."""

    folder: str
    """Of the point, in the directory of the comparison."""
    plan: Plan
    seed: int
    replication: int


def replicate(task: Task) -> dict[str, bytes]:
    """The files of a replication by name: the same bytes wherever it is done."""
    observer = Observer(task.plan)
    end = reference.run(task.plan, task.seed, task.replication, observer.sinks)
    return observer.files(end.now_ns)
