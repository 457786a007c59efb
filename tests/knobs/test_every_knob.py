"""No knob is inert: for each key of the scenario language a pair of runs in which it changes a result, and in the right direction."""

from __future__ import annotations

import knobs_balancing
import knobs_ejection
import knobs_filters
import knobs_limits
import knobs_loads
import knobs_proxies
import knobs_retries
import knobs_services
import knobs_world
import pytest
from knob import figures

from meshsim.scenario.fields import fields

MODULES = (
    knobs_balancing,
    knobs_ejection,
    knobs_filters,
    knobs_limits,
    knobs_loads,
    knobs_proxies,
    knobs_retries,
    knobs_services,
    knobs_world,
)
KNOBS = [knob for module in MODULES for knob in module.KNOBS]
SHARED = ("ConstantArrivalRate", "ConstantUsers", "RampingArrivalRate", "RampingUsers", "Replay")
"""Loads: what all have in common is turned in one of them."""
ELSEWHERE = {
    # names, and containers of other keys; variants and matrix in tests/scenario, thresholds in tests/metrics
    "Scenario": (
        "name",
        "description",
        "load",
        "gateway",
        "mesh",
        "direct",
        "services",
        "network",
        "faults",
        "variants",
        "matrix",
        "run",
        "thresholds",
    ),
    "RunSection": ("replications", "until"),  # tests/experiments: they change how many runs there are, not a run
    "UntilSection": ("metric", "relative_error", "max_replications"),
    "Replay": ("executor", "file", "column", "unit", "duration"),  # tests/test_replay.py
    "ReplaySection": ("file", "column"),
    "ReplayedTime": ("replay",),
    "TimeReplaySection": ("file", "column", "unit"),
    "ErrorsSection": ("replay",),
}
DISTRIBUTIONS = (
    "Constant",
    "Component",
    "DistributionChoice",
    "Empirical",
    "Exponential",
    "Gamma",
    "Lognormal",
    "Mixture",
    "Pareto",
    "Weibull",
)
"""Their settings: tests/unit/test_distributions.py, against exact moments."""


@pytest.mark.parametrize("knob", KNOBS, ids=str)
def test_a_knob_changes_a_figure_in_the_right_direction(knob):
    first, second = figures(knob)

    if knob.direction == "more":
        assert second > first
    elif knob.direction == "less":
        assert second < first
    else:
        assert second != first


def test_every_key_has_a_knob_or_a_test_elsewhere():
    keys = {f"{field.owner.__name__}.{field.name}" for field in fields()}
    turned = {name for knob in KNOBS for name in knob.key.split()}
    turned |= {f"{load}.{name.split('.')[1]}" for name in turned if name.startswith(SHARED) for load in SHARED} & keys
    excused = {f"{owner}.{name}" for owner, names in ELSEWHERE.items() for name in names}
    excused |= {key for key in keys if key.startswith(tuple(f"{name}." for name in DISTRIBUTIONS))}

    assert sorted(keys - turned - excused) == []
    assert sorted(turned - keys) == []
    assert sorted(excused - keys) == []
