"""What a run leaves, what it must never touch, and what a result says about itself."""

from __future__ import annotations

import gc
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import meshsim as ms
from meshsim.experiments.run_directory import RunDirectory, TableWriter
from meshsim.records import TABLES

TABLE_FILES = [f"{table}.parquet" for table in TABLES]
CHAIN = {
    "name": "chain",
    "deployment": "gateway+mesh",
    "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "300/s", "requests": {"all": 1}}},
    "gateway": {"routes": {"all": {"path": "/", "to": "front", "retries": {"num_retries": 1, "retry_on": ["5xx"]}}}},
    "services": {
        "front": {"replicas": 2, "workers": 4, "script": [{"compute": "1ms"}, {"call": "back", "repeat": 2}]},
        "back": {"workers": 8, "script": [{"compute": {"lognormal": {"p50": "3ms", "p99": "20ms"}}}], "errors": "5%"},
    },
    "run": {"duration": "8s", "warm_up": "2s"},
    "thresholds": {"latency": ["p(99)<1s"], "errors": ["rate<0.1%"]},
}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stop_after(nanoseconds: float):
    def look(progress):
        if progress.now_ns > nanoseconds:
            signal.raise_signal(signal.SIGINT)

    return look


@pytest.fixture(scope="module")
def whole() -> ms.Result:
    return ms.load(CHAIN).run()


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """An empty folder in which runs without `out` keep their records."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


# The same again.


@pytest.mark.parametrize("world", [{"seed": 2}, {"replication": 1}])
def test_another_seed_or_replication_gives_other_bytes_in_every_table_of_requests(tmp_path, world):
    ms.load(CHAIN).run(out=tmp_path / "one")
    ms.load(CHAIN).run(out=tmp_path / "other", **world)

    for name in ("requests.parquet", "attempts.parquet", "counters.parquet", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "other" / name).read_bytes(), name


def test_a_run_directory_repeats_its_run_from_anywhere_with_what_the_manifest_says(tmp_path, monkeypatch):
    """The scenario names a measured file by a relative name; the run is repeated from another folder."""
    (tmp_path / "files").mkdir()
    np.save(tmp_path / "files" / "arrivals.npy", np.arange(0.0, 3.0, 0.01))
    load = {"executor": "replay", "file": "arrivals.npy", "unit": "s", "requests": {"all": 1}}
    (tmp_path / "files" / "scenario.yaml").write_text(json.dumps({**CHAIN, "load": {"clients": load}}, indent=1))
    first = ms.load(tmp_path / "files" / "scenario.yaml", set=["services.back.workers=2"], duration="3s").run(
        out=tmp_path / "first", seed=7, replication=2, records=0.5
    )
    monkeypatch.chdir(tmp_path / "first")

    said = json.loads(Path("manifest.json").read_text())
    ms.load("scenario.yaml").run(
        out="../second", seed=said["seed"], replication=said["replication"], records=said["records_share"]
    )

    for name in [*TABLE_FILES, "summary.json", "scenario.yaml"]:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    assert said["digest"] == first.manifest["digest"] == json.loads(Path("../second/manifest.json").read_text())["digest"]


def test_a_run_in_a_thread_is_the_same_run(tmp_path, whole):
    results = []
    thread = threading.Thread(target=lambda: results.append(ms.load(CHAIN).run(out=tmp_path / "run")))
    thread.start()
    thread.join()

    assert results[0].requests.equals(whole.requests)
    assert not results[0].interrupted


# What is kept.


def test_of_a_sampled_request_the_whole_tree_of_attempts_is_kept(whole):
    sampled = ms.load(CHAIN).run(records=0.25)

    kept = set(sampled.requests["request"])
    everything = whole.attempts
    assert len(kept) / len(whole.requests) == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / len(whole.requests)) ** 0.5)
    assert sampled.attempts["id"].tolist() == everything[everything["request"].isin(kept)]["id"].tolist()
    assert set(sampled.attempts["parent"]) - {-1} <= set(sampled.attempts["id"])
    assert sampled.counters.equals(whole.counters)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_of_what_belongs_to_no_request_as_large_a_share_is_kept_with_what_it_calls(is_mirrored):
    """Some 1,000 copies or calls that nobody waits for, a quarter within 4 standard deviations (odds 1 in 16,000)."""
    beside = {"workers": 90, "script": [{"compute": "1ms"}, {"call": "back", "repeat": 2}]}
    front = {"workers": 90, "script": [] if is_mirrored else [{"call": "beside", "wait": False}]}
    route = {"path": "/", "to": "front", **({"mirror": {"to": "beside"}} if is_mirrored else {})}
    scenario = {
        **CHAIN,
        "gateway": {"routes": {"all": route}},
        "services": {"front": front, "beside": beside, "back": CHAIN["services"]["back"]},
        "run": {"duration": "3s"},
    }
    everything, sampled = (ms.load(scenario).run(records=share).attempts for share in (1.0, 0.25))
    roots, kept = ((rows["service"] == "beside").sum() for rows in (everything, sampled))
    trees = sampled.loc[sampled["service"] == "beside", "id"]
    calls = everything[everything["parent"].isin(trees)]

    assert set(everything.loc[everything["service"] == "beside", "request"]) == {-1}
    assert kept / roots == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / roots) ** 0.5)
    assert len(calls) > kept
    assert sampled.loc[sampled["service"] == "back", "id"].tolist() == calls["id"].tolist()


@pytest.mark.parametrize(("records", "kept"), [("all", 1.0), ("none", 0.0), ({"sampled": "10%"}, 0.1)])
def test_run_records_says_what_is_kept_unless_the_caller_does(records, kept):
    scenario = {**CHAIN, "run": {"duration": "2s", "records": records}}

    assert ms.load(scenario).run().manifest["records_share"] == kept
    assert ms.load(scenario).run(records=0.5).manifest["records_share"] == 0.5


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_of_records_that_is_none_is_refused_before_anything_is_written(temporary, share):
    with pytest.raises(ValueError, match="records is a share from 0 to 1, not"):
        ms.load(CHAIN).run(records=share)

    assert names(temporary) == []


def test_without_records_the_tables_are_missed_with_a_sentence_and_counters_are_there(tmp_path):
    result = ms.load(CHAIN, duration="3s").run(out=tmp_path / "run", records=0)

    assert "requests.parquet" not in names(tmp_path / "run")
    with pytest.raises(ms.ResultError, match=r"holds no requests: the run kept no records \(run\.records\)$"):
        _ = result.requests
    assert len(result.counters) > 0


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99, 0.999])
def test_quantiles_of_the_summary_lie_within_half_a_percent_of_those_of_the_records(whole, quantile):
    measured = whole.requests[(whole.requests["started_ns"] >= 2e9) & (whole.requests["started_ns"] < 8e9)]["latency_s"]
    told = whole.summary().routes_frame().loc["all", f"latency_p{f'{quantile * 100:g}'.replace('.', '')}_s"]

    assert measured.quantile(quantile, interpolation="lower") * 0.995 <= told
    assert told <= measured.quantile(quantile, interpolation="higher") * 1.005


def test_a_longer_warm_up_leaves_the_records_alone_and_shortens_what_is_measured(tmp_path, whole):
    late = ms.load(CHAIN, set=["run.warm_up=6s"]).run(out=tmp_path / "run")

    assert late.requests.equals(whole.requests)
    assert whole.summary().total.requests == (whole.requests["started_ns"] >= 2e9).sum()
    assert late.summary().total.requests == (late.requests["started_ns"] >= 6e9).sum()
    assert late.summary().total.requests < whole.summary().total.requests / 2


def test_everybody_may_read_a_run_directory(tmp_path):
    result = ms.load(CHAIN, duration="3s").run(out=tmp_path / "run")

    assert stat.S_IMODE(result.directory.stat().st_mode) == 0o755


def test_records_without_a_place_go_when_the_result_does(temporary):
    result = ms.load(CHAIN, duration="3s").run()
    assert len(result.requests) > 0
    assert len(names(temporary)) == 1

    del result
    gc.collect()

    assert names(temporary) == []


# What is never touched.


def test_a_refusal_comes_before_the_work_and_not_after_it(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    looks = []

    with pytest.raises(ms.ResultError):
        ms.load(CHAIN).run(out=tmp_path / "notes", progress=looks.append)

    assert looks == []


@pytest.mark.parametrize(
    "content", ['{"name": "my browser extension", "manifest_version": 3}', "[]", "no JSON", '{"digest": 1}', "{}"]
)
def test_a_manifest_of_another_tool_is_not_taken_for_ours(tmp_path, content):
    folder = tmp_path / "extension"
    folder.mkdir()
    (folder / "manifest.json").write_text(content)

    with pytest.raises(ms.ResultError, match="is not empty and holds no result of meshsim; choose another --out"):
        ms.load(CHAIN, duration="3s").run(out=folder)

    assert (folder / "manifest.json").read_text() == content
    assert names(tmp_path) == ["extension"]


def test_a_file_is_never_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(ms.ResultError, match=r"notes\.txt is a file; choose another --out"):
        ms.load(CHAIN, duration="3s").run(out=tmp_path / "notes.txt")

    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert names(tmp_path) == ["notes.txt"]


def test_what_has_come_into_the_place_during_the_run_is_left_alone_too(tmp_path):
    def come(_):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / "mine.txt").write_text("mine")

    with pytest.raises(ms.ResultError, match="is not empty and holds no result of meshsim"):
        ms.load(CHAIN, duration="3s").run(out=tmp_path / "run", progress=come)

    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["mine.txt"]


def test_an_empty_folder_is_a_fine_place(tmp_path):
    (tmp_path / "run").mkdir()

    assert ms.load(CHAIN, duration="3s").run(out=tmp_path / "run").directory == tmp_path / "run"
    assert names(tmp_path) == ["run"]


def test_missing_folders_above_are_made(tmp_path):
    result = ms.load(CHAIN, duration="3s").run(out=tmp_path / "a" / "b" / "run")

    assert result.directory == tmp_path / "a" / "b" / "run"
    assert names(tmp_path / "a" / "b") == ["run"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_without_permission_is_one_sentence(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)

    with pytest.raises(ms.ResultError, match=r"cannot write results to .*run: Permission denied"):
        ms.load(CHAIN, duration="3s").run(out=locked / "run")


# Ends before the end.


def test_ctrl_c_leaves_an_older_whole_result_in_its_place(tmp_path):
    ms.load(CHAIN, duration="3s").run(out=tmp_path / "run")

    for _ in range(2):
        result = ms.load(CHAIN).run(out=tmp_path / "run", progress=stop_after(4e9))

    assert names(tmp_path) == ["run", "run-interrupted"]
    assert not ms.open_result(tmp_path / "run").interrupted
    assert ms.open_result(tmp_path / "run-interrupted").interrupted
    assert 4 < result.manifest["simulated_s"] < 8


def test_the_part_before_ctrl_c_is_that_of_the_whole_run(whole):
    part = ms.load(CHAIN).run(progress=stop_after(4e9))

    ended = whole.requests[whole.requests["request"].isin(part.requests["request"])].reset_index(drop=True)
    assert part.requests.equals(ended)
    assert "(interrupted)" in repr(part)
    assert "<b>interrupted</b>" in part._repr_html_()


@pytest.mark.parametrize("moment", ["take", "close"])
def test_a_failure_in_the_middle_leaves_the_older_result_and_nothing_else(tmp_path, temporary, monkeypatch, moment):
    ms.load(CHAIN, duration="3s").run(out=tmp_path / "run", seed=5)
    whole_method = getattr(TableWriter, moment)

    def fail(self, *arguments):
        whole_method(self, *arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableWriter, moment, fail)

    with pytest.raises(OSError, match="No space left on device"):
        ms.load(CHAIN, duration="3s").run(out=tmp_path / "run")
    with pytest.raises(OSError, match="No space left on device"):
        ms.load(CHAIN, duration="3s").run()

    assert names(tmp_path) == ["run", "temporary"]
    assert ms.open_result(tmp_path / "run").manifest["seed"] == 5
    assert names(temporary) == []


def test_a_progress_bar_that_fails_leaves_nothing_behind(tmp_path, temporary):
    def fail(_):
        raise RuntimeError("no terminal")

    with pytest.raises(RuntimeError, match="no terminal"):
        ms.load(CHAIN, duration="3s").run(out=tmp_path / "run", progress=fail)

    assert names(tmp_path) == ["temporary"]
    assert names(temporary) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_place_that_others_keep_taking_is_given_up_with_a_sentence(tmp_path, monkeypatch):
    def busy(*_):
        raise OSError(39, "Directory not empty")

    directory = RunDirectory(tmp_path / "run")
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr("meshsim.experiments.run_directory.take_away", lambda *_: None)

    with pytest.raises(ms.ResultError, match="other runs keep writing to it"):
        directory.publish(is_whole=True)
    directory.discard()


# What a result says.


def test_a_result_that_is_opened_is_the_result_that_was_written(tmp_path):
    written = ms.load(CHAIN, duration="4s").run(out=tmp_path / "run", seed=3)
    opened = ms.open_result(str(tmp_path / "run"))

    assert opened.manifest == written.manifest
    assert opened.summary().to_dict() == written.summary().to_dict()
    assert opened.verdicts == written.verdicts
    assert (opened.passed, opened.interrupted, opened.events) == (written.passed, False, written.manifest["events"])
    assert repr(opened) == repr(written)
    assert opened._repr_html_() == written._repr_html_()
    for table in TABLES:
        assert getattr(opened, table).equals(getattr(written, table))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("missing", "holds no result of meshsim: there is no manifest.json in it"),
        ("empty", "holds no result of meshsim: there is no manifest.json in it"),
        ("manifest", "holds no result that can be read"),
        ("summary", "is no run directory of meshsim"),
        ("other", "is no run directory of meshsim"),
    ],
)
def test_what_is_no_result_is_refused_with_its_name(tmp_path, spoil, message):
    folder = tmp_path / "run"
    if spoil != "missing":
        folder.mkdir()
    if spoil in {"manifest", "summary", "other"}:
        ms.load(CHAIN, duration="3s").run(out=folder)
        content = {"manifest": "{", "summary": "[1]", "other": "{}"}[spoil]
        (folder / f"{'manifest' if spoil == 'manifest' else 'summary'}.json").write_text(content)

    with pytest.raises(ms.ResultError, match=f"^{folder} {message}"):
        ms.open_result(folder)


def test_a_result_says_in_one_line_what_was_run_and_whether_it_holds(whole):
    assert repr(whole) == f"<Result of chain, variant base, seed 1: {len(whole.requests):,} requests, 1 of 2 thresholds hold>"
    assert not whole.passed


def test_in_a_notebook_a_result_shows_verdicts_and_figures(whole):
    html = whole._repr_html_()

    assert f"{len(whole.requests):,} requests in {whole.manifest['simulated_s']:.0f} s simulated" in html
    assert html.count("✓") == html.count("✗") == 1
    assert "latency p(99)&lt;1s" in html
    for name in ("all", "front", "back"):
        assert f"<th>{name}</th>" in html
    assert f"{whole.summary().routes_frame().loc['all', 'latency_p99_s']:.4g}" in html


# The public names.


def test_the_public_names_are_these_and_all_can_be_imported():
    assert sorted(ms.__all__) == [
        "Comparison", "Experiment", "MeshsimError", "Result", "ResultError", "ScenarioError", "SeamError", "Sweep", "UsageError", "compare",
        "load", "open_comparison", "open_result", "policy", "progress", "sweep",
    ]  # fmt: skip
    assert dir(ms) == sorted(ms.__all__)
    for name in ms.__all__:
        assert getattr(ms, name).__name__ == name


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'meshsim' has no attribute 'simulate'"):
        _ = ms.simulate


def test_importing_meshsim_loads_no_engine_and_no_pandas():
    script = "import sys, meshsim; print([name for name in ('simpy', 'pandas', 'numpy', 'pydantic') if name in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
