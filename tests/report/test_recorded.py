"""What policies did, from runs to charts: read back from what a run keeps, in a notebook and in the report."""

from __future__ import annotations

import inspect

import fakes
import frames
import pandas as pd
import pytest

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.report.charts import recorded, style
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.html import page
from meshsim.report.page.policy_charts import MOST_SHOWN, MOST_WAYS, policies_group
from meshsim.report.page.subject import Subject
from meshsim.report.plots import Plots, plots

SCENARIO = {
    "name": "ejection",
    "deployment": "gateway",
    "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "200/s", "requests": {"all": 1}}},
    "gateway": {
        "zones": {"a": 1},
        "routes": {"all": {"path": "/", "to": "back"}},
        "traffic": {
            "back": {
                "outlier_detection": {
                    "consecutive_5xx": 5,
                    "interval": "1s",
                    "base_ejection_time": "2s",
                    "max_ejection_percent": "50%",
                }
            }
        },
    },
    "services": {"back": {"zones": {"a": 2, "b": 2}, "workers": 8, "script": [{"compute": {"exponential": {"mean": "10ms"}}}]}},
    "faults": [{"at": "3s", "for": "3s", "service": "back", "replicas": 1, "errors": "100%"}],
    "variants": {"on": {}, "none": {"gateway": {"traffic": {"back": {"outlier_detection": None}}}}},
    "run": {"duration": "10s", "warm_up": "1s", "seed": 3},
}
WAY = "(gateway) to back"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Of each variant with two seeds; the first ones by the name of the variant."""
    root = tmp_path_factory.mktemp("runs")
    made = {(name, seed): root / f"{name}-{seed}" for seed in (3, 4) for name in ("on", "none")}
    found = {key: meshsim.load(SCENARIO, variant=key[0]).run(out=out, seed=key[1]) for key, out in made.items()}
    return {key if key[1] == 4 else key[0]: run for key, run in found.items()}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_each_run_is_a_replication_of_its_variant(comparison):
    for read in (recorded.policies, recorded.balance):
        found = read(comparison)

        assert found.columns[:3].tolist() == ["variant", "replication", "destination"]
        assert found.groupby("variant", sort=False)["replication"].unique().map(list).to_dict() == {"on": [0, 1], "none": [0, 1]}
        assert set(found["destination"]) == {WAY}


def test_the_records_tell_of_ejections_and_zones(comparison):
    policies, balance = recorded.policies(comparison), recorded.balance(comparison)
    ejections = policies.groupby("variant")["ejections_per_s"].sum()

    assert ejections["on"] > 0
    assert ejections["none"] == 0
    assert balance["in_zone_share"].dropna().between(0.2, 0.8).all()
    assert balance["in_zone_share"].notna().any()


def test_a_table_of_its_own_goes_before_the_records(tmp_path):
    made = meshsim.load(SCENARIO, variant="on").run(out=tmp_path / "run")
    table = pd.DataFrame({"destination": ["x to y"], "time_s": [0.0], "interval_s": [1.0]})
    table.to_parquet(made.directory / "policies.parquet")

    assert recorded.policies(open_results([made.directory]))["destination"].tolist() == ["x to y"]


def test_a_notebook_draws_them_of_one_run(runs):
    with style.off_screen():
        policies, connections = runs["on"].plot.policies(), runs["on"].plot.connections()
        balance = runs["on"].plot.balance(destination=WAY)

    assert len(policies.get_figure(root=True).axes) == 2
    assert policies.texts[0].get_text() == "ejections of instances"
    assert connections.texts[0].get_text() == "tries sent to another zone"
    assert len(balance.get_figure(root=True).axes) == 3


NAMES = {"route", "service", "destination", "variant", "filter_name", "by"}
ASKED = [
    (method, name)
    for method, function in inspect.getmembers(Plots, inspect.isfunction)
    if not method.startswith("_")
    for name in inspect.signature(function).parameters
    if name in NAMES
]


@pytest.mark.parametrize(("method", "name"), ASKED)
def test_a_chart_of_a_name_that_is_not_there_is_refused(runs, method, name):
    """Every method of a result's `plot`, every argument that is a name: an empty chart would say that nothing happened."""
    with pytest.raises(
        (UsageError, ResultError), match=r"no \w+ (by )?'typo'|tells nothing of (filters|autoscaling|cpu|connection pools)"
    ):
        getattr(runs["on"].plot, method)(**{name: "typo"})


