"""Answers after k of n against exact order statistics.

Each asserts 99.9 % intervals: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

import pytest
from statistics_of_runs import mean_response, replicate


def asked(need, *, calls=5, errors="0%"):
    """Requests that call n instances at once, each of which takes an exponential 10 ms and is never busy."""
    return {
        "name": "quorum",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"front": 1}}
        },
        "services": {
            "front": {"workers": 1000, "script": [{"parallel": [{"call": "back", "repeat": calls}], "need": need}]},
            "back": {"workers": 10_000, "script": [{"compute": {"exponential": {"mean": "10ms"}}}], "errors": errors},
        },
        "run": {"duration": "30s"},
    }


@pytest.mark.parametrize("need", [1, 3, 5])
def test_the_mean_is_that_of_the_kth_of_n_exponentials(need):
    """E[X(k:n)] = mean (1/n + 1/(n-1) + ... + 1/(n-k+1)) (Renyi, Acta Mathematica Hungarica 4, 1953)."""
    (mean,) = replicate(asked(need), 8, mean_response)

    assert mean.agrees(0.010 * sum(1 / (5 - before) for before in range(need)), 0.05), mean


def test_of_three_that_fail_by_chance_two_have_to_be_well():
    """P(fails) = 1 - (p^3 + 3 p^2 (1 - p))."""
    well = 0.8
    (failed,) = replicate(asked(2, calls=3, errors="20%"), 8, lambda result: result.summary().total.error_share)

    assert failed.agrees(1 - well**3 - 3 * well**2 * (1 - well), 0.2), failed
