"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """How a result is shown."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


class RunOutput(StrEnum):
    """How the result of one run is shown."""

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
SeedOption = Annotated[
    int | None, typer.Option(min=0, max=2**63 - 1, metavar="N", help="Root of all chance; the scenario's own if not given.")
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="No progress bar, and no warnings beside the result.")]
OutOption = Annotated[str | None, typer.Option(metavar="DIR", help="Where to keep the results; results/... if not given.")]
ReplicationsOption = Annotated[
    int | None,
    typer.Option(
        "--replications",
        min=1,
        max=100_000,
        metavar="N",
        help="Independent repetitions of each; the scenario's own if not given.",
    ),
]
FigureOption = Annotated[
    list[str] | None,
    typer.Option("--figure", metavar="FIGURE", help="What to show, such as latency{route:checkout}:p99; as often as you like."),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, max=4096, metavar="N", help="Processes on this machine; all cores if not given.")
]
SchedulerOption = Annotated[
    str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Do the work on a Dask cluster, such as tcp://host:8786.")
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from what an interrupted one has left.")]
ReportOption = Annotated[
    bool, typer.Option("--report", help="Write the report for a design review too: report.html beside the results.")
]
ComparisonOutput = Annotated[Output, typer.Option("-o", "--output", help="How to show the result.")]
