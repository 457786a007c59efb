"""Thousands of mistakes are told in a moment, each still with what was meant."""

from __future__ import annotations

import pytest

from meshsim.errors import FEW_WORDS, NEAR, _neighbours, did_you_mean

MANY = [f"service-{number:04}-of-{number * 7919 % 1000:03}" for number in range(1000)]


@pytest.mark.parametrize("word", ["servise-0500-of-500", "xservice-0500-of-500", "service-0500-of-50", "service-0500-off-500"])
def test_of_many_words_the_nearest_is_still_found(word: str) -> None:
    assert did_you_mean(word, MANY) == "; did you mean 'service-0500-of-500'?"


def test_an_unknown_name_is_compared_with_few_of_many() -> None:
    """A thousand of them among a thousand known ones, each compared with each, took twenty seconds."""
    assert len(_neighbours("zzservice-17", MANY)) <= 4 * NEAR
    assert len(_neighbours("service-0500-of-500", MANY)) <= 4 * NEAR
    assert _neighbours("zz", MANY[:FEW_WORDS]) == MANY[:FEW_WORDS]
