"""Names of files and arguments that would play with a terminal are shown as escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from meshsim.cli import app

if TYPE_CHECKING:
    from pathlib import Path

NAME = "a\x1b[2Jb.yaml"
TEXT = """
name: plain
load: {l: {executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {a: 1}}}
services: {a: {script: [{compute: 1ms}]}}
run: {duration: 1s}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    file = tmp_path / NAME
    try:
        file.write_text(TEXT, encoding="utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    return file


def test_what_check_says_of_such_a_file_is_one_line(hostile: Path) -> None:
    told = CliRunner().invoke(app, ["check", str(hostile)])

    assert told.stdout.endswith("/a\\x1b[2Jb.yaml: no mistakes, 0 warnings (1 service, 0 variants)\n")
    assert told.stdout.count("\n") == 1


def test_a_run_says_where_its_records_are_in_escapes(hostile: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["run", str(hostile), "--out", str(tmp_path / "o\x1b[2J\nut")])

    assert told.exit_code == 0
    assert "/o\\x1b[2J\\nut" in told.stdout
    assert "\x1b[2J" not in told.stdout


@pytest.mark.parametrize("arguments", [["--records", "\x1b[2J"], ["--set", "a\x1b[2J=1"], ["--duration", "\x1b[2J"]])
def test_arguments_are_told_in_escapes(hostile: Path, arguments: list[str]) -> None:
    told = CliRunner().invoke(app, ["run", str(hostile), *arguments])

    assert told.exit_code in {2, 104}
    assert "\x1b" not in told.stdout + told.stderr
    assert "\\x1b[2J" in told.stderr
