"""Charts of what filters decided: from real runs, in notebooks and in the report."""

from __future__ import annotations

import fakes
import frames
import pandas as pd
import pytest

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.report.charts import recorded, style
from meshsim.report.charts.decisions_over_time import reading
from meshsim.report.page.filter_charts import MOST_FILTERS, MOST_SHOWN, filters_group
from meshsim.report.page.subject import Subject

SCENARIO = {
    "name": "partners",
    "deployment": "gateway",
    "load": {
        "noisy": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "100/s",
            "requests": {"orders": 1},
            "consumer": "noisy",
        },
        "quiet": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "10/s",
            "requests": {"orders": 1},
            "consumer": "quiet",
        },
    },
    "gateway": {
        "routes": {"orders": {"path": "/orders", "to": "orders"}},
        "filters": [
            {
                "rate_limit": {
                    "rules": [
                        {"limit": {"gcra": {"max_burst": 5, "count": 40, "period": "1s"}}, "key": "consumer"},
                        {"limit": {"fixed_window": {"requests": 1000, "window": "1s"}}},
                    ]
                }
            }
        ],
    },
    "services": {"orders": {"workers": 8, "script": [{"compute": "1ms"}]}},
    "variants": {"limit": {}, "none": {"gateway": {"filters": []}}},
    "run": {"duration": "4s", "seed": 3, "replications": 2},
}
LIMIT = "gateway: rate_limit"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    return meshsim.compare(SCENARIO, out=tmp_path_factory.mktemp("runs") / "out")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return meshsim.load(SCENARIO, variant="limit").run(out=tmp_path_factory.mktemp("runs") / "run")


def test_every_replication_of_a_variant_with_filters_has_its_rows(comparison):
    found = recorded.decisions(comparison)

    assert found.columns[:5].tolist() == ["variant", "replication", "filter_name", "by", "name"]
    assert found.groupby("variant")["replication"].unique().map(list).to_dict() == {"limit": [0, 1]}
    noisy = found[found["name"] == "noisy"]
    assert noisy["limited_per_s"].mean() == pytest.approx(60, abs=12)  # 100/s, 40/s get through; +- four standard deviations
    assert (found[found["name"] == "quiet"]["limited_per_s"] == 0).all()


def test_they_are_the_records_added_up(run):
    found = recorded.decisions(open_results([run.directory]))
    total = found[found["by"] == ""]
    records = run.decisions.groupby("decision", observed=True)["requests"].sum()

    for decision, requests in records.items():
        assert (total[f"{decision}_per_s"] * total["interval_s"]).sum() == pytest.approx(requests)
    assert run.decisions.query("decision == 'limited'")["rule"].tolist() == [0] * 4


def test_a_notebook_draws_a_filter_and_its_consumers(run):
    with style.off_screen():
        whole = run.plot.filters()
        consumers = run.plot.filters(by="consumer")

    titles = [place.texts[0].get_text() for place in whole.get_figure(root=True).axes if place.texts]
    assert sorted(titles) == ["requests let pass", "requests refused: over a limit"]
    legend = consumers.get_legend() or consumers.get_figure(root=True).legends[0]
    assert {text.get_text() for text in legend.get_texts()} == {"noisy", "quiet"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"filter": "gateway: rate_limits"}, r"no filter 'gateway: rate_limits'.*gateway: rate_limit"),
        ({"by": "consumers"}, r"no split by 'consumers'.*consumer.*; there are rule, route, consumer"),
        ({"variant": "limit"}, r"`variant` goes with `by`"),
        ({"by": "rule", "variant": "limits"}, r"no variant 'limits'"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(comparison, asked, message):
    with pytest.raises(UsageError, match=message):
        comparison.plot.filters(**asked)


def test_a_run_without_filters_says_so(tmp_path):
    made = meshsim.load(SCENARIO, variant="none").run(out=tmp_path / "run")

    with pytest.raises(ResultError, match="tells nothing of filters over time"):
        made.plot.filters()


def test_the_sentence_says_who_was_refused_most():
    made = frames.decision_rates(("as-is",), 1)

    assert reading(made, by="consumer").startswith(f"{LIMIT}: requests over a limit reach 3")
    assert "with partner" in reading(made, by="consumer")
    assert "with as-is" in reading(made)


def group(decisions, **others):
    made = fakes.comparison(replications=1)
    made.frames = {"decision_rates": decisions, **others}
    return filters_group(Subject(made))


def test_the_report_shows_the_filter_and_then_its_consumers_by_variant():
    found = group(frames.decision_rates(replications=1))

    assert [one.title for one in found.shown] == [LIMIT]
    assert [one.title for one in found.more] == [f"{LIMIT}, by consumer, {name}" for name in ("as-is", "budget", "no-retries")]


def test_a_chart_of_one_variant_has_the_faults_of_that_one():
    refused = frames.decision_rates(replications=1).assign(admitted_per_s=0.0)
    found = group(refused, faults=frames.faults().assign(variant="budget"))
    during = {one.title.rpartition(", ")[2]: "that is during" in one.reading for one in found.more}

    assert during == {"as-is": False, "budget": True, "no-retries": False}


def test_many_filters_are_drawn_up_to_a_number_and_the_others_told():
    one = frames.decision_rates(("as-is",), 1)
    one = one[one["by"] == ""]
    found = group(pd.concat([one.assign(filter_name=f"sidecar of s{number}: rate_limit") for number in range(MOST_FILTERS + 2)]))

    assert len(found.shown) == MOST_SHOWN
    assert len(found.more) == MOST_FILTERS - MOST_SHOWN
    assert "2 further filters that did less" in found.intro


def test_filters_that_let_everything_pass_have_no_chart():
    quiet = frames.decision_rates(("as-is",), 1).assign(limited_per_s=0.0)

    assert not group(quiet).shown
    assert not group(quiet[:0]).shown
