"""Run points with replications until all are there, or until they are precise enough."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from meshsim.experiments.replicate import Task, replicate
from meshsim.experiments.replications import Replications
from meshsim.experiments.store import folder_of
from meshsim.statistics.precision import replications_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from meshsim.experiments.run import Experiment
    from meshsim.experiments.seam import Seam
    from meshsim.experiments.store import Store
    from meshsim.scenario.figure import Figure


@dataclass(frozen=True)
class Point:
    """One thing that is simulated: a variant, a file, a combination of a matrix."""

    name: str
    """For people."""
    folder: str
    """In the directory of the comparison."""
    experiment: Experiment
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of a sweep: the value of each axis, as it was written."""


@dataclass(frozen=True, slots=True)
class Until:
    """When figures are precise enough."""

    figures: tuple[Figure, ...]
    relative_error: float
    max_replications: int


@dataclass(frozen=True, slots=True)
class HowFar:
    """How far a campaign has come."""

    done: int
    """Replications of all points."""
    planned: int
    """As far as is known: less precise figures than asked for bring more."""
    precision: float | None = None
    """Largest half width, as a share of its figure, of the intervals that `until` is about; None before the first look."""
    wanted: float | None = None
    """The precision that was asked for."""


class Listener(Protocol):
    """Whoever shows how far it has come."""

    def __call__(self, now: HowFar) -> None:
        """Called after each replication."""
        ...


@dataclass
class Campaign:
    """All replications of all points, kept as they come."""

    points: Sequence[Point]
    seed: int
    store: Store
    seam: Seam
    confidence: float
    on_progress: Callable[[HowFar], None] = lambda _: None
    _precision: float | None = None

    def run(self, replications: int, until: Until | None = None) -> int:
        """Do what is missing.

        How many replications there will be depends on the figures alone, not on who did them in which order; all points get
        the same number, so that they can be compared pair by pair.

        Args:
            replications: Of each point, at least.
            until: Add more until the figures are so precise.

        Returns:
            How many replications each point has.
        """
        while True:
            self._add_missing(replications, until)
            if until is None or (wanted := self._wanted(replications, until)) <= replications:
                return replications
            replications = wanted

    def _add_missing(self, replications: int, until: Until | None) -> None:
        tasks = [
            Task(point.folder, point.experiment.plan, self.seed, number, point.experiment.scenario.run.limits)
            for number in range(replications)  # all points of a replication before the next one: what is kept can be compared
            for point in self.points
            if not self.store.has(point.folder, number)
        ]
        planned = replications * len(self.points)
        done = planned - len(tasks)
        wanted = None if until is None else until.relative_error
        self.on_progress(HowFar(done, planned, self._precision, wanted))
        for task, files in self.seam.stream(replicate, tasks):
            self.store.add(task.folder, task.replication, files)
            done += 1
            self.on_progress(HowFar(done, planned, self._precision, wanted))

    def _wanted(self, replications: int, until: Until) -> int:
        """How many replications the widest of the intervals asks for."""
        wanted = replications
        widths = []
        for point in self.points:
            kept = Replications(tuple(folder_of(self.store.partial, point.folder, number) for number in range(replications)))
            for figure in until.figures:
                interval = kept.interval(figure, self.confidence)
                wanted = max(wanted, replications_wanted(interval, until.relative_error, replications, until.max_replications))
                if interval.half_width is not None and interval.value and math.isfinite(interval.half_width):
                    widths.append(interval.half_width / abs(interval.value))
        self._precision = max(widths, default=None)
        return min(wanted, until.max_replications)
