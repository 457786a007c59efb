"""Makes the picture in the README from a real run: `python docs/pictures/make.py`, from the root of the repository."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

import meshsim as ms
from meshsim.report.terminal import heading, show

if TYPE_CHECKING:
    from meshsim import Experiment, Result

SCENARIO = "scenarios/online-boutique.yaml"
VARIANT = "aggressive-retries"


def main() -> None:
    """Run the scenario and write what `meshsim run` prints as an SVG without fonts from the network."""
    experiment = ms.load(SCENARIO, variant=VARIANT)
    picture = Path(__file__).resolve().with_name("online-boutique.svg")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = experiment.run(out=experiment.directory())
        svg = _as_svg(experiment, result)
    picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")


def _as_svg(experiment: Experiment, result: Result) -> str:
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=112, file=nowhere, force_terminal=True, color_system="truecolor")
        show(console, heading(experiment, result), result.summary(), result.verdicts)
    title = f"$ meshsim run {SCENARIO} --variant {VARIANT}"
    return console.export_svg(title=title, unique_id="run")


if __name__ == "__main__":
    main()
