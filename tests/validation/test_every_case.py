"""A real Envoy 1.40 in 73 cases, measured, and each simulated on its own draws.

`as_scenario.py` makes the scenario, `figures.py` takes the same figures of both, `noise_floor.py` says how far they may be apart. The seeds are
fixed, so an alarm is a change of the model and not chance. docs/validation.md has the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compare import OUTSIDE, compare
from measured_cases import ALL

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation.md"
QUICK = ("base_zero", "hop2_plain_new", "hop2_mtls_new", "rl_uniform", "prio_all", "ptt100_r2")
"""Run with the fast tests; the others take about fifteen minutes."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ALL])
def test_a_measured_case_lies_inside_of_the_noise(envoy: Path, name: str) -> None:
    outside = {each.figure: (each.measured, each.simulated, each.allowed) for each in compare(envoy, name).outside}

    if name in OUTSIDE:
        assert outside, f"{name} has come inside: take it out of OUTSIDE and make docs/validation.md anew"
    else:
        assert outside == {}


def test_no_public_case_is_left_out(envoy: Path) -> None:
    assert sorted(folder.name for folder in (envoy / "cases").iterdir()) == sorted(ALL)


def test_at_least_70_cases_lie_inside() -> None:
    assert len(ALL) - len(OUTSIDE) >= 70


def test_the_page_has_every_case_and_says_of_the_right_ones_that_they_are_outside() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert [line.split("`")[1] for line in rows] == list(ALL)
    assert {line.split("`")[1] for line in rows if "**outside**" in line} == set(OUTSIDE)
    assert all(f"- `{name}`: {why}" in PAGE.read_text(encoding="utf-8") for name, why in OUTSIDE.items())


def exact_timers(scenario: dict[str, Any]) -> None:
    scenario["gateway"]["timer_resolution"] = "0s"


def three_more_retries(scenario: dict[str, Any]) -> None:
    scenario["gateway"]["traffic"]["svc"]["circuit_breakers"] = {"max_retries": 6}


def no_merge_window(scenario: dict[str, Any]) -> None:
    scenario["gateway"]["traffic"]["svc"]["update_merge_window"] = "0s"


def no_limit(scenario: dict[str, Any]) -> None:
    del scenario["gateway"]["traffic"]["svc"]["circuit_breakers"]


def no_slow_start(scenario: dict[str, Any]) -> None:
    scenario["gateway"]["traffic"]["svc"]["load_balancer"] = "round_robin"


def no_hedge(scenario: dict[str, Any]) -> None:
    del scenario["gateway"]["routes"]["all"]["hedge_policy"]


def free_connections(scenario: dict[str, Any]) -> None:
    scenario["gateway"]["connection_time"] = scenario["mesh"]["connection_time"] = "0s"


def free_encryption(scenario: dict[str, Any]) -> None:
    scenario["mesh"]["mtls"]["time_per_request"] = "0s"


@pytest.mark.parametrize(
    ("name", "change", "figure"),
    [
        ("hop2_plain_new", free_connections, "mean"),
        ("hop2_mtls", free_encryption, "mean"),
        pytest.param("over_t500_r2", exact_timers, "flags URX,UT", marks=pytest.mark.slow),
        pytest.param("retry_e30_r3_default_cb", three_more_retries, "success", marks=pytest.mark.slow),
        pytest.param("out_base5", no_merge_window, "success", marks=pytest.mark.slow),
        pytest.param("cb_conn6", no_limit, "mean", marks=pytest.mark.slow),
        pytest.param("slowstart", no_slow_start, "5 s of the new host", marks=pytest.mark.slow),
        pytest.param("hedge100", no_hedge, "p99", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_model_would_be_told_apart(envoy: Path, name: str, change: Any, figure: str) -> None:
    """The floor is no blanket: each of these changes takes the case out of it."""
    assert figure in {each.figure for each in compare(envoy, name, change).outside}
