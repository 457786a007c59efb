"""Same scenario, seed and version: same bytes, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import meshsim as ms

BOUTIQUE = Path(__file__).resolve().parents[2] / "scenarios" / "online-boutique.yaml"
FILES = (
    "requests.parquet", "attempts.parquet", "waits.parquet", "counters.parquet", "proxies.parquet", "histograms.parquet", "timeline.parquet",
    "errors.parquet", "services.parquet", "edges.parquet", "nodes.parquet", "stages.parquet", "spans.parquet", "summary.json",
    "manifest.json",
)  # fmt: skip
SCRIPT = """
import sys
import meshsim as ms
ms.load(sys.argv[1], variant="timeouts-and-budget", duration="15s").run(out=sys.argv[2])
"""


def run_elsewhere(out: Path, hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, "-c", SCRIPT, str(BOUTIQUE), str(out)], check=True, env=environment)


def test_two_runs_in_processes_with_other_hash_seeds_give_the_same_bytes(tmp_path):
    ms.load(BOUTIQUE, variant="timeouts-and-budget", duration="15s").run(out=tmp_path / "here")
    run_elsewhere(tmp_path / "one", "1")
    run_elsewhere(tmp_path / "two", "2718")

    for name in FILES:
        here = (tmp_path / "here" / name).read_bytes()
        assert here == (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_another_seed_and_another_replication_are_other_worlds():
    experiment = ms.load(BOUTIQUE, duration="15s")

    base, seed, replication = (
        experiment.run(**world).requests["started_ns"].tolist() for world in ({}, {"seed": 7}, {"replication": 1})
    )

    assert base != seed
    assert base != replication
    assert seed != replication


def test_the_scenario_and_the_seed_that_a_run_leaves_repeat_it(tmp_path):
    first = ms.load(BOUTIQUE, variant="timeouts-and-budget", set=["load.shoppers.rate=50/s"], duration="15s").run(
        out=tmp_path / "a", seed=5
    )
    second = ms.load(tmp_path / "a" / "scenario.yaml").run(out=tmp_path / "b", seed=first.manifest["seed"])

    assert (tmp_path / "a" / "attempts.parquet").read_bytes() == (tmp_path / "b" / "attempts.parquet").read_bytes()
    assert second.manifest["digest"] == first.manifest["digest"]


def test_what_is_kept_does_not_change_the_figures_and_whole_requests_are_kept():
    experiment = ms.load(BOUTIQUE, duration="20s")
    everything, some, nothing = (experiment.run(records=share) for share in (1.0, 0.1, 0.0))

    assert everything.summary().to_dict() == some.summary().to_dict() == nothing.summary().to_dict()
    kept = set(some.requests["request"])
    assert abs(len(kept) / len(everything.requests) - 0.1) < 4 * (0.09 / len(everything.requests)) ** 0.5
    attempts = everything.attempts
    assert some.attempts["id"].tolist() == attempts[attempts["request"].isin(kept)]["id"].tolist()


def test_quantiles_of_the_summary_are_exact_to_half_a_percent():
    result = ms.load(BOUTIQUE, duration="30s").run()
    requests = result.requests[result.requests["started_ns"] >= 10e9]

    for route, rows in requests.groupby("route", observed=True):
        latency = result.summary().routes_frame().loc[route]
        for share, name in ((0.5, "latency_p50_s"), (0.9, "latency_p90_s"), (0.99, "latency_p99_s")):
            exact = rows["latency_s"].quantile(share, interpolation="higher")
            lower = rows["latency_s"].quantile(share, interpolation="lower")
            assert lower * 0.995 <= latency[name] <= exact * 1.005
