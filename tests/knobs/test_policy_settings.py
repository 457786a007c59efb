"""No setting of a policy is inert: for each a pair of runs in which it changes a result, and in the right direction."""

from __future__ import annotations

from pathlib import Path

import knobs_balancing
import knobs_ejection
import knobs_filters
import knobs_limits
import knobs_retries
import pytest
from knob import figures

from meshsim.registry import Policy, families, settings

MODULES = (knobs_balancing, knobs_ejection, knobs_filters, knobs_limits, knobs_retries)
KNOBS = [knob for module in MODULES for knob in module.KNOBS]
POLICIES = Path(__file__).resolve().parents[1] / "policies"
PLAIN = {"admission", "authorization_rule", "edge_balancer", "filter", "rate_limit_rule"}
"""Families some of whose settings are turned in tests/policies."""
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


def own_policies() -> list[type[Policy]]:
    """All policies of the project but distributions."""
    return [
        policy
        for family, members in families().items()
        for policy in members.values()
        if family not in ELSEWHERE and policy.__module__.startswith("meshsim.")
    ]


def test_every_setting_of_every_policy_has_a_knob_or_is_turned_by_plain_calls():
    """What the gateway's filters and rate limits make of each setting is tested by calling them (`PLAIN`)."""
    turned = {name for knob in KNOBS for name in knob.key.split()}
    plain = {policy: text_of_tests(policy.name) for policy in own_policies() if policy.family in PLAIN}
    missing = [
        f"{policy.__name__}.{setting.name}"
        for policy in own_policies()
        for setting in settings(policy)
        if f"{policy.__name__}.{setting.name}" not in turned and f"{setting.name}=" not in plain.get(policy, "")
    ]

    assert missing == []


def text_of_tests(name: str) -> str:
    """The tests of policies in whose names a policy's name stands, or that name it."""
    tests = [
        path.read_text(encoding="utf-8") for path in sorted(POLICIES.glob("test_*.py")) if path.name != "test_documentation.py"
    ]
    words = (name, "".join(part.capitalize() for part in name.split("_")))
    return "\n".join(text for text in tests if any(word in text for word in words))
