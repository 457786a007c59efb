"""Every policy says what it does, whose idea that is, and what each of its settings means."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import meshsim.policies
from meshsim.policies.retry import BackOff, RetryBudget, RetryPolicy
from meshsim.registry import families, first_sentence, settings, snake_case

OWN = {cls for members in families().values() for cls in members.values() if cls.__module__.startswith("meshsim.policies.")}
POLICIES = pytest.mark.parametrize("cls", sorted(OWN, key=lambda cls: cls.__name__), ids=lambda cls: cls.name)


def test_these_are_the_policies():
    own = {family: {name for name, cls in members.items() if cls in OWN} for family, members in families().items()}

    assert {family: names for family, names in own.items() if names} == {
        "admission": {"token_bucket"},
        "filter": {"rate_limit"},
        "load_balancer": {"least_request", "random", "round_robin"},
    }


@POLICIES
def test_a_policy_is_called_as_its_file_and_its_class(cls):
    path = Path(inspect.getsourcefile(cls))

    assert cls.name == path.stem == snake_case(cls.__name__)
    assert path.is_relative_to(Path(meshsim.policies.__file__).parent)


@POLICIES
def test_a_policy_is_the_only_one_in_its_file(cls):
    module = inspect.getmodule(cls)

    assert [other for other in OWN if inspect.getmodule(other) is module] == [cls]


@pytest.mark.parametrize("cls", [*sorted(OWN, key=lambda cls: cls.__name__), BackOff, RetryBudget, RetryPolicy])
def test_a_policy_says_in_one_sentence_what_it_does_and_names_its_source(cls):
    assert first_sentence(cls).endswith(".")
    assert "\nSource: " in inspect.getdoc(cls)


@POLICIES
def test_every_setting_is_documented(cls):
    for setting in settings(cls):
        assert setting.doc.endswith("."), f"{cls.name}.{setting.name}"


def test_these_are_all_the_settings_each_of_which_some_test_here_changes():
    """A new setting belongs into this list together with a test in which it changes a result."""
    assert {cls.name: [setting.name for setting in settings(cls)] for cls in OWN} == {
        "least_request": ["choice_count"],
        "random": [],
        "rate_limit": ["token_bucket", "key"],
        "round_robin": [],
        "token_bucket": ["max_tokens", "tokens_per_fill", "fill_interval"],
    }
