"""What the comments of the scenarios about the mesh promise, held by runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import meshsim as ms

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


@cache
def run(name, variant):
    return ms.load(SCENARIOS / f"{name}.yaml", variant=variant).run()


def variants(name):
    return {variant: run(name, variant) for variant in YAML(typ="safe").load(SCENARIOS / f"{name}.yaml")["variants"]}


def between(result, from_s, until_s):
    requests = result.requests
    return requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]


def ok(result, from_s=0, until_s=1e9):
    return (between(result, from_s, until_s)["status"] == 200).mean()


def p99_ms(result, from_s=0, until_s=1e9):
    return between(result, from_s, until_s)["latency_s"].quantile(0.99) * 1e3


def count(result, column, service=None, from_s=0):
    rows = result.destinations
    rows = rows[rows["time_ns"] > from_s * 1e9]
    return rows.loc[rows["service"] == service, column].sum() if service else rows[column].sum()


def service(result, name):
    return next(one for one in result.summary().services if one.name == name)


def test_a_storm_of_retries_outlives_its_cause_until_load_is_taken_off():
    runs = variants("retry-storm")

    assert all(ok(result, 5, 15) > 0.99 for result in runs.values())
    assert ok(runs["unlimited"], 30, 60) < 0.01
    assert all(ok(runs[name], 45, 60) > 0.99 for name in ("default-limit", "budget", "no-retries"))
    assert ok(runs["load-shed"], 44, 60) > 0.99
    assert service(runs["unlimited"], "backend").wasted_share > 0.9


def test_least_request_and_peak_ewma_notice_a_gray_replica_and_round_robin_does_not():
    runs = variants("gray-replica")
    slow = {name: p99_ms(result, 20, 50) for name, result in runs.items()}

    assert slow["peak-ewma"] < slow["full-scan"] < slow["least-request"] < 1000
    assert min(slow["round-robin"], slow["random"]) > 5000
    assert ok(runs["round-robin"], 20, 50) < 0.99 < ok(runs["ejection"], 25, 50) + 0.005
    assert count(runs["ejection"], "ejections") > 0


@pytest.mark.slow
def test_least_request_degrades_towards_random_with_the_number_of_callers():
    mean = {name: result.requests["latency_s"].mean() for name, result in variants("many-callers").items()}

    assert mean["one"] < mean["four"] < mean["sixteen"] < mean["sixty-four"] < mean["random"]
    assert mean["random"] - mean["sixty-four"] < 0.2 * (mean["random"] - mean["one"])


def test_a_tenth_of_five_replicas_is_nobody():
    runs = variants("small-pool-ejection")

    assert count(runs["defaults"], "ejections") == 0
    assert ok(runs["defaults"], 15, 45) == pytest.approx(0.8, abs=0.01) == ok(runs["off"], 15, 45)
    assert min(ok(runs["one-host"], 15, 45), ok(runs["a-fifth"], 15, 45)) > 0.98
    assert "(gateway) to backend: outlier_detection ejected nobody" in runs["defaults"].summary().never_acted


def test_slow_start_hides_a_cold_replica():
    runs = variants("slow-start")

    assert p99_ms(runs["slow-start"], 20, 40) < p99_ms(runs["at-once"], 20, 40) / 3
    assert p99_ms(runs["slow-start"], 5, 20) == p99_ms(runs["at-once"], 5, 20)


def test_failover_acts_on_what_ejection_finds_and_not_by_itself():
    runs = variants("zone-failure")

    assert ok(runs["nothing"], 20, 45) == pytest.approx(2 / 3, abs=0.03)
    assert ok(runs["ejection"], 20, 45) > 0.98
    assert ok(runs["failover"], 20, 45) > 0.98
    assert ok(runs["failover-alone"], 20, 45) == pytest.approx(0.5, abs=0.03)
    assert count(runs["nothing"], "connect_timeouts") > 500 > count(runs["ejection"], "connect_timeouts") > 0


def test_a_deploy_loses_requests_unless_the_pods_wait_for_the_news():
    runs = variants("stale-discovery")

    assert 0.9 < ok(runs["no-retries"], 10, 50) < 0.98
    assert ok(runs["istio-retries"]) > 0.999
    assert ok(runs["pre-stop"]) > 0.999
    assert min(count(runs[name], "connect_failures", "back") + count(runs[name], "stale_picks", "back") for name in runs) > 0


def test_three_layers_of_retries_make_64_tries_of_one_request():
    tries = {}
    for name, result in variants("layered-retries").items():
        during = between(result, 21, 27)["request"]
        rows = result.attempts[result.attempts["request"].isin(during)]
        tries[name] = (rows["service"] == "back").sum() / len(during)

    assert tries["everywhere"] == pytest.approx(64, rel=0.05)
    assert tries["mesh-only"] == pytest.approx(4, rel=0.01)
    assert tries["budget"] < 40
    quiet = run("layered-retries", "everywhere").attempts
    early = quiet[(quiet["service"] == "back") & (quiet["sent_ns"] < 19e9)]
    assert len(early) / early["request"].nunique() == pytest.approx(1.03, abs=0.03)


def test_deadlines_save_the_work_that_nobody_waits_for():
    wasted = {name: service(result, "back").wasted_share for name, result in variants("deadline-propagation").items()}

    assert wasted["without"] > 0.6
    assert wasted["with"] < 0.2
    assert ok(run("deadline-propagation", "with"), 35, 60) > 0.99 > ok(run("deadline-propagation", "without"), 35, 50)


def test_a_grpc_connection_sticks_to_one_replica():
    runs = variants("http2-stickiness")
    used = {
        name: result.attempts.loc[result.attempts["service"] == "back", "instance"].value_counts()
        for name, result in runs.items()
    }

    assert len(used["cluster-ip"]) <= 2
    assert len(used["max-age"]) == 4
    assert used["sidecars"].max() / used["sidecars"].min() < 1.1


@pytest.mark.slow
def test_a_rotation_of_certificates_is_a_burst_of_handshakes():
    runs = variants("certificate-rotation")
    handshakes = {name: count(result, "handshakes", from_s=20) for name, result in runs.items()}
    median = {name: between(result, 20, 20.1)["latency_s"].median() for name, result in runs.items()}

    assert handshakes["http1"] > 5 * handshakes["http2"] >= 5 * 16
    assert handshakes["no-rotation"] < 20
    assert count(runs["no-resumption"], "resumed") == 0 < count(runs["http1"], "resumed")
    assert median["no-resumption"] > median["no-rotation"] + 0.01
    assert median["no-rotation"] <= median["http2"]


@pytest.mark.slow
def test_each_hop_costs_and_a_mesh_retries_what_fails():
    runs = variants("deployment-choice")
    median = {name: between(result, 5, 30)["latency_s"].median() for name, result in runs.items()}
    cores = {name: sum(one.cpu_cores or 0 for one in result.summary().proxies) for name, result in runs.items()}

    assert median["none"] < median["gateway"] < median["both"]
    assert median["none"] < median["ambient"] < median["both"]
    assert median["none"] < median["mesh"] < median["both"]
    assert cores["none"] == 0 < cores["gateway"] < cores["ambient"] < cores["mesh"] < cores["both"]
    assert ok(runs["none"], 30, 50) == pytest.approx(2 / 3, abs=0.03) == ok(runs["gateway"], 30, 50)
    assert min(ok(runs[name], 30, 50) for name in ("mesh", "both")) > 0.99
    assert 0.9 < ok(runs["ambient"], 30, 50) < 0.97  # a waypoint without a VirtualService retries at any host, the same one too
