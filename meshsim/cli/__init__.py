"""The command line: each command calls one public function and shows what it gives.

What a command needs is imported inside it: this is the one place where that is done, and it keeps `meshsim --help` fast.

| exit code | meaning                                                                            |
|-----------|------------------------------------------------------------------------------------|
| 0         | done; `run`: every threshold holds; `compare`: some variant holds all of its own   |
| 1         | something else went wrong, such as a full disk or a scheduler out of reach         |
| 2         | the command line is wrong                                                          |
| 99        | `run`: a threshold is crossed; `compare`: a gate is, or no variant holds all       |
| 104       | the scenario is wrong, or a run of it takes more than can be had                   |
| 107       | a policy of one's own gave a wrong answer or raised an exception                   |
| 130       | interrupted                                                                        |
"""

from __future__ import annotations

from meshsim.cli import compare, run, scenario
from meshsim.cli.application import app

__all__ = ["app", "compare", "main", "run", "scenario"]


def main() -> None:
    """Run the command line; the entry point of the package."""
    app(prog_name="meshsim")