def test_the_nearest_name_is_proposed(runs):
    with pytest.raises(UsageError, match=r"^no route 'al' in these results; did you mean 'all'\?$"):
        runs["on"].plot.latency(route="al")


def test_an_unknown_destination_is_refused_with_the_nearest_name(runs):
    with pytest.raises(UsageError, match=r"no destination '\(gateway\) to bach'.*\(gateway\) to back"):
        runs["on"].plot.policies(destination="(gateway) to bach")


def test_results_that_keep_no_records_are_refused_and_not_called_quiet(tmp_path):
    made = meshsim.load(SCENARIO, variant="on").run(out=tmp_path / "run")
    for table in ("destinations", "policies"):
        (made.directory / f"{table}.parquet").unlink(missing_ok=True)

    with pytest.raises(ResultError, match="keeps no records"):
        plots(made).policies()
    assert recorded.policies(open_results([made.directory])).empty


def test_the_report_shows_them_for_each_destination(comparison):
    text = page(comparison)

    assert 'id="policies-0-policies"' in text
    assert 'id="policies-0-balance"' in text
    assert '<p class="reading">Tries to another zone reach 138/s with on (at 5.5 s).</p>' in text
    assert f'<h3>{WAY}: policies</h3><p class="reading">Healthy instances fall to 75 % with on' in text


def group(policies, balance, **settings):
    made = fakes.comparison(replications=1, **settings)
    made.frames = {"policies": policies, "balance": balance}
    return policies_group(Subject(made))


@pytest.mark.slow
def test_the_destinations_where_most_happened_are_in_the_open():
    one = frames.policies(replications=1)
    payment = one[one["destination"] == "checkout to payment"]
    many = [
        payment.assign(destination=f"checkout to {number}", retries_per_s=payment["retries_per_s"] * number)
        for number in range(8)
    ]
    found = group(pd.concat(many), frames.balance(replications=1)[:0])

    titles = [drawing.title for drawing in found.shown]
    assert titles == [f"checkout to {number}: {what}" for number in (7, 6) for what in ("policies", "connections")]
    assert len(found.more) == 2 * (MOST_WAYS - MOST_SHOWN)
    assert "2 further destinations where less happened" in found.intro


def test_where_nothing_happened_the_report_has_no_such_section():
    found = group(frames.policies(replications=1)[:0], frames.balance(replications=1)[:0])
    made = fakes.comparison(replications=1)
    made.frames = {"policies": frames.policies(replications=1)[:0], "balance": frames.balance(replications=1)[:0]}

    assert not found.shown
    assert "policies" not in [one.id for one in chart_groups(made)]


@pytest.mark.parametrize(("columns", "count"), [({"stale_picks_per_s": 1.0}, 1), ({"connections": 9.0}, 0)])
def test_connections_have_a_chart_where_they_moved_after_the_warm_up(columns, count):
    one = frames.policies(("as-is",), 1)
    numbers = one.select_dtypes("number").columns.difference(["replication", "time_s", "interval_s", "proxies"])
    quiet = one.assign(**dict.fromkeys(numbers, 0.0)).assign(
        healthy_share=1.0, opened_per_s=(one["time_s"] == 0) * 5.0, **columns
    )
    found = group(quiet[quiet["destination"] == "checkout to payment"], frames.balance(("as-is",), 1)[:0])

    assert len(found.shown) == count


@pytest.mark.parametrize(
    ("columns", "count"), [({}, 0), ({"spread": 1.5}, 1), ({"used_share": 0.5}, 1), ({"in_zone_share": 0.5}, 1)]
)
def test_the_balance_has_a_chart_where_it_is_uneven_or_zones_matter(columns, count):
    even = frames.balance(("as-is",), 1).assign(spread=1.05, used_share=1.0, in_zone_share=float("nan"))
    found = group(frames.policies(replications=1)[:0], even[even["service"] == "payment"].assign(**columns))

    assert len(found.shown) == count
