"""The rate-limit cases that were measured on a real Envoy, as scenarios on the same arrivals: admitted and limited, second by second."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from measured import replayed
from ruamel.yaml import YAML

LATE = 3
"""Requests by which the running count may be off: the test bed sends up to half a millisecond late, and a token may come between."""


@pytest.mark.parametrize("name", ["rl_uniform", "rl_coarse", "rl_poisson100"])
def test_admitted_and_limited_over_time_are_those_of_the_real_envoy(envoy, tmp_path, name):
    """The bucket is filled continuously. Nothing is drawn: a deviation beyond a few requests is an error of the model."""
    case = YAML(typ="safe").load(envoy / "cases" / name / "case.yaml")
    limit = case["policy"]["ratelimit"]
    bucket = {
        "max_tokens": limit["max_tokens"],
        "tokens_per_fill": limit["tokens_per_fill"],
        "fill_interval": f"{limit['fill_interval_ms']}ms",
    }
    result, measured = replayed(envoy, name, tmp_path, {}, {}, filters=[{"rate_limit": {"token_bucket": bucket}}])
    with (envoy / "cases" / name / "timeseries.csv").open() as file:
        rows = list(csv.DictReader(file))
    requests = result.requests
    second = requests["started_ns"].to_numpy() // 1_000_000_000
    admitted = np.bincount(second[requests["status"] == 200], minlength=len(rows))
    limited = np.bincount(second[requests["status"] == 429], minlength=len(rows))

    assert result.manifest["requests"] == measured["count"]
    assert admitted.sum() == pytest.approx(measured["status"]["200"], abs=1)
    assert set(requests.loc[requests["status"] == 429, "response_flags"]) <= {"RL"}  # none of rl_poisson100 was limited
    ok = np.array([int(row["ok"]) for row in rows])
    offered = np.array([int(row["offered"]) for row in rows])
    assert np.abs(np.cumsum(admitted) - np.cumsum(ok)).max() <= LATE
    assert np.abs(np.cumsum(limited) - np.cumsum(offered - ok)).max() <= LATE


@pytest.mark.parametrize(("name", "wrong"), [("rl_uniform", 2050), ("rl_coarse", 1000)])
def test_a_bucket_that_is_filled_in_steps_would_be_told_apart(envoy, tmp_path, name, wrong):
    case = YAML(typ="safe").load(envoy / "cases" / name / "case.yaml")
    limit = case["policy"]["ratelimit"]
    bucket = {
        "max_tokens": limit["max_tokens"],
        "tokens_per_fill": limit["tokens_per_fill"],
        "fill_interval": f"{limit['fill_interval_ms']}ms",
    }
    rules = [{"limit": {"stepped_token_bucket": bucket}}]
    result, measured = replayed(envoy, name, tmp_path, {}, {}, filters=[{"rate_limit": {"rules": rules}}])
    admitted = int((result.requests["status"] == 200).sum())

    assert admitted == pytest.approx(wrong, abs=limit["tokens_per_fill"])
    assert abs(admitted - measured["status"]["200"]) > 20
