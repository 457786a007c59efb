"""The command line: each command calls one public function and shows what it gives.

Standard output carries the result and nothing else; progress and complaints go to standard error. What a command needs is
imported inside it: this is the one place where that is done, and it keeps `meshsim --help` fast.

| exit code | meaning                                             |
|-----------|-----------------------------------------------------|
| 0         | done, and every threshold holds                     |
| 1         | something else went wrong, such as a full disk      |
| 2         | the command line is wrong                           |
| 99        | a threshold was crossed                             |
| 104       | the scenario is wrong                               |
| 130       | interrupted                                         |
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Never

import typer

from meshsim.errors import MeshsimError, ReplayError, ScenarioError, UnitError
from meshsim.units import parse_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.experiments.result import Result
    from meshsim.experiments.run import Experiment

FAILED = 1
MISUSED = 2
CROSSED = 99
WRONG_SCENARIO = 104
INTERRUPTED = 130
WIDTH_OF_A_FILE = 100
"""Columns of a table that does not go to a terminal and whose reader has not set COLUMNS."""

app = typer.Typer(
    name="meshsim",
    help="Know what your API gateway and service mesh settings will do under load and faults, before you deploy them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class Output(StrEnum):
    """How a result is shown."""

    TABLE = "table"
    JSON = "json"


ScenarioFile = Annotated[str, typer.Argument(metavar="FILE", help="The scenario, a YAML file.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a setting, such as mesh.traffic.payment.retries.num_retries=0; as often as you like.",
    ),
]
VariantOption = Annotated[str | None, typer.Option("--variant", metavar="NAME", help="Use one of the scenario's variants.")]
DurationOption = Annotated[str | None, typer.Option("--duration", metavar="TIME", help="How long load arrives, such as 2m.")]
OutputOption = Annotated[Output, typer.Option("-o", "--output", help="How to show the result.")]


def main() -> None:
    """Run the command line; the entry point of the package."""
    app(prog_name="meshsim")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 — typer calls it with the option's value
    if wanted:
        from importlib.metadata import version

        _print(f"meshsim {version('meshsim')}\n")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Know what your API gateway and service mesh settings will do under load and faults, before you deploy them."""


@app.command()
def run(
    file: ScenarioFile,
    *,
    output: OutputOption = Output.TABLE,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, metavar="N", help="Root of all chance; the scenario's own if not given.")
    ] = None,
    settings: SetOption = None,
    variant: VariantOption = None,
    duration: DurationOption = None,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Where to keep the records; results/... if not given.")] = None,
    records: Annotated[
        str | None, typer.Option(metavar="all|none|10%", help="Which requests leave records; the summary is the same.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress bar.")] = False,
) -> None:
    """Simulate a scenario and judge its thresholds.

    Exits with 99 where a threshold is crossed and with 104 where the scenario is wrong.
    """
    share = None if records is None else _share(records)
    with _told():
        from meshsim.experiments.run import load

        experiment = load(file, variant=variant, set=settings or (), duration=duration)
        result = _with_progress(experiment, seed, out, share, quiet=quiet)
        _print(_shown(experiment, result, output))
        if result.interrupted:
            _tell(f"interrupted: what was simulated until then is kept in {result.directory}")
            raise typer.Exit(INTERRUPTED)
        if not result.passed:
            raise typer.Exit(CROSSED)


@app.command()
def check(file: ScenarioFile, *, settings: SetOption = None, variant: VariantOption = None) -> None:
    """Find mistakes and surprises in a scenario.

    Exits with 104 where there are mistakes; warnings alone are no failure.
    """
    with _told():
        from meshsim.report.numbers import count
        from meshsim.scenario.advice import advice
        from meshsim.scenario.load import load

        found = load(file, variant=variant, set=settings or ())
        warnings = {str(warning): "" for warning in advice(found.scenario, found.places)}
        for name in () if variant else found.names:
            changed = load(file, variant=name, set=settings or ())
            for warning in advice(changed.scenario, changed.places):
                warnings.setdefault(str(warning), f" (variant {name})")
        lines = [f"{text}{where}\n" for text, where in warnings.items()]
        counts = f"{count(len(found.scenario.services), 'service')}, {count(len(found.names), 'variant')}"
        _print(f"{''.join(lines)}{file}: no mistakes, {count(len(lines), 'warning')} ({counts})\n")


@app.command()
def explain(field: Annotated[str, typer.Argument(metavar="FIELD", help="Such as per_try_timeout.")]) -> None:
    """Say what a setting means.

    With its default under each product, and the source of that.
    """
    with _told():
        from meshsim.scenario.explain import UnknownFieldError
        from meshsim.scenario.explain import explain as explanation

        try:
            _print(f"{explanation(field)}\n")
        except UnknownFieldError as error:
            _tell(str(error))
            raise typer.Exit(MISUSED) from None


@app.command()
def policies() -> None:
    """List the policies and their settings."""
    with _told():
        from meshsim.scenario.explain import policy_families

        _print("\n\n".join(str(family) for family in policy_families()) + "\n")


@app.command()
def schema() -> None:
    """Print the JSON Schema, for your editor."""
    with _told():
        import json

        from meshsim.scenario.schema import json_schema

        _print(json.dumps(json_schema(), indent=2) + "\n")


@contextmanager
def _told() -> Iterator[None]:
    """Turn what goes wrong into a sentence on standard error and an exit code."""
    try:
        yield
    except ScenarioError as error:
        _tell(str(error), prefix="")
        raise typer.Exit(WRONG_SCENARIO) from None
    except ReplayError as error:
        _tell(str(error), prefix="")
        raise typer.Exit(WRONG_SCENARIO) from None
    except MeshsimError as error:
        _fail(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}")
    except MemoryError:
        _fail("out of memory; `--records 10%` or `--records none` needs less")
    except KeyboardInterrupt:
        _tell("interrupted: nothing was kept")
        raise typer.Exit(INTERRUPTED) from None


def _with_progress(experiment: Experiment, seed: int | None, out: str | None, share: float | None, *, quiet: bool) -> Result:
    """Run, with a bar on standard error where somebody looks at it."""
    target = out or experiment.directory(seed)
    if quiet or not sys.stderr.isatty():
        return experiment.run(seed=seed, out=target, records=share)
    from meshsim.report.progress import progress_bar

    with progress_bar(experiment.plan.duration_ns) as progress:
        return experiment.run(seed=seed, out=target, records=share, progress=progress)


def _shown(experiment: Experiment, result: Result, output: Output) -> str:
    if output is Output.JSON:
        from meshsim.report.machine import as_json

        return as_json(result)
    from rich.console import Console

    from meshsim.report.terminal import heading, show

    columns = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_OF_A_FILE
    console = Console(file=sys.stdout, width=columns, highlight=False)
    with console.capture() as capture:
        show(console, heading(experiment, result), result.summary(), result.verdicts)
    return capture.get()


def _share(text: str) -> float:
    """Share of the requests that leave records."""
    if text in {"all", "none"}:
        return 1.0 if text == "all" else 0.0
    try:
        return parse_share(text)
    except UnitError as error:
        raise typer.BadParameter(f"{error}; write all, none, or a share such as 10%", param_hint="--records") from None


def _print(text: str) -> None:
    """Write the result. A reader that has gone is no mistake of ours: the exit code stays that of the run."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end


def _tell(text: str, prefix: str = "meshsim: ") -> None:
    print(f"{prefix}{text}", file=sys.stderr)  # noqa: T201 — a command line speaks


def _fail(text: str) -> Never:
    _tell(text)
    raise typer.Exit(FAILED)
