"""What the report says of figures: units, digits, and words for a difference."""

from __future__ import annotations

import math

import pytest

from meshsim.report.page.precision import told
from meshsim.report.page.thinning import thinned
from meshsim.report.page.wording import figure_words, judgement, threshold_words

NOTHING = math.nan


@pytest.mark.parametrize(
    ("figure", "quantity", "value", "interval"),
    [
        ((0.412, 0.398, 0.427), "duration", "412 ms", "398 to 427 ms"),
        ((1.3, 0.9, 1.7), "duration", "1.3 s", "0.9 to 1.7 s"),
        ((0.25, 0.239, 0.26), "share", "25.0 %", "23.9 to 26.0 %"),
        ((719, 718.1, 719.9), "rate", "719.0/s", "718.1 to 719.9/s"),
        ((1.00211, 1.00202, 1.00219), "number", "1.00211", "1.00202 to 1.00219"),
        ((150, 140, 160), "duration", "2 min 30 s", "2 min 20 s to 2 min 40 s"),
        ((0.041, NOTHING, NOTHING), "duration", "41 ms", ""),
        ((math.inf, NOTHING, NOTHING), "duration", "never", ""),
        ((NOTHING, NOTHING, NOTHING), "rate", "–", ""),  # noqa: RUF001 — a dash for nothing
        ((2.0, 2.0, 2.0), "duration", "2 s", "2 s to 2 s"),
    ],
)
def test_the_interval_decides_on_unit_and_digits(figure, quantity, value, interval):
    assert told(*figure, quantity) == (value, interval)


@pytest.mark.parametrize(
    ("figure", "quantity", "value", "interval"),
    [
        ((-0.017, -0.021, -0.013), "share", "-1.7 points", "-2.1 to -1.3 points"),
        ((1.6, 1.2, 2.1), "rate", "+1.6/s", "+1.2 to +2.1/s"),
        ((-0.0004, -0.0014, 0.0006), "duration", "-0.4 ms", "-1.4 to +0.6 ms"),
        ((0.0, 0.0, 0.0), "share", "0 points", "0 points to 0 points"),
        ((-0.5, NOTHING, NOTHING), "number", "-0.5", ""),
    ],
)
def test_a_difference_has_a_sign_and_a_share_differs_in_points(figure, quantity, value, interval):
    found = told(*figure, quantity, is_difference=True)

    assert tuple(one.replace("\N{MINUS SIGN}", "-") for one in found) == (value, interval)


@pytest.mark.parametrize(
    ("difference", "is_distinct", "better", "word"),
    [
        ((-2.0, -3.0, -1.0), True, "lower", "better"),
        ((-2.0, -3.0, -1.0), True, "higher", "worse"),
        ((2.0, 1.0, 3.0), True, "lower", "worse"),
        ((2.0, 1.0, 3.0), True, "", "different"),
        ((2.0, -1.0, 5.0), False, "lower", "cannot be told from noise"),
        ((0.0, 0.0, 0.0), False, "lower", "no difference"),
        ((2.0, NOTHING, NOTHING), False, "lower", "no interval, so nothing can be said"),
        ((NOTHING, NOTHING, NOTHING), False, "lower", "baseline"),
    ],
)
def test_a_difference_is_told_in_words(difference, is_distinct, better, word):
    names = ("difference", "difference_low", "difference_high")

    assert (
        judgement({"value": 1.0, **dict(zip(names, difference, strict=True)), "is_distinct": is_distinct, "better": better}).word
        == word
    )


def test_figures_and_thresholds_have_names_in_words():
    assert figure_words("latency{route:checkout}:p(99)") == "Latency p99, route checkout"
    assert figure_words("errors:rate") == "Share of failed requests"
    assert figure_words("cost:per_hour") == "Cost per hour"
    assert figure_words("cross_zone:per_hour") == "GiB that cross zones, per hour"
    assert figure_words("requests{source:shoppers}:rate") == "Requests per second, source shoppers"
    assert figure_words("something new") == "something new"
    assert threshold_words("errors{route:checkout}", "rate<=1%") == "Share of failed requests, route checkout: at most 1%"


def test_thinning_rounds_paths_and_leaves_texts_alone():
    svg = '<svg>\n <path d="M 1.23456 2\nL 3.00001 -0.0004"/>\n <text x="1">  1.23456  </text>\n</svg>'

    assert thinned(svg) == '<svg>\n<path d="M 1.23 2 L 3 0"/>\n <text x="1">  1.23456  </text>\n</svg>'


def test_thinning_keeps_what_a_tile_of_a_large_hatch_shows():
    dots = " ".join(f"M {x} {y} C 0 0 0 0 0 0" for x in range(0, 73, 3) for y in range(0, 73, 3))
    head = '<pattern id="h" patternUnits="userSpaceOnUse" x="0" y="0"'
    made = thinned(f'{head} width="72" height="72"><rect x="0" y="0" width="73" height="73"/><path d="{dots}"/></pattern>')

    assert made.startswith(f'{head} width="12" height="12"><rect x="0" y="0" width="13" height="13"/>')
    assert made.count("M ") == 36
