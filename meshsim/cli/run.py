"""The command `run`: one variant, once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from meshsim.cli.application import CROSSED, INTERRUPTED, WRONG_SCENARIO, app, on_console, print_result, tell, told
from meshsim.cli.options import (
    DurationOption,
    OutOption,
    QuietOption,
    RunOutput,
    ScenarioFile,
    SeedOption,
    SetOption,
    VariantOption,
)
from meshsim.errors import UnitError, printable
from meshsim.units import parse_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.experiments.result import Result
    from meshsim.experiments.run import Experiment

MOST_WARNINGS = 5
"""How many a run repeats."""


@app.command()
def run(
    file: ScenarioFile,
    *,
    output: Annotated[RunOutput, typer.Option("-o", "--output", help="How to show the result.")] = RunOutput.TABLE,
    seed: SeedOption = None,
    settings: SetOption = None,
    variant: VariantOption = None,
    duration: DurationOption = None,
    out: OutOption = None,
    records: Annotated[
        str | None, typer.Option(metavar="all|none|10%", help="Which requests leave records; the summary is the same.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Simulate a scenario and judge its thresholds.

    What `meshsim check` warns of is repeated on standard error, and stands in the JSON. Exits with 99 where a threshold is crossed
    and with 104 where the scenario is wrong.
    """
    share = None if records is None else _share(records)
    with told():
        from meshsim.experiments.run import load

        experiment = load(file, variant=variant, set=settings or (), duration=duration)
        warnings = experiment.warnings
        if not quiet:
            _warn(warnings, file)
        result = _with_progress(experiment, seed, out, share, quiet=quiet)
        print_result(_shown(experiment, result, output, warnings))
        if result.why_ended:
            tell(f"ended: {result.why_ended}; what was simulated until then is kept in {result.directory}")
            raise typer.Exit(WRONG_SCENARIO)
        if result.interrupted:
            tell(f"interrupted: what was simulated until then is kept in {result.directory}")
            raise typer.Exit(INTERRUPTED)
        if not result.passed:
            raise typer.Exit(CROSSED)


def _with_progress(experiment: Experiment, seed: int | None, out: str | None, share: float | None, *, quiet: bool) -> Result:
    """Run, with a bar on standard error where somebody looks at it."""
    target = out or experiment.directory(seed)
    if quiet or not sys.stderr.isatty():
        return experiment.run(seed=seed, out=target, records=share)
    from meshsim.report.progress import progress_bar

    with progress_bar(experiment.plan.duration_ns) as progress:
        return experiment.run(seed=seed, out=target, records=share, progress=progress)


def _warn(warnings: Sequence[str], file: str) -> None:
    """Repeat the first of the warnings, before anybody waits for figures that they are about."""
    for warning in warnings[:MOST_WARNINGS]:
        tell(f"warning: {warning}", prefix="")
    if len(warnings) > MOST_WARNINGS:
        tell(f"and {len(warnings) - MOST_WARNINGS} more; meshsim check {file} says all", prefix="")


def _shown(experiment: Experiment, result: Result, output: RunOutput, warnings: Sequence[str]) -> str:
    if output is RunOutput.JSON:
        from meshsim.report.machine import as_json

        return as_json(result, warnings)
    from meshsim.report.terminal import heading, show

    return on_console(lambda console: show(console, heading(experiment, result), result.summary(), result.verdicts))


def _share(text: str) -> float:
    """Share of the requests that leave records."""
    if text in {"all", "none"}:
        return 1.0 if text == "all" else 0.0
    try:
        return parse_share(text)
    except UnitError as error:
        raise typer.BadParameter(
            f"{printable(str(error))}; write all, none, or a share such as 10%", param_hint="--records"
        ) from None
