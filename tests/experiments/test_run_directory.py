"""Results are written whole or not at all, and nothing of anybody else's is touched."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys

import pytest

import meshsim as ms
from meshsim.experiments.run_directory import TableWriter

SCENARIO = {
    "name": "small",
    "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "500/s", "requests": {"server": 1}}},
    "services": {"server": {"workers": 4, "script": [{"compute": {"exponential": {"mean": "4ms"}}}]}},
    "run": {"duration": "20s", "warm_up": "2s"},
    "thresholds": {"latency": ["p(99)<1s"]},
}
TWO_AT_ONCE = """
import json, sys
import meshsim as ms
for _ in range(4):
    ms.load(json.loads(sys.argv[1]), duration="3s").run(out=sys.argv[2])
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_leaves_a_whole_directory_and_nothing_beside_it(tmp_path):
    result = ms.load(SCENARIO).run(out=tmp_path / "run")

    assert names(tmp_path) == ["run"]
    assert names(result.directory) == [
        "attempts.parquet", "autoscaling.parquet", "balance.parquet", "caches.parquet", "connection_pools.parquet",
        "counters.parquet", "cpu.parquet", "decision_rates.parquet", "decisions.parquet",
        "deployments.parquet",
        "destinations.parquet", "edges.parquet",
        "errors.parquet", "filters.parquet", "histograms.parquet", "manifest.json", "message_queues.parquet",
        "messages.parquet", "nodes.parquet", "policies.parquet",
        "proxies.parquet",
        "requests.parquet", "scenario.yaml", "services.parquet", "spans.parquet", "stages.parquet", "summary.json",
        "timeline.parquet", "waits.parquet",
    ]  # fmt: skip
    opened = ms.open_result(tmp_path / "run")
    assert opened.summary().to_dict() == result.summary().to_dict()
    assert opened.verdicts == result.verdicts
    assert opened.requests.equals(result.requests)


def test_an_older_result_is_replaced(tmp_path):
    ms.load(SCENARIO, duration="3s").run(out=tmp_path / "run", seed=1)
    ms.load(SCENARIO, duration="3s").run(out=tmp_path / "run", seed=2, records=0)

    assert ms.open_result(tmp_path / "run").manifest["seed"] == 2
    assert "requests.parquet" not in names(tmp_path / "run")
    assert names(tmp_path) == ["run"]


def test_a_directory_of_somebody_elses_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")

    with pytest.raises(ms.ResultError, match="is not empty and holds no result of meshsim; choose another --out"):
        ms.load(SCENARIO, duration="3s").run(out=tmp_path / "thesis")

    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "mine"
    assert names(tmp_path) == ["thesis"]


def test_ctrl_c_keeps_what_is_done_under_a_name_of_its_own(tmp_path):
    def interrupt(progress):
        if progress.now_ns > 5e9:
            signal.raise_signal(signal.SIGINT)

    result = ms.load(SCENARIO).run(out=tmp_path / "run", progress=interrupt)

    assert result.interrupted
    assert names(tmp_path) == ["run-interrupted"]
    assert 2000 < len(result.requests) < 4000
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TableWriter, "take", full)

    with pytest.raises(OSError, match="No space left on device"):
        ms.load(SCENARIO).run(out=tmp_path / "run")

    assert names(tmp_path) == []


def test_a_place_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ms.ResultError, match="cannot write results to"):
        ms.load(SCENARIO).run(out=tmp_path / "file" / "run")


def test_two_runs_at_once_leave_one_whole_result(tmp_path):
    arguments = [sys.executable, "-c", TWO_AT_ONCE, json.dumps(SCENARIO), str(tmp_path / "run")]
    both = [subprocess.Popen(arguments) for _ in range(2)]

    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert names(tmp_path) == ["run"]
    assert len(ms.open_result(tmp_path / "run").requests) > 1200


def test_a_result_says_what_it_is():
    result = ms.load(SCENARIO).run()

    assert repr(result) == f"<Result of small, variant base, seed 1: {len(result.requests):,} requests, 1 of 1 thresholds hold>"
    assert "latency p(99)&lt;1s" in result._repr_html_()
    assert "server" in result._repr_html_()


def test_requests_of_the_warm_up_are_in_the_records_but_not_in_the_figures():
    result = ms.load(SCENARIO).run()

    assert (result.requests["started_ns"] < 2e9).any()
    assert result.summary().total.requests == (result.requests["started_ns"] >= 2e9).sum()


def test_a_run_loads_no_pandas(tmp_path):
    """It takes 0.3 s and 50 MB, which every replication on every process would pay."""
    code = f"""
import sys, meshsim
meshsim.load({SCENARIO!r}).run(out={str(tmp_path / "run")!r})
print("pandas" in sys.modules)
"""

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
