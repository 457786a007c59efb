"""Charts of processor time and throttling: from real runs, in a notebook and in the report."""

from __future__ import annotations

import pytest

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.report.charts import recorded, style
from meshsim.report.charts.cpu_over_time import reading
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.scaling_charts import cpu_group
from meshsim.report.page.subject import Subject

SCENARIO = {
    "name": "limited",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "20/s", "requests": {"back": 1}}},
    "services": {"back": {"cpu": {"limits": "500m"}, "script": [{"compute": "20ms"}]}},
    "variants": {
        "limited": {},
        "free": {"services": {"back": {"cpu": {"limits": None, "node_cores": 4}}}},
        "plain": {"services": {"back": {"cpu": None}}},
    },
    "run": {"duration": "30s", "interval": "5s", "seed": 3},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in SCENARIO["variants"]}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_what_has_cpu_has_rows_and_they_are_its_records(runs, comparison):
    found, rows = recorded.cpu(comparison), runs["limited"].cpu
    limited = found[found["variant"] == "limited"]

    assert set(found["variant"]) == {"limited", "free"}
    assert (limited["used_cores"] * limited["interval_s"]).sum() == pytest.approx(rows["used_ns"].sum() / 1e9)
    assert found[found["variant"] == "free"]["throttled_share"].isna().all()
    assert not (runs["plain"].directory / "cpu_over_time.parquet").exists()


def test_a_notebook_draws_it_by_service(runs):
    with style.off_screen():
        ax = runs["limited"].plot.cpu(service="back")
        assert len(ax.get_figure(root=True).axes) == 3
        with pytest.raises(UsageError, match="no service 'bakc' in these results; did you mean 'back'"):
            runs["limited"].plot.cpu(service="bakc")
        with pytest.raises(ResultError, match="tells nothing of cpu over time: no service has it, or it is of an older version"):
            runs["plain"].plot.cpu()


def test_its_sentence_says_how_much_was_used_and_throttled(comparison):
    said = reading(recorded.cpu(comparison))

    assert said.startswith("back: cores used reach 0.")
    assert "throttled periods reach 86 % with limited" in said


def test_the_report_has_a_chart_for_each_service_that_has_cpu_and_else_none(runs, comparison):
    assert [one.title for one in cpu_group(Subject(comparison)).shown] == ["CPU of back"]
    assert "CPU over time" in [one.title for one in chart_groups(comparison)]
    assert cpu_group(Subject(open_results([runs["plain"].directory]))).shown == []
