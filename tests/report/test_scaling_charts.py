"""Charts of what autoscalers did: from real runs, in a notebook and in the report."""

from __future__ import annotations

import pytest

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.report.charts import recorded, style
from meshsim.report.charts.autoscaling_over_time import reading
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.scaling_charts import scaling_group
from meshsim.report.page.subject import Subject

CPU_30 = {"max_replicas": 8, "metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": "30%"}}}]}
SCENARIO = {
    "name": "scaled",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "12/s", "requests": {"back": 1}}},
    "direct": {"traffic": {"*": {"load_balancer": "round_robin"}}},
    "services": {"back": {"replicas": 3, "script": [{"compute": "200ms"}], "autoscaling": CPU_30}},
    "variants": {"scaled": {}, "fixed": {"services": {"back": {"autoscaling": None}}}},
    "run": {"duration": "90s", "interval": "5s", "seed": 3},
}
NOTHING = "tells nothing of autoscaling over time: no service has it, or it is of an older version"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in ("scaled", "fixed")}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_what_has_an_autoscaler_has_rows_and_they_are_its_looks(runs, comparison):
    found, looks = recorded.scaling(comparison), runs["scaled"].autoscaling

    assert set(found["variant"]) == {"scaled"}
    assert found["wanted"].iloc[-1] == looks["desired"].iloc[-1] == 8
    assert found["of_target"].max() == pytest.approx(looks["usage"].max() / 30)
    assert not (runs["fixed"].directory / "scaling.parquet").exists()


def test_a_notebook_draws_it_by_service(runs):
    with style.off_screen():
        ax = runs["scaled"].plot.autoscaling(service="back")
        titles = [one.get_title(loc="left") or one.get_title() for one in ax.get_figure(root=True).axes]

        assert len(titles) == 3
        with pytest.raises(UsageError, match="no service 'bakc' in these results; did you mean 'back'"):
            runs["scaled"].plot.autoscaling(service="bakc")
        with pytest.raises(ResultError, match=NOTHING):
            runs["fixed"].plot.autoscaling()


def test_its_sentence_says_how_far_replicas_and_metric_went(comparison):
    said = reading(recorded.scaling(comparison))

    assert said.startswith("back: replicas wanted reach 8 with scaled (at ")
    assert "figures as a multiple of the metric's target reach 2." in said


def test_the_report_has_a_chart_for_each_service_that_has_an_autoscaler_and_else_none(runs, comparison):
    group = scaling_group(Subject(comparison))

    assert [one.title for one in group.shown] == ["Replicas of back"]
    assert "Autoscaling over time" in [one.title for one in chart_groups(comparison)]
    assert scaling_group(Subject(open_results([runs["fixed"].directory]))).shown == []
