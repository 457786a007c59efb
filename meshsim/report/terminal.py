"""The whole answer of a run in a terminal: what was run, the thresholds, the tables, where the records are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from meshsim.errors import printable
from meshsim.report import (
    after_faults,
    autoscaling,
    caches,
    connection_pools,
    cost,
    cpu,
    failures,
    message_queues,
    rollouts,
    tables,
)
from meshsim.report.numbers import count
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from meshsim.experiments.result import Result
    from meshsim.experiments.run import Experiment
    from meshsim.metrics.summary import Summary
    from meshsim.metrics.thresholds import Verdict

NOTES = {
    "latency": "as the client saw it, failures included",
    "goodput": "requests that ended well, whenever they started",
    "response": "queue and service at the instance, with the calls that it waits for",
    "busy": "share of the workers that are held, also while they wait for a call; of the CPU that is used where there are none",
    "tries": "attempts for each call: 1 without retries",
    "wasted": "share of the computing whose answer nobody waited for",
}
"""What the words above the columns mean."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What was run."""

    scenario: str
    variant: str
    defaults: str
    seed: int
    description: str = ""
    planned_s: float | None = None
    """How long the load was to last."""
    is_interrupted: bool = False
    requests: int = 0
    """Client requests of the whole run."""
    directory: str = ""
    """The run directory; empty where none was kept."""


def heading(experiment: Experiment, result: Result) -> Heading:
    """What was run, of a result."""
    scenario = experiment.scenario
    return Heading(
        scenario=scenario.name,
        variant=experiment.variant,
        defaults=scenario.defaults,
        seed=result.manifest["seed"],
        description=scenario.description,
        planned_s=scenario.run.duration / NS_PER_S,
        is_interrupted=result.interrupted,
        requests=result.manifest["requests"],
        directory=str(result.directory),
    )


def show(console: Console, what: Heading, summary: Summary, verdicts: Sequence[Verdict]) -> None:
    """Print the answer."""
    for line in _heading(what, summary):
        console.print(line)
    if verdicts:
        _section(console, "Thresholds", tables.thresholds(console, verdicts))
    _section(console, "Requests", _routes(console, summary))
    if len(summary.sources) > 1:
        _section(console, "Requests by load", tables.routes(console, "load", summary.sources, None))
    _section(console, "Services", tables.services(console, summary.services))
    if (proxies := tables.proxies(console, summary.proxies)) is not None:
        _section(console, "Proxies", proxies)
        if any(one.name.startswith("sidecar") for one in summary.proxies):
            console.print(Text(f"Sidecars are listed from {tables.BUSY_PROXY:.0%} busy on.", style="dim"))
    _capacity(console, summary)
    _failures(console, summary)
    _policies(console, summary)
    console.print()
    for word, meaning in NOTES.items():
        console.print(Text(f"{word}: {meaning}", style="dim"))
    if what.directory:
        console.print()
        console.print(Text.assemble("Records: ", (printable(what.directory), "bold")), soft_wrap=True)


def _capacity(console: Console, summary: Summary) -> None:
    """How far what there is was used, how much there was of it, and what that costs."""
    if summary.connection_pools:
        _section(console, "Connection pools", connection_pools.table(console, summary))
        console.print(Text(connection_pools.NOTE, style="dim"))
    if summary.message_queues:
        _section(console, "Message queues", message_queues.table(console, summary))
        console.print(Text(message_queues.NOTE, style="dim"))
    if summary.recoveries:
        _section(console, "After faults", after_faults.table(console, summary.recoveries))
        console.print(Text(after_faults.note(summary.recoveries), style="dim"))
    if summary.caches:
        _section(console, "Caches", caches.table(console, summary))
        console.print(Text(caches.NOTE, style="dim"))
    if summary.cpu:
        _section(console, "CPU", cpu.table(console, summary.cpu))
        console.print(Text(cpu.NOTE, style="dim"))
    if summary.autoscaling:
        _section(console, "Autoscaling", autoscaling.table(console, summary))
        console.print(Text(autoscaling.NOTE, style="dim"))
    if summary.rollouts:
        _section(console, "Rollouts", rollouts.table(console, summary))
        console.print(Text(rollouts.NOTE, style="dim"))
    if summary.cost is not None and summary.cost.hours:
        _section(console, "Cost", cost.table(console, summary.cost))


def _policies(console: Console, summary: Summary) -> None:
    """What policies and filters did, and which did nothing."""
    if (destinations := tables.destinations(console, summary.destinations)) is not None:
        _section(console, "What policies did", destinations)
    if (filters := tables.filters(console, summary.filters)) is not None:
        _section(console, "What filters decided", filters)
    if summary.never_acted:
        _section(console, "Policies that never acted", Text("\n".join(summary.never_acted)))


def _heading(what: Heading, summary: Summary) -> list[RenderableType]:
    parts = [f"variant {what.variant}", f"defaults {what.defaults}", f"seed {what.seed}"]
    lines: list[RenderableType] = [Text.assemble((what.scenario, "bold"), "  ", ", ".join(parts))]
    if what.description:
        lines.append(Text(what.description.strip()))
    measured = f"{count(what.requests, 'request')} in {_time(summary.simulated_s)} simulated"
    if summary.warm_up_s:
        measured += f"; measured: the {summary.total.requests:,} that started after the warm-up of {_time(summary.warm_up_s)}"
    lines.append(Text(measured))
    if what.is_interrupted:
        planned = "" if what.planned_s is None else f" of {_time(what.planned_s)}"
        text = f"Interrupted after {_time(summary.simulated_s)}{planned}: the figures are of that part only."
        lines.append(Text(text, style="yellow"))
    return lines


def _routes(console: Console, summary: Summary) -> RenderableType:
    total = summary.total if len(summary.routes) > 1 else None
    return tables.routes(console, "route", summary.routes, total)


def _failures(console: Console, summary: Summary) -> None:
    if not failures.has_failures(summary) and not summary.total.failures:
        return
    if (found := failures.requests(console, summary.routes)) is not None:
        table, rest = found
        _section(console, "Why requests failed", table)
        if rest:
            console.print(Text(f"and {rest:,} in rarer ways, which summary.json lists", style="dim"))
    if (attempts := failures.attempts(console, summary.services)) is not None:
        _section(console, "Why attempts failed", attempts)
    console.print()
    console.print(failures.legend(summary))


def _section(console: Console, title: str, content: RenderableType) -> None:
    console.print()
    console.print(Text(title, style="bold"))
    console.print(content)


def _time(seconds: float) -> str:
    return format_duration(round(seconds * NS_PER_S))
