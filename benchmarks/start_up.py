"""How long `meshsim check` of a small file takes: processor time of the whole process, from its start to its end.

    python benchmarks/start_up.py [--rounds 7] [FILE]

Also given: an interpreter that does nothing, and one that only imports the libraries that `check` stands on (typer, pydantic, ruamel.yaml), so
that the part of meshsim can be told from theirs. The rounds are interleaved; least and median of each. Unix only (`getrusage`).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
from pathlib import Path

SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "retry-storm.yaml"


def processor_s(arguments: list[str]) -> float:
    """User and system time of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Processor time of meshsim check.")
    parser.add_argument("file", nargs="?", default=str(SCENARIO), help="what to check (default: scenarios/retry-storm.yaml)")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each (default 7)")
    chosen = parser.parse_args()
    commands = {
        "`python -c pass`": ["-c", "pass"],
        "`import typer, pydantic, ruamel.yaml`": ["-c", "import typer, pydantic, ruamel.yaml"],
        f"`meshsim check {Path(chosen.file).name}`": ["-m", "meshsim", "check", chosen.file],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(chosen.rounds):
        for name, arguments in commands.items():
            found[name].append(processor_s(arguments))
    print("| process | least | median |\n|---|---:|---:|")
    for name, seconds in found.items():
        print(f"| {name} | {min(seconds):.2f} s | {statistics.median(seconds):.2f} s |")


if __name__ == "__main__":
    main()
