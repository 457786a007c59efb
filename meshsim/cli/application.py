"""The command line's application, its exit codes, and how it speaks.

Standard output carries the result and nothing else; progress and complaints go to standard error.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Never

import typer

from meshsim.errors import LimitError, MeshsimError, ReplayError, ScenarioError, SeamError, UsageError, printable
from meshsim.own_policies import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

FAILED = 1
MISUSED = 2
CROSSED = 99
WRONG_SCENARIO = 104
WRONG_POLICY = 107
"""As k6 exits where the user's script raises (errext/exitcodes/codes.go, ScriptException)."""
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


def _show_version(wanted: bool) -> None:  # noqa: FBT001 — typer calls it with the option's value
    if wanted:
        from importlib.metadata import version

        print_result(f"meshsim {version('meshsim')}\n")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Know what your API gateway and service mesh settings will do under load and faults, before you deploy them."""


@contextmanager
def told(kept: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Turn what goes wrong into a sentence on standard error and an exit code.

    Args:
        kept: What is left of work that did not come to its end, in words; empty for nothing.
    """
    try:
        yield
    except (ScenarioError, ReplayError) as error:
        tell(str(error), prefix="")
        raise typer.Exit(WRONG_SCENARIO) from None
    except LimitError as error:
        tell("; ".join(filter(None, [str(error), kept()])))
        raise typer.Exit(WRONG_SCENARIO) from None
    except PolicyError as error:
        tell(str(error), prefix="")
        raise typer.Exit(WRONG_POLICY) from None
    except UsageError as error:
        tell(str(error))
        raise typer.Exit(MISUSED) from None
    except SeamError as error:
        fail("; ".join(filter(None, [str(error), kept()])))
    except MeshsimError as error:
        fail(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        fail("; ".join(filter(None, [f"{place}{error.strerror or error}", kept()])))
    except MemoryError:
        fail("; ".join(filter(None, ["out of memory; ask for fewer replicas, users or requests, or for a shorter run", kept()])))
    except KeyboardInterrupt:
        tell(f"interrupted: {kept() or 'nothing was kept'}")
        raise typer.Exit(INTERRUPTED) from None


def print_result(text: str) -> None:
    """Write the result. A reader that has gone is no mistake of ours: the exit code stays that of the run."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end


def on_console(show: Callable[[Console], None]) -> str:
    """What something shows on a console as wide as standard output's reader can read."""
    from rich.console import Console

    columns = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_OF_A_FILE
    console = Console(file=sys.stdout, width=columns, highlight=False)
    with console.capture() as capture:
        show(console)
    return capture.get()


def tell(text: str, prefix: str = "meshsim: ") -> None:
    """A sentence, or a list of mistakes, on standard error."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    print(f"{prefix}{shown}", file=sys.stderr)  # noqa: T201 — a command line speaks


def fail(text: str) -> Never:
    """Say what went wrong, and end."""
    tell(text)
    raise typer.Exit(FAILED)
