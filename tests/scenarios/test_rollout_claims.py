"""What the comment of the scenario of a rolling deploy promises, held by runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "rolling-deploy.yaml"


@cache
def run(variant):
    return ms.load(SCENARIO, variant=variant).run()


def flags(variant):
    requests = run(variant).requests
    return requests.loc[requests["status"] != 200, "response_flags"].astype(str).value_counts().to_dict()


def rollout(variant, number=0):
    return run(variant).summary().rollouts[number]


def p99_s(variant, from_s, until_s):
    requests = run(variant).requests
    during = requests[requests["started_ns"].between(from_s * 1e9, until_s * 1e9) & (requests["status"] == 200)]
    return (during["ended_ns"] - during["started_ns"]).quantile(0.99) / 1e9


def test_pods_that_stop_before_the_gateway_knows_refuse_what_it_sends_and_a_sleep_before_the_stop_ends_that():
    assert flags("as-is").keys() == {"UF"}
    assert 80 < flags("as-is")["UF"] < 300
    assert flags("drained") == flags("drained-and-whole") == {}


def test_five_pods_cannot_do_the_work_of_six():
    """15 s of two rounds each, with a tenth more work than workers."""
    assert (rollout("drained").available_least, rollout("drained-and-whole").available_least) == (5, 6)
    assert p99_s("drained", 30, 60) > 2 * p99_s("drained", 0, 30)
    assert p99_s("drained-and-whole", 30, 75) < 1.2 * p99_s("drained", 0, 30)


def test_nobody_missing_takes_three_rounds_in_place_of_two():
    assert [rollout(name).duration_s for name in ("as-is", "drained", "drained-and-whole")] == [30.0, 30.0, 45.0]
    assert {rollout(name).pods_most for name in ("as-is", "drained", "drained-and-whole")} == {8}


def test_recreate_is_an_outage_of_a_quarter_of_a_minute():
    failed = run("recreate").requests.query("status != 200")["started_ns"] / 1e9

    assert rollout("recreate").available_least == 0
    assert rollout("recreate").duration_s == pytest.approx(15.5, abs=0.5)
    assert failed.max() - failed.min() < 18
    assert len(failed) > 110 * 15


def test_a_broken_version_stops_the_rollout_by_itself_and_leaves_one_pod_missing():
    broken, undone = rollout("broken"), rollout("broken", 1)

    assert (broken.duration_s, broken.is_superseded, broken.updated, broken.available_least) == (None, True, 3, 5)
    assert (undone.began_s, undone.duration_s) == (90.0, 15.0)
    assert flags("broken").keys() == {"DC"}
