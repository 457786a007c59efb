"""`meshsim compare`, `sweep` and `report` as their users meet them: what they print, and how they end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from meshsim.cli import app
from meshsim.experiments.places import FORMAT

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
name: shop
description: Is a third worker worth it?
load: {shoppers: {executor: constant-arrival-rate, arrivals: poisson, rate: 100/s, requests: {payment: 1}}}
services: {payment: {workers: 2, script: [{compute: {exponential: {mean: 10ms}}}], errors: 2%}}
variants:
  as-is: {}
  third: {services: {payment: {workers: 3}}}
matrix: {load.shoppers.rate: [50/s, 100/s]}
run: {duration: 4s, warm_up: 1s, seed: 7, replications: 4}
thresholds: {latency: ["p(99)<48ms"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def meshsim(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "meshsim", *arguments]
    everything = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300, env=everything)


def test_a_comparison_says_verdict_thresholds_figures_and_where_the_results_are(folder: Path) -> None:
    done = meshsim(folder, "compare", "shop.yaml", "--jobs", "1")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "shop  2 variants, 4 replications each, seed 7"
    assert lines[2] == "4s simulated in each replication, figures after the warm-up of 1s; all meet the same requests"
    assert "third holds the threshold; as-is crosses 1." in done.stdout
    assert "✗ crossed" in done.stdout
    assert " latency:p(99)" in lines
    assert any(line.startswith("Results: results/shop/comparison-seed-7-") for line in lines)
    assert "! Fewer than 50 requests of a replication lie beyond these quantiles, 4 at the fewest" in done.stdout
    assert max(map(len, lines[:40])) <= 120


@pytest.mark.slow
def test_each_other_form_says_the_same(folder: Path) -> None:
    forms = {form: meshsim(folder, "compare", "shop.yaml", "--jobs", "1", "-o", form) for form in ("json", "markdown", "junit")}
    told = json.loads(forms["json"].stdout)

    assert {form: (done.returncode, done.stderr) for form, done in forms.items()} == dict.fromkeys(forms, (0, ""))
    assert told["verdict"].startswith("third holds the threshold")
    assert {row["variant"] for row in told["figures"]} == {"as-is", "third"}
    assert told["manifest"]["repeat"] == "meshsim compare shop.yaml"
    assert forms["markdown"].stdout.startswith("#")
    assert "third" in forms["markdown"].stdout
    suites = ET.fromstring(forms["junit"].stdout)  # noqa: S314 — our own output
    assert int(suites.get("failures", 0)) == 1


def test_a_gate_that_is_crossed_is_exit_99_and_one_that_cannot_be_told_is_not(folder: Path) -> None:
    order = ("compare", "shop.yaml", "--jobs", "1", "--variant", "third", "--variant", "as-is")
    crossed = meshsim(folder, *order, "--gate", "latency:avg<=+5%")
    undecided = meshsim(folder, *order, "--gate", "latency:p99<=+20%", "--replications", "2", "--out", "two")

    assert crossed.returncode == 99
    assert "✗ crossed" in crossed.stdout
    assert undecided.returncode == 0
    assert "? cannot be told: more replications would" in undecided.stdout


def test_when_no_variant_holds_its_thresholds_it_is_exit_99(folder: Path) -> None:
    done = meshsim(
        folder,
        "compare",
        "shop.yaml",
        "--jobs",
        "1",
        "--set",
        "services.payment.errors=60%",
        "--set",
        'thresholds.errors=["rate<1%"]',
    )

    assert done.returncode == 99
    assert "No variant holds all 2 thresholds: as-is crosses" in done.stdout


RANGE = "write path=from..to:step, such as load.shoppers.rate=100/s..800/s:100/s, or path=a,b,c"
WRKERS = "--set services.payment.wrkers={}: services.payment.wrkers: unknown key; did you mean 'workers'?\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            "compare shop.yaml --gate p99<=5%",
            2,
            "meshsim: a gate limits the change, which has a sign: write '<=+5%' or '<=-5%'\n",
        ),
        (
            "compare shop.yaml --figure latency{route:pay}:p99",
            2,
            "meshsim: latency{route:pay}:p(99): as-is has no route 'pay'; did you mean 'payment'?\n",
        ),
        ("compare shop.yaml --variant thrid", 104, "shop.yaml:5:1: variants: unknown variant 'thrid'; did you mean 'third'?\n"),
        (
            "compare shop.yaml shop.yaml --variant third",
            2,
            "meshsim: --variant chooses among the variants of one file; several files are compared as they stand\n",
        ),
        ("compare nowhere.yaml", 104, "nowhere.yaml: there is no such file (one of: shop.yaml)\n"),
        ("sweep shop.yaml --vary services.payment.wrkers=1,2", 104, WRKERS.format(1) + WRKERS.format(2)),
        (
            "sweep shop.yaml --vary services.payment.workers=1..3",
            104,
            f"--vary services.payment.workers=1..3: services.payment.workers: '1..3' is no range; {RANGE}\n",
        ),
        ("report nowhere", 1, "meshsim: nowhere holds no result of meshsim: there is no manifest.json in it\n"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(
    folder: Path, arguments: str, code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner(env={"COLUMNS": "100"}).invoke(app, arguments.split())

    assert (done.exit_code, done.stdout, done.stderr) == (code, "", message)
    assert not (folder / "results").exists()


@pytest.mark.slow
def test_a_scheduler_out_of_reach_ends_with_a_sentence_and_leaves_nothing(folder: Path) -> None:
    done = meshsim(folder, "compare", "shop.yaml", "--scheduler", "tcp://127.0.0.1:1", "--out", "out")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("meshsim: cannot reach the scheduler tcp://127.0.0.1:1 (Timed out")
    assert done.stderr.endswith("; start one with `dask scheduler`\n")
    assert sorted(path.name for path in folder.iterdir()) == ["shop.yaml"]


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="only the administrator can mount a small disk")
def test_a_full_disk_keeps_what_is_whole_and_says_so(folder: Path) -> None:
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)], check=False, capture_output=True)  # noqa: S607
    if mounted.returncode:
        pytest.skip("this machine mounts nothing: no small disk to fill")
    try:
        done = meshsim(folder, "compare", "shop.yaml", "--jobs", "1", "--out", "small/out", "--report")
        kept = sorted(path.name for path in small.glob("out.partial/*/*") if path.is_dir())

        assert done.returncode == 1
        assert done.stderr.startswith("meshsim: ")
        assert f"No space left on device; {len(kept)} replications are kept in small/out.partial; the same command" in done.stderr
        assert "Traceback" not in done.stderr
        assert kept
        assert all(name.startswith("replication-") for name in kept)
        assert not (small / "out").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)  # noqa: S607


@pytest.mark.slow
def test_results_of_another_format_are_refused(folder: Path) -> None:
    meshsim(folder, "compare", "shop.yaml", "--jobs", "1", "--out", "out", "--replications", "2")
    manifest = folder / "out" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(f'"format": {FORMAT}', '"format": 99'), encoding="utf-8")
    done = meshsim(folder, "report", "out")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"meshsim: out was written by meshsim 0.1.0 in format 99, and this version reads format {FORMAT};"
        " run the scenario again: out/scenario.yaml\n"
    )


@pytest.mark.slow
def test_a_sweep_shows_its_points_and_a_report_is_written_of_each_kind_of_result(folder: Path) -> None:
    swept = meshsim(folder, "sweep", "shop.yaml", "--jobs", "1", "--replications", "2", "--out", "swept", "--report")
    meshsim(folder, "run", "shop.yaml", "--out", "run")
    reports = [
        meshsim(folder, "report", directory, "-o", f"{directory}.{ending}")
        for directory in ("swept", "run")
        for ending in ("html", "md", "xml")
    ]

    assert (swept.returncode, swept.stderr) == (0, "")
    assert "load.shoppers.rate=50/s" in swept.stdout
    assert "\n1 of 2 points holds the threshold.\n" in swept.stdout
    assert "difference" not in swept.stdout
    assert swept.stdout.endswith("Report: swept/report.html\n")
    assert [done.returncode for done in reports] == [0] * 6
    for name in ("swept.html", "run.html"):
        page = (folder / name).read_text(encoding="utf-8")
        assert page.lower().startswith("<!doctype html>")
        assert len(page) < 3_000_000
    wrong = meshsim(folder, "report", "run", "-o", "run.docx")
    assert (wrong.returncode, wrong.stderr) == (2, "meshsim: run.docx: a report is a file that ends in .html, .pdf, .md, .xml\n")


@pytest.mark.slow
def test_two_comparisons_at_once_do_not_mix(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "meshsim",
        "compare",
        "shop.yaml",
        "--jobs",
        "1",
        "--duration",
        "1h",
        "--out",
        "out",
        "-o",
        "json",
    ]
    first = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (folder / "out.partial").is_dir() and time.monotonic() < until:
        time.sleep(0.01)
    second = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    is_still_at_work = first.poll() is None
    first.kill()
    first.communicate(timeout=300)

    assert is_still_at_work
    assert second.returncode == 1
    assert second.stderr == "meshsim: another meshsim works on out at this moment; wait for it, or choose another --out\n"
