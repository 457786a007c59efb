"""Connection pools in the terminal, in a notebook and in the report: from real runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_tables import HEADING, SHOP, WIDTHS, section, shown

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.metrics.policies.summaries import PoolSummary
from meshsim.report.charts import recorded, style
from meshsim.report.charts.connection_pools_over_time import reading
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.pool_charts import pools_group
from meshsim.report.page.subject import Subject

SCENARIO = {
    "name": "pooled",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "100/s", "requests": {"shop": 1}}},
    "services": {
        "shop": {
            "workers": 99,
            "connection_pools": {"orders": {"maximum_pool_size": 2, "acquire_timeout": "20ms"}, "idle": {}},
            "script": [{"transaction": "orders", "script": [{"compute": "25ms"}]}],
        }
    },
    "variants": {"pooled": {}, "without": {"services": {"shop": {"connection_pools": None, "script": [{"compute": "25ms"}]}}}},
    "run": {"duration": "4s", "seed": 3},
}
NOTHING = "tells nothing of connection pools: no service has any"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in ("pooled", "without")}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_a_run_with_pools_has_rows_and_they_add_up_to_its_records(runs, comparison):
    found, rows = recorded.connection_pools(comparison), runs["pooled"].connection_pools

    assert set(found["variant"]) == {"pooled"}
    assert (found["in_use"] * found["interval_s"]).sum() == pytest.approx(rows["in_use_ns"].sum() / 1e9)
    assert (found["timed_out_per_s"] * found["interval_s"]).sum() == pytest.approx(rows["timed_out"].sum())
    assert not (runs["without"].directory / "pools.parquet").exists()


def test_a_notebook_draws_them_by_pool(runs):
    with style.off_screen():
        ax = runs["pooled"].plot.connection_pools(pool="shop: orders")
        titles = [one.get_title(loc="left") or one.get_title() for one in ax.get_figure(root=True).axes]

        assert len(titles) == 3
        with pytest.raises(UsageError, match="no pool 'shop: oders' in these results; did you mean 'shop: orders'"):
            runs["pooled"].plot.connection_pools(pool="shop: oders")
        with pytest.raises(ResultError, match=NOTHING):
            runs["without"].plot.connection_pools()


def test_its_sentence_says_how_many_were_held_and_who_waited_in_vain(comparison):
    said = reading(recorded.connection_pools(comparison))

    assert said.startswith("shop: orders: connections held reach 2 with pooled (at ")
    assert "requests that waited in vain reach 2" in said


def test_the_report_has_a_chart_for_each_pool_and_else_none(runs, comparison):
    group = pools_group(Subject(comparison))

    assert [one.title for one in group.shown] == ["Connections of shop: orders", "Connections of shop: idle"]
    assert "Connection pools over time" in [one.title for one in chart_groups(comparison)]
    assert pools_group(Subject(open_results([runs["without"].directory]))).shown == []


POOL = PoolSummary("payment", "ledger", 10, 12.34, 10, 0.96, 3.21, 40, 1_234_567, 12, 0.0123)


def with_pools(*pools):
    return replace(SHOP, connection_pools=pools)


def test_a_terminal_has_a_row_for_each_pool():
    lines = section(shown(with_pools(POOL), 200), "Connection pools")

    assert " ".join(lines[0].split()) == "size in use busy wait waiting acquired timed"
    assert " ".join(lines[1].split()) == "pool mean % mean ms mean most out"
    assert " ".join(lines[3].split()) == "payment: ledger 10 12.3 96 12.3 3.2 40 1,234,567 12"


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_terminal(width):
    text = shown(with_pools(POOL), width, HEADING)

    assert "…" not in text
    assert "payment: ledger" in text or "ledger" in text


def test_without_pools_nothing_is_said_of_them():
    assert "Connection pools" not in shown(SHOP)
