"""Compare variants, or scenarios, under the same requests.

import meshsim as ms
comparison = ms.compare("scenarios/checkout-brownout.yaml")
comparison.table()      # pandas: each figure with its interval, and each difference with its own
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshsim.errors import ScenarioError, UsageError
from meshsim.experiments.campaign import HowFar, Point
from meshsim.experiments.run import Experiment, load
from meshsim.experiments.seam import Seam
from meshsim.experiments.study import planned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.study import Study

BASE = "base"
"""What the scenario as it stands is called among its variants."""


def compare(
    *scenarios: str | Path | Mapping[str, Any] | Experiment,
    variants: Sequence[str] | None = None,
    set: Sequence[str] = (),  # noqa: A002 — the word of the command line
    duration: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    figures: Sequence[str] = (),
    gates: Sequence[str] = (),
    jobs: int | None = None,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[HowFar], None] | None = None,
) -> Comparison:
    """Run variants under common random numbers, with independent replications.

    Args:
        scenarios: One scenario, whose variants are compared (with the scenario as it stands, where there is only one), or several
            that are compared as they stand. The first is the baseline.
        variants: Of the one scenario, which and in which order; `base` is the scenario as it stands.
        set: Settings to change in all of them, each as `path=value`.
        duration: Length of the run, such as `"2m"`.
        seed: Root of all draws; the first scenario's own where None.
        replications: Of each variant; the first scenario's `run.replications` where None.
        figures: What the table shows, such as `"latency{route:checkout}:p99"`; what the thresholds are about and the usual ones
            where empty.
        gates: How much figures may change, such as `"latency{route:checkout}:p99<=+5%"`.
        jobs: Processes on this machine; one on each core where None.
        scheduler: Address of a Dask scheduler, in place of processes on this machine.
        out: The directory to write; None for a temporary one that goes when the comparison does.
        resume: Go on from what an interrupted comparison has left in `out`.
        progress: Called after each replication with how far it has come.

    Raises:
        ScenarioError: With every mistake in the files and its place.
        UsageError: There is nothing to compare, or a figure or gate that cannot be asked for.
        ResultError: There is no place for the directory, or something else in it.
        SeamError: There is no such scheduler, or the processes keep dying.
    """
    study = plan_comparison(
        scenarios, variants=variants, changes=with_duration(set, duration), seed=seed, replications=replications,
        figures=figures, gates=gates,
    )  # fmt: skip
    return study.run(out=None if out is None else Path(out), resume=resume, seam=Seam(jobs, scheduler), progress=progress)


def plan_comparison(
    scenarios: Sequence[str | Path | Mapping[str, Any] | Experiment],
    *,
    variants: Sequence[str] | None = None,
    changes: Sequence[str] = (),
    seed: int | None = None,
    replications: int | None = None,
    figures: Sequence[str] = (),
    gates: Sequence[str] = (),
    repeat: str = "",
) -> Study:
    """What `compare` will do; see there."""
    if not scenarios:
        raise UsageError("nothing to compare: name a scenario")
    if len(scenarios) > 1 and variants:
        raise UsageError("--variant chooses among the variants of one file; several files are compared as they stand")
    points = _of_variants(scenarios[0], variants, changes) if len(scenarios) == 1 else _of_files(scenarios, changes)
    currencies = sorted(
        {point.experiment.scenario.cost.currency for point in points if point.experiment.scenario.cost is not None}
    )
    if len(currencies) > 1:
        raise UsageError(
            f"costs in {' and '.join(currencies)} cannot be compared; write all prices in one currency (cost.currency)"
        )
    return planned("comparison", points, seed, replications, figures, gates, repeat=repeat)


def _of_variants(
    scenario: str | Path | Mapping[str, Any] | Experiment, variants: Sequence[str] | None, changes: Sequence[str]
) -> list[Point]:
    if isinstance(scenario, Experiment):
        raise UsageError("nothing to compare: give two experiments or more, or a scenario with variants")
    base = load(scenario, set=changes)
    names = list(variants or base.loaded.names)
    if not names:
        raise UsageError(f"nothing to compare: {base.loaded.file} has no `variants:`; write some, or name a second file")
    if len(names) == 1 and names[0] != BASE:
        names.insert(0, BASE)
    if len(set(names)) < len(names) or len(names) < 2:
        raise UsageError("nothing to compare: name different variants")
    return [Point(name, name, base if name == BASE else load(scenario, variant=name, set=changes)) for name in names]


def _of_files(scenarios: Sequence[str | Path | Mapping[str, Any] | Experiment], changes: Sequence[str]) -> list[Point]:
    experiments, mistakes = [], []
    for one in scenarios:
        try:
            experiments.append(one if isinstance(one, Experiment) else load(one, set=changes))
        except ScenarioError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if mistakes:
        raise ScenarioError(mistakes)
    names = _names(experiments)
    return [
        Point(name, f"{number}-{name}", experiment)
        for number, (name, experiment) in enumerate(zip(names, experiments, strict=True))
    ]


def _names(experiments: Sequence[Experiment]) -> list[str]:
    """A name for each: of its variant, its file, or its scenario, whichever comes first to tell them apart."""
    choices: list[list[str]] = [
        [experiment.variant for experiment in experiments],
        [Path(experiment.loaded.file).stem for experiment in experiments],
        [experiment.scenario.name for experiment in experiments],
    ]
    for names in choices:
        if len(set(names)) == len(names):
            return names
    count = Counter(choices[1])
    return [name if count[name] == 1 else f"{name}-{number + 1}" for number, name in enumerate(choices[1])]


def with_duration(settings: Sequence[str], duration: str | None) -> list[str]:
    """The settings, and the length of the run among them."""
    return [*settings, *([f"run.duration={duration}"] if duration else [])]
