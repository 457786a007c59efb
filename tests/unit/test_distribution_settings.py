from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from meshsim import registry
from meshsim.distributions import Constant, Distribution, Empirical, Exponential, Gamma, Lognormal, Mixture, Pareto, Weibull
from meshsim.registry import SettingError
from meshsim.scenario.sections.types import choice_of
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from pathlib import Path

MS = NS_PER_MS
MEASURED = {"p0": 1 * MS, "p50": 3 * MS, "p99.9": 20 * MS, "p100": 30 * MS}


def nan_file(folder: Path) -> Empirical:
    (folder / "gap.csv").write_text("a,b\n1,2\n3,\n")
    return Empirical(file=folder / "gap.csv", column="b", unit="s")


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"none.csv: cannot be read as csv") as raised:
        Empirical(file=tmp_path / "none.csv", unit="s").check()
    assert raised.value.field == "file"
    with pytest.raises(SettingError, match="has rows without a number"):
        nan_file(tmp_path).check()


MISTAKES: list[tuple[Distribution, str, str]] = [
    (Exponential(mean="0s"), "mean", "mean must be more than 0"),
    (Lognormal(), "p50", "give p50 and p99, mean and cv, or mean and sigma; found nothing"),
    (Lognormal(p50="1ms"), "p50", "give p50 and p99, mean and cv, or mean and sigma; found p50"),
    (Lognormal(p50="1ms", p99="2ms", cv=1), "p50", "give p50 and p99, mean and cv, or mean and sigma; found p50, p99, cv"),
    (Lognormal(mean="1ms", cv=1, sigma=1), "mean", "give p50 and p99, mean and cv, or mean and sigma; found mean, cv, sigma"),
    (Lognormal(p50="3ms", p99="1ms"), "p99", "p99 (1ms) must be more than p50 (3ms)"),
    (Lognormal(p50="3ms", p99="3ms"), "p99", "p99 (3ms) must be more than p50 (3ms)"),
    (Lognormal(p50="0s", p99="3ms"), "p50", "p50 must be more than 0"),
    (Lognormal(mean="1ms", cv=0), "cv", "cv must be more than 0"),
    (Lognormal(mean="1ms", sigma=0), "sigma", "sigma must be more than 0"),
    (Gamma(mean="0s", cv=1), "mean", "mean must be more than 0"),
    (Gamma(mean="1ms", cv=0), "cv", "cv must be from 0.01 to 10, not 0"),
    (Gamma(mean="1ms", cv=11), "cv", "cv must be from 0.01 to 10, not 11"),
    (Weibull(mean="0s", shape=1), "mean", "mean must be more than 0"),
    (Weibull(mean="1ms", shape=0), "shape", "shape must be 0.1 or more, not 0"),
    (Pareto(minimum="0s", alpha=2), "minimum", "minimum must be more than 0"),
    (Pareto(minimum="1ms", alpha=1), "alpha", "alpha must be more than 1 (with 1 the mean is infinite)"),
    (Empirical(), "quantiles", "give one of quantiles, values and file; found none"),
    (Empirical(values=(1,), quantiles=MEASURED), "values", "give one of quantiles, values and file; found quantiles and values"),
    (Empirical(file="a.csv"), "unit", "say which unit the numbers of the file have: s, ms, us or ns"),
    (Empirical(values=(1,), column="a"), "column", "column goes with file, and there is none"),
    (Empirical(values=(1,), unit="s"), "unit", "unit goes with file, and there is none"),
    (Empirical(values=()), "values", "has no value"),
    (Empirical(values=(-1,)), "values", "has a value that is negative or longer than ten years"),
    (Empirical(quantiles={"50": 1}), "quantiles", "'50' is not a percentile from p0 to p100 (write p50 or p99.9)"),
    (Empirical(quantiles={"p101": 1}), "quantiles", "'p101' is not a percentile from p0 to p100 (write p50 or p99.9)"),
    (Empirical(quantiles={}), "quantiles", "p0 and p100 are needed: the shortest and the longest time"),
    (Empirical(quantiles={"p0": 1, "p99": 2}), "quantiles", "p0 and p100 are needed: the shortest and the longest time"),
    (Empirical(quantiles={"p0": 1, "p50": 2, "p50.0": 3, "p100": 4}), "quantiles", "p50 is given twice"),
    (Empirical(quantiles={"p0": "2ms", "p50": "1ms", "p100": "3ms"}), "quantiles", "p50 (1ms) is less than p0 (2ms)"),
    (Mixture(of=()), "of", "needs a component with a weight above 0"),
    (Mixture(of=({"weight": 0, "time": Constant(value=1)},)), "of", "needs a component with a weight above 0"),
    (Mixture(of=({"weight": 1, "time": Exponential(mean=0)},)), "mean", "mean must be more than 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "field", "message"), MISTAKES, ids=[f"{made.name}-{n}" for n, (made, _, _) in enumerate(MISTAKES)]
)
def test_contradictory_settings_are_told(made: Distribution, field: str, message: str) -> None:
    with pytest.raises(SettingError) as raised:
        made.check()

    assert (raised.value.field, str(raised.value)) == (field, message)


def test_the_family_has_these_members_each_with_a_sentence_and_a_word_on_each_setting() -> None:
    members = registry.families()[Distribution.family]

    assert list(members) == ["constant", "empirical", "exponential", "gamma", "lognormal", "mixture", "pareto", "weibull"]
    for member in members.values():
        assert registry.first_sentence(member).endswith(".") or ":" in registry.first_sentence(member)
        assert all(setting.doc for setting in registry.settings(member))


@pytest.mark.parametrize(
    ("written", "mean_ns"),
    [
        ("9ms", 9 * MS),
        (0, 0),
        ({"exponential": {"mean": "3ms"}}, 3 * MS),
        ({"empirical": {"quantiles": {"p0": "1ms", "p100": "3ms"}}}, 2 * MS),
        ({"mixture": {"of": [{"weight": 3, "time": "4ms"}, {"weight": 1, "time": {"exponential": {"mean": "8ms"}}}]}}, 5 * MS),
        ({"mixture": {"of": [{"weight": 1, "time": {"mixture": {"of": [{"weight": 1, "time": "2ms"}]}}}]}}, 2 * MS),
    ],
)
def test_a_scenario_writes_a_time_so(written: Any, mean_ns: float) -> None:
    assert choice_of("distribution").model_validate(written).chosen.mean_ns == mean_ns


def test_a_mistake_inside_a_mixture_is_told_with_its_place() -> None:
    wrong = {"pareto": {"minimum": "1ms", "alpha": 1}}

    with pytest.raises(ValidationError) as raised:
        choice_of("distribution").model_validate({"mixture": {"of": [{"weight": 1, "time": wrong}]}})

    (error,) = raised.value.errors()
    assert error["loc"] == ("mixture", "of", 0, "time", "pareto")
    assert error["msg"] == "alpha must be more than 1 (with 1 the mean is infinite)"
