"""Rollouts in the terminal, in a notebook and in the report."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_tables import HEADING, SHOP, WIDTHS, section, shown

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.metrics.policies.rollout_summary import RolloutSummary
from meshsim.report.charts import recorded, style
from meshsim.report.charts.rollouts_over_time import reading
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.scaling_charts import rollouts_group
from meshsim.report.page.subject import Subject

SCENARIO = {
    "name": "rolled",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "20/s", "requests": {"back": 1}}},
    "services": {"back": {"replicas": 4, "startup_time": "5s", "script": [{"compute": "10ms"}], "rollouts": [{"at": "10s"}]}},
    "variants": {"rolled": {}, "fixed": {"services": {"back": {"rollouts": None}}}},
    "run": {"duration": "30s", "seed": 3},
}
DONE = RolloutSummary("payment", 1, 30.0, 45.0, False, desired=6, available_least=5, updated=6, pods_most=8, terminating_most=3)  # noqa: FBT003
STUCK = replace(DONE, revision=3, began_s=1200.0, duration_s=None, updated=3)


def test_rollouts_have_how_long_they_took_and_how_few_pods_there_were():
    over = replace(STUCK, revision=2, is_superseded=True)
    lines = section(shown(replace(SHOP, rollouts=(DONE, over, STUCK)), 200), "Rollouts")

    assert " ".join(lines[0].split()) == "rollout began took replicas available pods terminating"
    assert " ".join(lines[1].split()) == "service number at s s least most most state"
    assert [" ".join(line.split()) for line in lines[3:6]] == [
        "payment 1 30.0 45.0 6 5 8 3 complete",
        "payment 2 1,200.0 - 6 5 8 3 superseded",
        "payment 3 1,200.0 - 6 5 8 3 3 of 6 updated",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_rollouts_fit_every_terminal(width):
    text = shown(
        replace(SHOP, rollouts=(replace(STUCK, service=SHOP.services[0].name * 4),)), width, replace(HEADING, directory="r")
    )

    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_without_rollouts_nothing_is_said_of_them():
    assert "Rollouts" not in shown(SHOP)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in ("rolled", "fixed")}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_what_has_rollouts_has_rows(runs, comparison):
    found = recorded.rollouts(comparison)

    assert set(found["variant"]) == {"rolled"}
    assert found["available_share"].min() == 0.75
    assert not (runs["fixed"].directory / "rollouts.parquet").exists()


def test_a_notebook_draws_it_by_service(runs):
    with style.off_screen():
        ax = runs["rolled"].plot.rollouts(service="back")

        assert len(ax.get_figure(root=True).axes) >= 3
        with pytest.raises(UsageError, match="no service 'bakc' in these results; did you mean 'back'"):
            runs["rolled"].plot.rollouts(service="bakc")
        with pytest.raises(
            ResultError, match="tells nothing of rollouts over time: no service has it, or it is of an older version"
        ):
            runs["fixed"].plot.rollouts()


def test_its_sentence_says_how_few_were_available(comparison):
    said = reading(recorded.rollouts(comparison))

    assert said.startswith("back: available pods fall to 75 % with rolled (at ")
    assert "pods of all versions reach 5 with rolled" in said


def test_the_report_has_a_chart_for_each_service_that_has_rollouts_and_else_none(runs, comparison):
    assert [one.title for one in rollouts_group(Subject(comparison)).shown] == ["Pods of back"]
    assert "Rollouts over time" in [one.title for one in chart_groups(comparison)]
    assert rollouts_group(Subject(open_results([runs["fixed"].directory]))).shown == []
