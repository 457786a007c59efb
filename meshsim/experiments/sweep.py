"""Run a scenario at many points: its `matrix:`, or ranges given on the spot.

import meshsim as ms
sweep = ms.sweep("scenario.yaml", vary=["load.shoppers.rate=100/s..800/s:100/s"])
sweep.to_frame()        # pandas: one row for each point
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from meshsim.errors import ScenarioError, UsageError
from meshsim.experiments.campaign import Point
from meshsim.experiments.compare import with_duration
from meshsim.experiments.run import load
from meshsim.experiments.seam import Seam
from meshsim.experiments.study import planned
from meshsim.scenario.matrix import EXCLUDE, INCLUDE, MOST_POINTS, VARIANT, parse_vary, points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.experiments.campaign import HowFar
    from meshsim.experiments.study import Study
    from meshsim.experiments.sweep_result import Sweep


def sweep(
    scenario: str | Path | Mapping[str, Any],
    vary: Sequence[str] | Mapping[str, Sequence[Any]] = (),
    *,
    variant: str | None = None,
    set: Sequence[str] = (),  # noqa: A002 — the word of the command line
    duration: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    figures: Sequence[str] = (),
    jobs: int | None = None,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[HowFar], None] | None = None,
) -> Sweep:
    """Run every combination of some settings, all under the same random numbers.

    Args:
        scenario: Path of a file, or its content as a mapping.
        vary: Axes as `path=a..b:step` or `path=a,b,c`, or as lists of values by path. They take the place of the axes of the same
            name in the scenario's `matrix:` and come after its others. `variant` is an axis too.
        variant: Name of one of its variants, for all points.
        set: Settings to change in all points, each as `path=value`.
        duration: Length of the run, such as `"2m"`.
        seed: Root of all draws; the scenario's own where None.
        replications: Of each point; the scenario's `run.replications` where None.
        figures: What is measured; what the thresholds are about and the usual ones where empty.
        jobs: Processes on this machine; one on each core where None.
        scheduler: Address of a Dask scheduler, in place of processes on this machine.
        out: The directory to write; None for a temporary one that goes when the sweep does.
        resume: Go on from what an interrupted sweep has left in `out`.
        progress: Called after each replication with how far it has come.

    Raises:
        ScenarioError: With every mistake in the file, in a path or in a value.
        UsageError: There is nothing to vary.
        ResultError: There is no place for the directory, or something else in it.
        SeamError: There is no such scheduler, or the processes keep dying.
    """
    study = plan_sweep(
        scenario,
        vary,
        variant=variant,
        changes=with_duration(set, duration),
        seed=seed,
        replications=replications,
        figures=figures,
    )
    seam = Seam(jobs, scheduler)
    swept = study.run(out=None if out is None else Path(out), resume=resume, seam=seam, progress=progress)
    return cast("Sweep", swept)


def plan_sweep(
    scenario: str | Path | Mapping[str, Any],
    vary: Sequence[str] | Mapping[str, Sequence[Any]] = (),
    *,
    variant: str | None = None,
    changes: Sequence[str] = (),
    seed: int | None = None,
    replications: int | None = None,
    figures: Sequence[str] = (),
    repeat: str = "",
) -> Study:
    """What `sweep` will do; see there."""
    base = load(scenario, variant=variant, set=changes)
    matrix: dict[str, Any] = dict(base.scenario.matrix)
    is_text = not isinstance(vary, Mapping)
    given = vary if isinstance(vary, Mapping) else dict(parse_vary(one) for one in vary)
    matrix |= {path: list(values) for path, values in given.items()}
    combinations = points(matrix)
    if not combinations:
        raise UsageError("nothing to sweep: write a `matrix:`, or give --vary path=from..to:step")
    if len(combinations) > MOST_POINTS:
        raise UsageError(f"{len(combinations):,} points; a sweep has {MOST_POINTS:,} at most")
    found, mistakes = [], []
    for number, settings in enumerate(combinations):
        named = settings.get(VARIANT, variant)
        written = {path: _written(value, is_text=is_text and path in given) for path, value in settings.items()}
        sets = [f"{path}={text}" for path, text in written.items() if path != VARIANT]
        try:
            experiment = load(scenario, variant=named, set=[*changes, *sets])
        except ScenarioError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
            continue
        shown = {path: str(value) if isinstance(value, str) else written[path] for path, value in settings.items()}
        name = ", ".join(f"{path}={text}" for path, text in shown.items())
        found.append(Point(name, f"point-{number:04d}", experiment, shown))
    if mistakes:
        raise ScenarioError(mistakes)
    axes = [path for path in matrix if path not in {INCLUDE, EXCLUDE}]
    axes += [path for point in found for path in point.settings if path not in axes]
    return planned("sweep", found, seed, replications, figures, axes=list(dict.fromkeys(axes)), repeat=repeat)


def _written(value: Any, *, is_text: bool) -> str:
    """A value as `--set` reads it."""
    return str(value) if is_text else json.dumps(value)
