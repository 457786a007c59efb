"""Speed and agreement of meshsim and of a plain SimPy model on the two-hop chain, in one run.

    python benchmarks/run.py                      # the table
    python benchmarks/run.py --json               # the same figures and every run, for machines

Every run is a process of its own; a round is one run of each model with the same seed, in an order that turns with each round.
Nothing but the standard library is imported here: a child's peak memory would begin at its parent's.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

MEASURE = Path(__file__).with_name("measure.py")
MODELS = {"plain": "plain SimPy", "meshsim": "meshsim, records on", "meshsim-no-records": "meshsim, records none"}
REFERENCE = {
    "mean_ms": (19.43, 19.48),
    "p50_ms": (16.64, 16.70),
    "p99_ms": (70.9, 71.4),
    "rejected": (0.0094, 0.0094),
    "retried_a": (0.0185, 0.0185),
    "retried_b": (0.0037, 0.0037),
}
"""Least and largest of the independent engines in reference/performance.md, section 2; they differ in the two points that
two_hop_chain.yaml names."""
NAMES = {
    "mean_ms": "latency, mean",
    "p50_ms": "latency, p50",
    "p99_ms": "latency, p99",
    "rejected": "rejected (429)",
    "retried_a": "retried at a",
    "retried_b": "retried at b",
}
REFERENCE_TOLERANCE = 0.03
STANDARD_ERRORS = 4.0
"""Six comparisons of two equal models with thirty batches each exceed it by chance in 0.1 % of the benchmark's runs, with six batches in
1.5 % (Student's t)."""

Runs = dict[str, list[dict[str, Any]]]
Rows = list[list[str]]


def measure(model: str, duration_s: float, seed: int) -> dict[str, Any]:
    """One run in a fresh process: what `measure.py` prints."""
    command = [sys.executable, str(MEASURE), model, "--duration-s", str(duration_s), "--seed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def measure_rounds(models: list[str], rounds: int, duration_s: float, seed: int) -> Runs:
    """All runs by model, in the order of their rounds."""
    runs: Runs = {model: [] for model in models}
    for number in range(rounds):
        turn = number % len(models)
        for model in models[turn:] + models[:turn]:
            print(f"round {number + 1} of {rounds}: {MODELS[model]} ...", file=sys.stderr, flush=True)
            runs[model].append(measure(model, duration_s, seed + number))
    return runs


def speeds(runs: Runs) -> dict[str, dict[str, list[float]]]:
    """Each model's figures of speed by round; `ratio` is to the plain model's run of the same round."""
    by_model = {}
    for model, its_runs in runs.items():
        rates = [run["requests"] / run["cpu_s"] for run in its_runs]
        by_model[model] = {
            "requests_per_s": rates,
            "events_per_s": [run["events"] / run["cpu_s"] for run in its_runs],
            "events_per_request": [run["events"] / run["requests"] for run in its_runs],
            "peak_mb": [run["peak_bytes"] / 1e6 for run in its_runs],
            "before_mb": [run["before_bytes"] / 1e6 for run in its_runs],
        }
        if "plain" in runs:
            plain = [run["requests"] / run["cpu_s"] for run in runs["plain"]]
            by_model[model]["ratio"] = [rate / other for rate, other in zip(rates, plain, strict=True)]
    return by_model


def estimates(runs: Runs) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and standard error of each figure, over the batches of all runs, for the models that kept records."""
    found = {}
    for model, its_runs in runs.items():
        if its_runs[0]["batches"] is None:
            continue
        batches = {name: [value for run in its_runs for value in run["batches"][name]] for name in REFERENCE}
        found[model] = {
            name: (statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)))
            for name, values in batches.items()
        }
    return found


def is_near_reference(name: str, estimate: tuple[float, float]) -> bool:
    """Whether it is at most 3 % and four standard errors outside the reference."""
    low, high = REFERENCE[name]
    value, error = estimate
    slack = STANDARD_ERRORS * error
    return low * (1 - REFERENCE_TOLERANCE) - slack <= value <= high * (1 + REFERENCE_TOLERANCE) + slack


def difference(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Difference of two independent estimates, in its standard errors."""
    return (one[0] - other[0]) / math.hypot(one[1], other[1])


def speed_rows(runs: Runs) -> Rows:
    """The table of speeds: medians, with the least and the largest."""
    rows = [["model", "requests/s", "events/s", "events/request", "peak memory", "before the run", "x plain"]]
    for model, figures in speeds(runs).items():
        columns = [
            spread(figures["requests_per_s"], ",.0f"),
            spread(figures["events_per_s"], ",.0f"),
            f"{statistics.median(figures['events_per_request']):.1f}",
            f"{statistics.median(figures['peak_mb']):.0f} MB",
            f"{statistics.median(figures['before_mb']):.0f} MB",
            spread(figures["ratio"], ".2f") if "ratio" in figures else "",
        ]
        rows.append([MODELS[model], *columns])
    return rows


def agreement_rows(found: dict[str, dict[str, tuple[float, float]]]) -> Rows:
    """The table of figures side by side with the reference's."""
    rows = [["figure", *(MODELS[model] for model in found), "difference (standard errors)", "reference"]]
    for name, (low, high) in REFERENCE.items():
        row = [NAMES[name]]
        for model in found:
            value, error = found[model][name]
            mark = "" if is_near_reference(name, found[model][name]) else " ✗"
            row.append(f"{quantity(name, value)} ± {quantity(name, error)}{mark}")
        both = [found[model][name] for model in ("meshsim", "plain") if model in found]
        row.append(f"{difference(*both):+.1f}" if len(both) == 2 else "")
        row.append(quantity(name, low) if low == high else f"{quantity(name, low)} to {quantity(name, high)}")
        rows.append(row)
    return rows


def verdicts(runs: Runs) -> dict[str, bool]:
    """What the benchmark is for, as sentences that hold or do not."""
    found = estimates(runs)
    judged = {
        f"{MODELS[model]} lies within 3 % and {STANDARD_ERRORS:g} standard errors of the reference": all(
            is_near_reference(name, estimate) for name, estimate in figures.items()
        )
        for model, figures in found.items()
    }
    if {"plain", "meshsim"} <= runs.keys():
        judged[f"the two models differ by less than {STANDARD_ERRORS:g} standard errors"] = all(
            abs(difference(found["meshsim"][name], found["plain"][name])) < STANDARD_ERRORS for name in REFERENCE
        )
        ratio = statistics.median(speeds(runs)["meshsim"]["ratio"])
        judged["meshsim with records on is at least as fast as plain SimPy"] = ratio >= 1
    return judged


def quantity(name: str, value: float) -> str:
    """A latency in ms or a share in per cent."""
    return f"{value:.2f} ms" if name.endswith("_ms") else f"{value:.3%}"


def spread(values: list[float], form: str) -> str:
    """The median, with the least and the largest."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def print_table(rows: Rows) -> None:
    """Print rows as a Markdown table with its columns aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print(f"| {' | '.join(cells)} |")
        if number == 0:
            print(f"| {'-' * widths[0]} | {' | '.join('-' * (width - 1) + ':' for width in widths[1:])} |")
    print()


def main() -> None:
    """Measure, and print the tables or JSON."""
    parser = argparse.ArgumentParser(description="Speed and agreement of meshsim and plain SimPy on the two-hop chain.")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each model (default 5)")
    parser.add_argument("--duration-s", type=float, default=60.0, help="simulated seconds of each run (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round (default 1)")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS), help="which models (default all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")

    runs = measure_rounds(arguments.models, arguments.rounds, arguments.duration_s, arguments.seed)
    judged = verdicts(runs)
    if arguments.json:
        parts = {"speeds": speeds(runs), "estimates": estimates(runs), "reference": REFERENCE, "verdicts": judged, "runs": runs}
        print(json.dumps(parts, indent=2))
        return
    machine = f"{platform.machine()}, {platform.system()}, {platform.python_implementation()} {platform.python_version()}"
    print(f"\n{arguments.rounds} rounds of {arguments.duration_s:g} simulated seconds on {machine}; medians, least and largest\n")
    print_table(speed_rows(runs))
    print_table(agreement_rows(estimates(runs)))
    for sentence, holds in judged.items():
        print("✓" if holds else "✗", sentence)


if __name__ == "__main__":
    main()
