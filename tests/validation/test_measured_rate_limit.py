"""The rate-limit cases that were measured on a real Envoy, second by second: admitted and limited."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from as_scenario import scenario_of
from measured_cases import Case

import meshsim as ms

if TYPE_CHECKING:
    from pathlib import Path

    from meshsim import Result

LATE = 3
"""Requests by which the running count may be off: the test bed sends up to half a millisecond late, and a token may come between."""


def limited(case: Case, folder: Path, change: Any = None) -> Result:
    scenario = scenario_of(case, folder)
    if change is not None:
        change(scenario)
    return ms.load(scenario).run()


def in_steps(scenario: dict[str, Any]) -> None:
    """The bucket that Envoy had once, filled by a timer."""
    (limit,) = scenario["gateway"]["filters"]
    scenario["gateway"]["filters"] = [
        {"rate_limit": {"rules": [{"limit": {"stepped_token_bucket": limit["rate_limit"]["token_bucket"]}}]}}
    ]


@pytest.mark.parametrize("name", ["rl_uniform", "rl_coarse", "rl_poisson100"])
def test_admitted_and_limited_over_time_are_those_of_the_real_envoy(envoy: Path, tmp_path: Path, name: str) -> None:
    """The bucket is filled continuously. Nothing is drawn: a deviation beyond a few requests is an error of the model."""
    case = Case(name, envoy)
    result = limited(case, tmp_path)
    with (case.folder / "timeseries.csv").open() as file:
        rows = list(csv.DictReader(file))
    requests = result.requests
    second = requests["started_ns"].to_numpy() // 1_000_000_000
    admitted = np.bincount(second[requests["status"] == 200], minlength=len(rows))
    refused = np.bincount(second[requests["status"] == 429], minlength=len(rows))

    assert result.manifest["requests"] == case.summary["count"]
    assert admitted.sum() == pytest.approx(case.summary["status"]["200"], abs=1)
    ok = np.array([int(row["ok"]) for row in rows])
    offered = np.array([int(row["offered"]) for row in rows])
    assert np.abs(np.cumsum(admitted) - np.cumsum(ok)).max() <= LATE
    assert np.abs(np.cumsum(refused) - np.cumsum(offered - ok)).max() <= LATE


@pytest.mark.parametrize(("name", "wrong"), [("rl_uniform", 2050), ("rl_coarse", 1000)])
def test_a_bucket_that_is_filled_in_steps_would_be_told_apart(envoy: Path, tmp_path: Path, name: str, wrong: int) -> None:
    case = Case(name, envoy)
    admitted = int((limited(case, tmp_path, in_steps).requests["status"] == 200).sum())

    assert admitted == pytest.approx(wrong, abs=case.spec["policy"]["ratelimit"]["tokens_per_fill"])
    assert abs(admitted - case.summary["status"]["200"]) > 20
