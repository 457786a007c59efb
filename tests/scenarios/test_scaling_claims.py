"""What the comments of the scenarios about scaling promise, held by runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "slow-autoscaler.yaml"
SPIKE_S = 120


@cache
def run(variant):
    return ms.load(SCENARIO, variant=variant).run()


def after_the_spike(variant):
    requests = run(variant).requests
    return requests[requests["started_ns"] >= SPIKE_S * 1e9]


def failed(variant, until_s=1e9):
    requests = after_the_spike(variant)
    return (requests["status"] != 200)[requests["started_ns"] < until_s * 1e9].mean()


def last_failure_s(variant):
    requests = after_the_spike(variant)
    return requests.loc[requests["status"] != 200, "started_ns"].max() / 1e9


def steps_s(variant):
    """When replicas are added after the spike."""
    looks = run(variant).autoscaling
    return looks.loc[(looks["desired"] > looks["replicas"]) & (looks["time_ns"] > SPIKE_S * 1e9), "time_ns"].to_numpy() / 1e9


def hours(variant):
    return run(variant).summary().services[0].replica_hours


def test_the_autoscaler_as_it_is_comes_up_a_step_a_minute_and_most_requests_fail_meanwhile():
    assert (steps_s("as-is")[1:] - steps_s("as-is")[:-1] > 59).all()
    assert failed("as-is", until_s=350) > 0.5
    assert 340 < last_failure_s("as-is") < 360


def test_looking_more_often_at_the_same_figures_changes_nothing():
    assert len(run("shorter-looks").autoscaling) > 2.5 * len(run("as-is").autoscaling)
    assert run("shorter-looks").requests.equals(run("as-is").requests)


def test_a_lower_target_and_a_faster_start_save_it_together():
    assert failed("as-is") > 1.8 * failed("faster-start") > 1.8 * failed("lower-target") > 1.8 * failed("saved")
    assert last_failure_s("saved") < SPIKE_S + 30
    assert hours("saved") / hours("as-is") == pytest.approx(2.2, abs=0.1)


def test_requests_in_flight_ask_for_what_is_missing_at_once_and_for_more_than_that():
    looks = run("by-requests-in-flight").autoscaling
    needed = 80 * 0.1 / 0.8

    assert len(steps_s("by-requests-in-flight")) == 2
    assert looks["desired"].max() > 2 * needed
    assert failed("by-requests-in-flight") < failed("faster-start") / 5
