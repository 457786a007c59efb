"""A comparison for a pull request's comment."""

from __future__ import annotations

import re

import fakes
import pytest

from meshsim.experiments.judgement import GateVerdict
from meshsim.report.page import markdown

GATES = (
    GateVerdict("latency:p99<=+5%", "budget", 0.12, 0.08, 0.16, "crossed", "+12% [+8%, +16%]"),
    GateVerdict("errors:rate<=+0.5pp", "budget", 0.001, -0.004, 0.006, "undecided", "+0.1% [-0.4%, +0.6%]"),
)


@pytest.fixture(scope="module")
def text():
    return markdown(fakes.comparison(gates=GATES))


def test_the_verdict_comes_first(text):
    parts = text.split("\n\n")

    assert parts[0] == "## shop"
    assert parts[2] == "**No variant holds all 2 thresholds: as-is crosses 2; budget crosses 2; no-retries crosses 1.**"
    assert (
        parts[3].splitlines()[0].startswith("- ✗ **as-is**: 2 of 2 thresholds crossed (Latency p99, route checkout: below 800ms")
    )
    assert "- ✗ gate `latency:p99<=+5%`, budget: crossed, +12% \\[+8%, +16%\\]" in parts[3]
    assert "- ≈ gate `errors:rate<=+0.5pp`, budget: undecided" in parts[3]


def test_every_row_of_a_table_has_as_many_cells_as_its_header(text):
    tables = [block for block in text.split("\n\n") if block.startswith("|")]

    assert len(tables) == 3
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_figure_has_its_interval_and_its_difference(text):
    line = "|  | budget | 1.3 s (0.9 to 1.7 s) | -1.90 s (-2.11 to -1.69 s)<br>-59.4 % (-65.9 to -52.8 %) | ✓ better |"

    assert line in text.replace("\N{MINUS SIGN}", "-")
    assert "≈ cannot be told from noise" in text
    assert "Intervals: 95 % t interval over 5 replications." in text


def test_it_says_what_was_changed_and_how_to_repeat_it(text):
    assert "  - `mesh.traffic.payment.retry_budget.budget_percent`: *not set* → `20%`" in text
    assert "```sh\nmeshsim compare shop.yaml --replications 5 --seed 42\n```" in text
    assert "```mermaid\nflowchart LR\n" in text


def test_text_that_looks_like_markup_stays_text():
    text = markdown(fakes.comparison(verdict="<img src=x> | a_b_ [x](http://x)\n# no", notes=("`tick` | <b>",)))

    assert "**\\<img src=x\\> \\| a\\_b\\_ \\[x\\](http://x) \\# no**" in text
    assert "- \\`tick\\` \\| \\<b\\>" in text


def test_code_with_bars_and_ticks_stays_in_its_cell():
    comparison = fakes.comparison()
    frame = comparison.table()
    comparison.frames["figures"] = frame.assign(figure=frame["figure"].str.replace("goodput:rate", "a|b`c"))

    assert "| `` a\\|b`c `` | as-is |" in markdown(comparison)


def test_the_same_comparison_gives_the_same_text(text):
    assert markdown(fakes.comparison(gates=GATES)) == text
