"""The commands `compare`, `sweep` and `report`."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshsim.cli.application import CROSSED, app, on_console, print_result, tell, told
from meshsim.cli.options import (
    ComparisonOutput,
    DurationOption,
    FigureOption,
    JobsOption,
    OutOption,
    Output,
    QuietOption,
    ReplicationsOption,
    ReportOption,
    ResumeOption,
    SchedulerOption,
    SeedOption,
    SetOption,
    VariantOption,
)
from meshsim.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshsim.experiments.campaign import HowFar
    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.seam import Seam
    from meshsim.experiments.study import Study


@app.command()
def compare(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="One scenario with variants, or several scenarios.")],
    *,
    output: ComparisonOutput = Output.TABLE,
    variants: Annotated[
        list[str] | None,
        typer.Option("--variant", metavar="NAME", help="Only this one; as often as you like, the first is the baseline."),
    ] = None,
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", metavar="GATE", help="How much a figure may change, such as 'latency{route:checkout}:p99<=+5%'."),
    ] = None,
    figures: FigureOption = None,
    replications: ReplicationsOption = None,
    seed: SeedOption = None,
    settings: SetOption = None,
    duration: DurationOption = None,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    out: OutOption = None,
    resume: ResumeOption = False,
    report: ReportOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare variants, or scenarios, under the same requests.

    Each figure comes with its interval over independent replications, and each difference to the first with an interval of its
    own. Exits with 99 where a gate is crossed, or where no variant holds all its thresholds.
    """
    with told(_what_is_kept):
        from meshsim.experiments.compare import plan_comparison, with_duration

        common: dict[str, object] = {
            "--set": settings, "--duration": duration, "--seed": seed, "--replications": replications, "--figure": figures
        }  # fmt: skip
        study = plan_comparison(
            files, variants=variants, changes=with_duration(settings or (), duration), seed=seed, replications=replications,
            figures=figures or (), gates=gates or (), repeat=_command("compare", files, {**common, "--variant": variants, "--gate": gates}),
        )  # fmt: skip
        comparison = _done(study, _seam(jobs, scheduler), out, resume=resume, quiet=quiet)
        _show(comparison, output, report=report)
        if not comparison.passed:
            raise typer.Exit(CROSSED)


@app.command()
def sweep(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The scenario.")],
    *,
    output: ComparisonOutput = Output.TABLE,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="PATH=A..B:STEP", help="An axis, or path=a,b,c; as often as you like. Beside the `matrix:`."
        ),
    ] = None,
    variant: VariantOption = None,
    figures: FigureOption = None,
    replications: ReplicationsOption = None,
    seed: SeedOption = None,
    settings: SetOption = None,
    duration: DurationOption = None,
    jobs: JobsOption = None,
    scheduler: SchedulerOption = None,
    out: OutOption = None,
    resume: ResumeOption = False,
    report: ReportOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a scenario at every point of its `matrix:`, or of the ranges that --vary gives.

    All points meet the same requests and have the same replications.
    """
    with told(_what_is_kept):
        from meshsim.experiments.compare import with_duration
        from meshsim.experiments.sweep import plan_sweep

        common: dict[str, object] = {
            "--set": settings, "--duration": duration, "--seed": seed, "--replications": replications, "--figure": figures
        }  # fmt: skip
        study = plan_sweep(
            file, vary or (), variant=variant, changes=with_duration(settings or (), duration), seed=seed,
            replications=replications, figures=figures or (), repeat=_command("sweep", [file], {**common, "--vary": vary, "--variant": variant}),
        )  # fmt: skip
        comparison = _done(study, _seam(jobs, scheduler), out, resume=resume, quiet=quiet)
        _show(comparison, output, report=report)


@app.command()
def report(
    directories: Annotated[list[str], typer.Argument(metavar="RESULTS...", help="What compare, sweep or run has written.")],
    *,
    target: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to: .html, .pdf, .md or .xml (JUnit); report.html in the first if not given.",
        ),
    ] = None,
) -> None:
    """Write the report for a design review: one file that needs no network."""
    with told():
        from meshsim.experiments.open import open_results
        from meshsim.report.write import write_report

        comparison = open_results([Path(one) for one in directories])
        path = write_report(comparison, Path(target) if target else Path(directories[0]) / "report.html")
        print_result(f"{path}\n")


_STUDY: list[tuple[Study, Path]] = []
"""What is being done, for the words after Ctrl-C."""


def _done(study: Study, seam: Seam, out: str | None, *, resume: bool, quiet: bool) -> Comparison:
    """Do it, with a bar on standard error where somebody looks at it."""
    target = Path(out) if out else study.directory()
    _STUDY[:] = [(study, target)]
    with _progress(quiet=quiet) as progress:
        return study.run(out=target, resume=resume, seam=seam, progress=progress)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[HowFar], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from meshsim.report.progress import campaign_bar

    with campaign_bar() as progress:
        yield progress


def _show(comparison: Comparison, output: Output, *, report: bool) -> None:
    print_result(_shown(comparison, output))
    if report:
        from meshsim.report.write import write_report

        path = write_report(comparison, comparison.directory / "report.html")
        if output is Output.TABLE:
            print_result(f"Report: {printable(str(path))}\n")
        else:
            tell(f"report: {path}")


def _shown(comparison: Comparison, output: Output) -> str:
    match output:
        case Output.JSON:
            from meshsim.report.machine import comparison_as_json

            return comparison_as_json(comparison)
        case Output.MARKDOWN:
            from meshsim.report.page import markdown

            return markdown(comparison)
        case Output.JUNIT:
            from meshsim.report.page import junit

            return junit(comparison)
    from meshsim.report.comparison import show

    return on_console(lambda console: show(console, comparison))


def _seam(jobs: int | None, scheduler: str | None) -> Seam:
    from meshsim.experiments.seam import Seam

    return Seam(jobs, scheduler)


def _what_is_kept() -> str:
    """Of work that did not come to its end."""
    from meshsim.experiments.store import Store

    for _, target in _STUDY:
        if count := Store.kept(target):
            return f"{count} are kept in {Store.partial_of(target)}; the same command with --resume goes on from there"
    return ""


def _command(name: str, files: list[str], options: dict[str, object]) -> str:
    """The command that gives the same figures again: without what only says where and how it is done."""
    words = ["meshsim", name, *files]
    for option, value in options.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            words += [option, str(one)]
    return shlex.join(words)
