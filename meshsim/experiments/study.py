"""What is to be done with some points: how often, how precisely, and where it is kept."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshsim.errors import UnitError, UsageError, did_you_mean
from meshsim.experiments.campaign import Campaign, HowFar, Point, Until
from meshsim.experiments.comparison import Comparison
from meshsim.experiments.default_figures import default_figures
from meshsim.experiments.places import FORMAT, RESULTS
from meshsim.experiments.run import ENGINE
from meshsim.experiments.store import IDENTITY, Store
from meshsim.experiments.sweep_result import Sweep
from meshsim.scenario.figure import parse_figure, parse_gate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.experiments.seam import Seam
    from meshsim.scenario.sections.model import RunSection

CONFIDENCE = 0.95
GATEWAY = "(gateway)"


@dataclass(frozen=True)
class Study:
    """What is to be done with some points, and where it is kept."""

    kind: str
    points: Sequence[Point]
    seed: int
    replications: int
    until: Until | None
    figures: Sequence[str]
    gates: Sequence[str] = ()
    axes: Sequence[str] = ()
    repeat: str = ""

    def run(self, *, out: Path | None, resume: bool, seam: Seam, progress: Callable[[HowFar], None] | None) -> Comparison:
        """Do it.

        Args:
            out: The directory to write; None for a temporary one that goes when the comparison does.
            resume: Go on from what an interrupted run has left.
            seam: Where the work is done.
            progress: Called after each replication.
        """
        temporary = Path(tempfile.mkdtemp(prefix="meshsim-")) if out is None else None
        store = Store(temporary / "comparison" if temporary is not None else Path(out or "."), self._manifest(0), resume=resume)
        try:
            for point in self.points:
                store.write_scenario(point.folder, point.experiment.loaded.text)
            campaign = Campaign(self.points, self.seed, store, seam, CONFIDENCE, progress or (lambda _: None))
            count = campaign.run(self.replications, self.until)
            directory = store.publish(self._manifest(count))
        except BaseException:
            store.close()
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise
        kind = Sweep if self.kind == "sweep" else Comparison
        comparison = kind(directory, self._manifest(count))
        if temporary is not None:
            weakref.finalize(comparison, shutil.rmtree, temporary, ignore_errors=True)
        return comparison

    def directory(self) -> Path:
        """Where it goes by default: the same study always to the same place."""
        return RESULTS / self.points[0].experiment.scenario.name / f"{self.kind}-seed-{self.seed}-{self._digest()[:8]}"

    def _digest(self) -> str:
        content = json.dumps([[point.folder, point.name, point.experiment.loaded.digest] for point in self.points])
        return hashlib.sha256(content.encode()).hexdigest()

    def _manifest(self, replications: int) -> dict[str, Any]:
        """All that is needed to repeat it, and to know what belongs to it."""
        first = self.points[0].experiment
        libraries = ("meshsim", "simpy", "numpy", "scipy", "pyarrow", "pydantic")
        until = None
        if self.until is not None:
            until = {
                "metrics": [str(figure) for figure in self.until.figures],
                "relative_error": self.until.relative_error,
                "max_replications": self.until.max_replications,
            }
        return {
            "format": FORMAT,
            "kind": self.kind,
            "scenario": first.scenario.name,
            "description": first.scenario.description.strip(),
            "digest": self._digest(),
            IDENTITY: {"digest": self._digest(), "seed": self.seed, "meshsim": metadata.version("meshsim"), "engine": ENGINE},
            "points": [
                {
                    "name": point.name,
                    "folder": point.folder,
                    "file": point.experiment.loaded.file,
                    "variant": point.experiment.loaded.variant,
                    "set": list(point.experiment.loaded.changes),
                    "settings": dict(point.settings),
                    "digest": point.experiment.loaded.digest,
                    "data_files": dict(point.experiment.loaded.data_files),
                }
                for point in self.points
            ],
            "axes": list(self.axes),
            "seed": self.seed,
            "replications": replications,
            "until": until,
            "confidence": CONFIDENCE,
            "figures": list(self.figures),
            "gates": list(self.gates),
            "engine": ENGINE,
            "duration_s": first.plan.duration_ns / 1e9,
            "warm_up_s": first.plan.warm_up_ns / 1e9,
            "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in libraries}},
            "repeat": self.repeat,
        }


def planned(
    kind: str,
    points: Sequence[Point],
    seed: int | None,
    replications: int | None,
    figures: Sequence[str],
    gates: Sequence[str] = (),
    *,
    axes: Sequence[str] = (),
    repeat: str = "",
) -> Study:
    """A study of some points, figures and gates checked.

    Raises:
        UsageError: A figure or gate cannot be asked for.
    """
    run = points[0].experiment.scenario.run
    until = _until(run) if replications is None else None
    try:
        wanted = [str(parse_figure(text)) for text in figures]
        gated = [parse_gate(text) for text in gates]
    except UnitError as error:
        raise UsageError(str(error)) from None
    replications = run.replications if replications is None else replications
    if replications < 1:
        raise UsageError("at least one replication is needed")
    if gates and replications < 2:
        raise UsageError("a gate needs an interval, and one replication has none: ask for --replications 2 or more")
    shown = wanted or [str(figure) for figure in default_figures([point.experiment for point in points[:8]])]
    shown += [str(gate.figure) for gate in gated if str(gate.figure) not in shown]
    for point in points:
        _check_labels(shown, point)
    texts = [gate.text for gate in gated]
    return Study(kind, points, run.seed if seed is None else seed, replications, until, shown, texts, axes, repeat)


def _until(run: RunSection) -> Until | None:
    if run.until is None:
        return None
    figures = tuple(parse_figure(text) for text in run.until.metrics)
    return Until(figures, run.until.relative_error, run.until.max_replications)


def _check_labels(figures: Sequence[str], point: Point) -> None:
    """Raise `UsageError` where a name in a label does not exist: a typo would be a figure of nothing."""
    names = point.experiment.plan.names
    known = {"route": names.routes, "service": (*names.services, GATEWAY), "source": names.sources, "consumer": names.consumers}
    for text in figures:
        for label, name in parse_figure(text).selector.labels.items():
            if label in known and name not in known[label]:
                raise UsageError(f"{text}: {point.name} has no {label} '{name}'{did_you_mean(name, known[label])}")
