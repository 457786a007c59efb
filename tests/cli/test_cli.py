"""The command line as its users meet it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "meshsim"]
SCENARIO = """\
name: shop
load:
  shoppers: {executor: constant-arrival-rate, arrivals: poisson, rate: 200/s, requests: {payment: 1}}
services:
  payment: {replicas: 2, workers: 4, script: [{compute: {exponential: {mean: 10ms}}}], errors: 5%}
variants:
  slow: {services: {payment: {script: [{compute: 30ms}]}}}
run: {duration: 5s, warm_up: 1s, seed: 7}
thresholds:
  "latency": ["p(99)<1s"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def meshsim(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_help_answers_in_less_than_a_third_of_a_second() -> None:
    """Of processor time, which a busy machine stretches little: pandas, matplotlib and scipy are not there yet."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


def test_help_loads_nothing_that_is_slow() -> None:
    code = (
        "import sys, meshsim.cli; print(sorted({'numpy', 'pandas', 'pyarrow', 'pydantic', 'simpy', 'rich'} & set(sys.modules)))"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_run_shows_tables_and_keeps_the_records(folder: Path) -> None:
    done = meshsim(folder, "run", "shop.yaml")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "✓  latency  p(99)<1s" in done.stdout
    directory = folder / done.stdout.splitlines()[-1].removeprefix("Records: ")
    assert {one.name for one in directory.iterdir()} >= {"manifest.json", "summary.json", "requests.parquet", "attempts.parquet"}


def test_run_gives_json_to_machines(folder: Path) -> None:
    done = meshsim(folder, "run", "shop.yaml", "-o", "json", "--seed", "3", "--out", "kept")
    content = json.loads(done.stdout)

    assert (content["manifest"]["seed"], content["directory"], content["passed"]) == (3, "kept", True)
    assert content["summary"]["total"]["requests"] == pytest.approx(800, rel=0.2)
    assert content["thresholds"][0]["condition"] == "p(99)<1s"


def test_a_crossed_threshold_exits_with_99(folder: Path) -> None:
    done = meshsim(folder, "run", "shop.yaml", "--set", 'thresholds.latency=["p(99)<1ms"]')

    assert done.returncode == 99
    assert "✗  latency  p(99)<1ms" in done.stdout


def test_variant_set_and_duration_change_the_run(folder: Path) -> None:
    def run(*arguments: str) -> dict[str, dict[str, float]]:
        return json.loads(meshsim(folder, "run", "shop.yaml", "-o", "json", *arguments).stdout)

    assert run("--duration", "3s")["summary"]["window_s"] == 2
    assert run("--variant", "slow")["summary"]["services"][0]["response_time"]["min_s"] == pytest.approx(0.03)  # type: ignore[call-overload, index]
    assert run("--set", "services.payment.errors=0%")["summary"]["total"]["failures"] == 0  # type: ignore[call-overload, index]


def test_the_same_run_gives_the_same_summary_whatever_records_are_kept(folder: Path) -> None:
    kept = {}
    for records in ("all", "10%", "none"):
        meshsim(folder, "run", "shop.yaml", "--records", records, "--out", "kept")
        kept[records] = (folder / "kept" / "summary.json").read_bytes()
        assert (folder / "kept" / "requests.parquet").is_file() == (records != "none")

    assert kept["all"] == kept["10%"] == kept["none"]


def test_a_wrong_scenario_exits_with_104_and_tells_every_mistake_on_its_line(folder: Path) -> None:
    wrong = SCENARIO.replace("workers", "wrokers").replace("200/s", "200")
    (folder / "wrong.yaml").write_text(wrong, encoding="utf-8")
    for command in ("run", "check"):
        done = meshsim(folder, command, "wrong.yaml")

        assert (done.returncode, done.stdout) == (104, "")
        assert [line.split(":")[:2] for line in done.stderr.splitlines()] == [["wrong.yaml", "3"], ["wrong.yaml", "5"]]


def test_a_missing_file_is_one_sentence(folder: Path) -> None:
    done = meshsim(folder, "run", "nothing.yaml")

    assert done.returncode in {1, 104}
    assert len(done.stderr.splitlines()) == 1
    assert "nothing.yaml" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "shop.yaml", "--wrong"), ("fly",), ("run", "shop.yaml", "--records", "2")]
)
def test_a_wrong_command_line_exits_with_2(folder: Path, arguments: tuple[str, ...]) -> None:
    done = meshsim(folder, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    done = meshsim(folder, "run", "shop.yaml", "--out", "shop.yaml/inside")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("meshsim: cannot write results to shop.yaml/inside")


def test_what_meshsim_has_not_written_is_not_replaced(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = meshsim(folder, "run", "shop.yaml", "--out", "mine")

    assert done.returncode == 1
    assert (folder / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_shows_and_keeps_what_is_done(folder: Path) -> None:
    command = [*COMMAND, "run", "shop.yaml", "--duration", "100h", "--out", "kept"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not list(folder.glob(".kept.*")) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=30)

    assert process.returncode == 130
    assert told == "meshsim: interrupted: what was simulated until then is kept in kept-interrupted\n"
    assert "Interrupted after" in shown
    assert (folder / "kept-interrupted" / "requests.parquet").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_leaves_is_no_mistake(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*COMMAND, "run", "shop.yaml"], cwd=folder, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=300
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_gets_what_it_can_show(folder: Path) -> None:
    (folder / "shop.yaml").write_text(SCENARIO + "description: größer\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*COMMAND, "run", "shop.yaml"], cwd=folder, env=environment, capture_output=True, check=False, timeout=300
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"gr??er" in done.stdout
    assert b"ok  latency  p(99)<1s" in done.stdout


def test_check_says_that_all_is_well(folder: Path) -> None:
    done = meshsim(folder, "check", "shop.yaml")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("shop.yaml: no mistakes")


def test_check_notes_once_a_file_that_a_load_does_not_say_how_its_requests_are_spaced(folder: Path) -> None:
    loads = "shoppers: {executor: constant-arrival-rate, rate: 200/s, requests: {payment: 1}}"
    loads += "\n  bots: {executor: constant-arrival-rate, rate: 1/s, requests: {payment: 1}}"
    text = SCENARIO.replace(
        "shoppers: {executor: constant-arrival-rate, arrivals: poisson, rate: 200/s, requests: {payment: 1}}", loads
    )
    (folder / "shop.yaml").write_text(text, encoding="utf-8")
    note, last = meshsim(folder, "check", "shop.yaml").stdout.splitlines()

    assert note == (
        "note: shop.yaml:3:24: load.shoppers.executor: no `arrivals` (nor in bots), so requests are evenly spaced, as in k6. Independent users"
        " arrive in bunches and wait longer: write `arrivals: poisson` for them, or `arrivals: even` to keep this"
    )
    assert last == "shop.yaml: no mistakes, 0 warnings (1 service, 1 variant)"


def test_check_warns_of_what_is_legal_but_surprising_in_any_variant(folder: Path) -> None:
    (folder / "shop.yaml").write_text(SCENARIO.replace("compute: 30ms", "compute: 300ms"), encoding="utf-8")
    warning, last = meshsim(folder, "check", "shop.yaml").stdout.splitlines()

    assert warning.startswith("shop.yaml:")
    assert "payment" in warning
    assert warning.endswith(" (variant slow)")
    assert last == "shop.yaml: no mistakes, 1 warning (1 service, 1 variant)"


def test_run_repeats_the_warnings_on_standard_error_and_in_the_json(folder: Path) -> None:
    warning = (
        "shop.yaml:5:35: services.payment.workers: payment is offered 200/s x 300ms = 60 busy workers, and has 8 (2 replicas x 4"
        " workers): it cannot keep up; give it 38 workers or more in each replica, or less load"
    )
    (folder / "shop.yaml").write_text(
        SCENARIO.replace("exponential: {mean: 10ms}", "exponential: {mean: 300ms}"), encoding="utf-8"
    )

    for options in ([], ["-o", "json"]):
        done = meshsim(folder, "run", "shop.yaml", "--duration", "2s", *options)
        assert done.stderr == f"warning: {warning}\n"
    assert json.loads(done.stdout)["warnings"] == [warning]
    assert meshsim(folder, "run", "shop.yaml", "--duration", "2s", "--quiet").stderr == ""


def test_of_many_warnings_run_repeats_five_and_says_where_the_others_are(folder: Path) -> None:
    unused = "".join(f"  unused{number}: {{replicas: 1, workers: 1, script: [{{compute: 1ms}}]}}\n" for number in range(7))
    (folder / "shop.yaml").write_text(SCENARIO.replace("variants:", f"{unused}variants:", 1), encoding="utf-8")
    lines = meshsim(folder, "run", "shop.yaml").stderr.splitlines()

    assert [line.startswith("warning: shop.yaml:") for line in lines] == [True] * 5 + [False]
    assert lines[-1] == "and 2 more; meshsim check shop.yaml says all"


def test_explain_gives_the_meaning_and_its_sources(folder: Path) -> None:
    done = meshsim(folder, "explain", "num_retries")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("num_retries: ")
    assert "source: " in done.stdout


def test_explain_suggests_the_nearest_field(folder: Path) -> None:
    done = meshsim(folder, "explain", "num_retrys")

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'num_retries'?" in done.stderr


def test_policies_lists_what_there_is(folder: Path) -> None:
    done = meshsim(folder, "policies")

    assert done.returncode == 0, done.stderr
    assert "  least_request: Send to the endpoint" in done.stdout


def test_schema_is_json_schema(folder: Path) -> None:
    done = meshsim(folder, "schema")

    assert done.returncode == 0, done.stderr
    assert "services" in json.loads(done.stdout)["properties"]


def test_version_is_that_of_the_package(folder: Path) -> None:
    assert meshsim(folder, "--version").stdout.startswith("meshsim 0.")


def test_checking_loads_none_of_what_simulates_and_draws(tmp_path: Path) -> None:
    """NumPy alone takes a quarter as long as all that checking a small file needs."""
    (tmp_path / "shop.yaml").write_text(SCENARIO, encoding="utf-8")
    asked = (
        "import sys; from meshsim.cli import main; sys.argv = ['meshsim', 'check', 'shop.yaml']\n"
        "try: main()\n"
        "finally: print(sorted({'numpy', 'pandas', 'pyarrow', 'simpy', 'scipy', 'matplotlib', 'joblib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "[]", done.stderr
