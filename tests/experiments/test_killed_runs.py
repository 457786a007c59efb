"""What a run leaves that is killed, and who takes it away."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from meshsim.experiments.run_directory import RunDirectory

if TYPE_CHECKING:
    from pathlib import Path

KILLED = (
    "import os, sys; from pathlib import Path; from meshsim.experiments.run_directory import RunDirectory\n"
    "made = RunDirectory(Path(sys.argv[1])); made.write_text('half', 'of it'); print(made.workplace.name, flush=True); os._exit(9)"
)


def beside(path: Path) -> set[str]:
    return {one.name for one in path.parent.iterdir()} - {path.name}


def test_the_next_run_in_a_place_takes_away_what_a_killed_one_has_left(tmp_path: Path) -> None:
    place = tmp_path / "r"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(place)], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert beside(place) == {killed, f"{killed}.lock"}

    RunDirectory(place).discard()

    assert beside(place) == set()


def test_what_a_run_at_work_has_made_stays(tmp_path: Path) -> None:
    place = tmp_path / "r"
    first, second = RunDirectory(place), RunDirectory(place)

    first.write_text("manifest.json", "{}")
    second.write_text("manifest.json", "{}")

    assert first.publish(is_whole=True) == place
    assert second.workplace.is_dir()
    second.discard()
    assert beside(place) == set()


def test_runs_of_other_places_are_not_looked_at(tmp_path: Path) -> None:
    """`r.2` begins as `.r.` does, and what has no lock is nobody's to take away."""
    other = RunDirectory(tmp_path / "r.2")
    (tmp_path / ".r.keep").mkdir()

    RunDirectory(tmp_path / "r").discard()

    assert other.workplace.is_dir()
    assert (tmp_path / ".r.keep").is_dir()
    other.discard()
