"""The one place where work leaves this process: joblib, on all cores or on a cluster.

Whatever does the work, the same tasks give the same results; only their order of arrival differs. Short tasks travel in batches of
a second or more, and the tasks of a process that dies are done again by another one.
"""

from __future__ import annotations

import math
import os
import signal
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config

from meshsim.errors import SeamError
from meshsim.experiments import cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

SHORTEST_BATCH_S = 1.0
MOST_DEATHS = 3
"""So often may worker processes die without one task done in between."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Where tasks are done."""

    jobs: int | None = None
    """Processes on this machine; None for one on each core. 1 works in this process."""
    scheduler: str | None = None
    """Address of a Dask scheduler, such as `tcp://host:8786`; None for this machine."""

    def stream(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Each task with its outcome, as they come.

        Args:
            work: A function at the top level of a module, so that it can travel.
            tasks: No two of them equal.

        Raises:
            SeamError: There is no such scheduler, or the processes keep dying.
        """
        if not tasks:
            return
        if self.scheduler is not None:
            with cluster.connected(self.scheduler) as connected, parallel_config(backend="dask"):
                yield from _Stream(work, connected.cores, connected.check).results(tasks)
        elif (jobs := min(self.jobs or cpu_count(), len(tasks))) == 1:
            for task in tasks:
                yield task, work(task)
        else:
            with parallel_config(backend="loky", initializer=_leave_interrupts_to_the_parent, inner_max_num_threads=1):
                yield from _Stream(work, jobs).results(tasks)


@dataclass
class _Stream(Generic[Task, Outcome]):
    """Tasks on their way through joblib."""

    work: Callable[[Task], Outcome]
    jobs: int
    check: Callable[[], None] = lambda: None
    """Raises when there is nobody any more who does the work."""
    seconds: list[float] = field(default_factory=list)
    """How long the latest tasks took, each."""

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Each task with its outcome; what a dead process had in hand is done again."""
        left = dict(enumerate(tasks))
        deaths = 0
        while left:
            try:
                with _quiet(), self._parallel(left) as finished:
                    for batch in finished:
                        self.check()
                        for number, seconds, outcome in batch:
                            self.seconds = [*self.seconds[-9:], seconds]
                            deaths = 0
                            yield left.pop(number), outcome
                self.check()
            except BrokenProcessPool:  # loky's TerminatedWorkerError is one
                deaths += 1
                if deaths > MOST_DEATHS:
                    raise SeamError(
                        f"worker processes died {deaths} times in a row, as they do when memory runs out; try fewer --jobs"
                    ) from None

    @contextmanager
    def _parallel(self, left: dict[int, Task]) -> Iterator[Iterator[list[tuple[int, float, Outcome]]]]:
        """Batches of outcomes as they come; what is not done is called off at the end."""
        parallel = Parallel(n_jobs=self.jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        stream = parallel(delayed(_do)(self.work, batch) for batch in self._batches(dict(left)))
        try:
            yield stream
        finally:
            stream.close()

    def _batches(self, left: dict[int, Task]) -> Iterator[list[tuple[int, Task]]]:
        """Tasks in batches of a second or more, single ones while it is not known how long they take."""
        waiting = list(left.items())
        while waiting:
            typical_s = sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else SHORTEST_BATCH_S
            size = min(math.ceil(SHORTEST_BATCH_S / max(typical_s, 1e-3)), max(1, len(waiting) // (2 * self.jobs)))
            yield waiting[:size]
            del waiting[:size]


def _do(work: Callable[[Task], Outcome], batch: list[tuple[int, Task]]) -> list[tuple[int, float, Outcome]]:
    """In the worker: the number, the duration and the outcome of each task."""
    done = []
    for number, task in batch:
        began_s = time.monotonic()
        outcome = work(task)
        done.append((number, time.monotonic() - began_s, outcome))
    return done


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches all processes of a terminal; the parent alone decides what becomes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without joblib's and loky's remarks on what is handled here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(worker stopped while some jobs|resource_tracker).*")
        os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
        yield
