"""No setting of a policy is inert: for each a pair of runs in which it changes a result, and in the right direction."""

from __future__ import annotations

import knobs_balancing
import knobs_ejection
import knobs_filters
import knobs_limits
import knobs_retries
import pytest
from knob import figures

from meshsim.registry import families, settings

MODULES = (knobs_balancing, knobs_ejection, knobs_filters, knobs_limits, knobs_retries)
KNOBS = [knob for module in MODULES for knob in module.KNOBS]
ELSEWHERE = {"distribution"}
"""Families whose settings are held against exact moments in tests/unit."""


@pytest.mark.parametrize("knob", KNOBS, ids=str)
def test_a_knob_changes_a_figure_in_the_right_direction(knob):
    first, second = figures(knob)

    if knob.direction == "more":
        assert second > first
    elif knob.direction == "less":
        assert second < first
    else:
        assert second != first


def test_every_setting_of_every_policy_has_a_knob():
    turned = {name for knob in KNOBS for name in knob.key.split()}
    own = [
        policy
        for family, members in families().items()
        for policy in members.values()
        if family not in ELSEWHERE and policy.__module__.startswith("meshsim.")
    ]
    keys = {f"{policy.__name__}.{setting.name}" for policy in own for setting in settings(policy)}

    assert sorted(keys - turned) == []
