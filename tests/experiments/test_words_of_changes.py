"""How the verdict says how large a change is."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from meshsim.experiments.judgement import _change


@pytest.mark.parametrize(
    ("relative", "said"),
    [
        (-0.786, "79% lower"),
        (0.00065, "0.065% higher"),
        (0.0951, "9.5% higher"),
        (0.998, "100% higher"),
        (1.34, "134% higher"),
        (33.0, "34 times as high"),
        (-1.0, "100% lower"),
    ],
)
def test_a_relative_change_is_said_in_percent_without_powers_of_ten(relative, said):
    assert _change(pd.Series({"relative": relative, "difference": relative, "quantity": "rate"})) == said


def test_of_shares_it_is_points_and_of_what_never_ends_never():
    assert _change(pd.Series({"relative": 1.0, "difference": 0.516, "quantity": "share"})) == "+51.6 percentage points"
    assert _change(pd.Series({"relative": math.inf, "difference": math.inf, "quantity": "time"})) == "never"
