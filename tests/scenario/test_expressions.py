"""Regular expressions of paths: RE2's, so that no scenario keeps its reader busy."""

from __future__ import annotations

import pytest

from meshsim.scenario.expressions import ExpressionError, matches, refuse_unless_an_expression


def test_an_expression_matches_the_whole_of_a_path() -> None:
    assert matches("/item/[0-9]+", "/item/17")
    assert not matches("/item/[0-9]+", "/item/17/price")
    assert not matches("/item/[0-9]+", "/old/item/17")


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){20}b"])
def test_no_expression_goes_back_over_what_it_has_matched(expression: str) -> None:
    """Python's own matcher takes 2^n steps for the first two: for 2,000 letters it would never come back."""
    assert not matches(f"/{expression}", f"/{'a' * 2000}c")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("a(?=b)", "invalid perl operator: (?="),
        ("(?<!a)b", "invalid perl operator: (?<!"),
        ("a{1001}", "invalid repetition size: {1001}"),
        ("((a{100}){100}){100}", "invalid repetition size: {100}"),
        ("[a", "missing ]: [a"),
    ],
)
def test_what_re2_refuses_is_refused_in_its_words(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        refuse_unless_an_expression(expression)

    assert str(error.value).startswith(message)
