"""Caches in the terminal, in a notebook and in the report: from real runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_tables import HEADING, SHOP, WIDTHS, section, shown

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.metrics.policies.summaries import CacheSummary
from meshsim.report.charts import recorded, style
from meshsim.report.charts.caches_over_time import reading
from meshsim.report.page.cache_charts import caches_group
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.subject import Subject

SCRIPT = [{"compute": "25ms"}]
SCENARIO = {
    "name": "cached",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "100/s", "requests": {"shop": 1}}},
    "services": {
        "shop": {
            "workers": 99,
            "caches": {"products": {"keys": {"count": 30}, "ttl": "500ms", "single_flight": True}, "idle": {"hit_ratio": "50%"}},
            "script": [{"cached": "products", "script": SCRIPT}],
        }
    },
    "variants": {"cached": {}, "without": {"services": {"shop": {"caches": None, "script": SCRIPT}}}},
    "run": {"duration": "4s", "seed": 3},
}
NOTHING = "tells nothing of caches over time: no service has any"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in ("cached", "without")}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_a_run_with_caches_has_rows_and_they_add_up_to_its_records(runs, comparison):
    found, rows = recorded.caches(comparison), runs["cached"].caches

    assert set(found["variant"]) == {"cached"}
    for name in ("loads", "coalesced", "evictions", "failed_loads"):
        assert (found[f"{name}_per_s"] * found["interval_s"]).sum() == pytest.approx(rows[name].sum())
    hits = (found["hit_ratio"].fillna(0) * found["lookups_per_s"] * found["interval_s"]).sum()
    assert hits == pytest.approx(rows["hits"].sum() + rows["stale_hits"].sum())
    assert not (runs["without"].directory / "caches_over_time.parquet").exists()


def test_the_summary_adds_up_and_reads_back(runs):
    products, rows = next(one for one in runs["cached"].summary().caches if one.cache == "products"), runs["cached"].caches
    lookups = rows[["hits", "stale_hits", "misses", "coalesced"]].to_numpy().sum()

    assert products.hit_ratio == pytest.approx(rows["hits"].sum() / lookups)
    assert (products.loads, products.entries) == (rows["loads"].sum(), 30)
    assert products.wait_mean_s == pytest.approx(rows["waited_ns"].sum() / rows["coalesced"].sum() / 1e9)
    opened = meshsim.open_result(runs["cached"].directory).summary()
    assert opened.caches == runs["cached"].summary().caches
    assert opened.caches_frame().loc["shop: products", "misses"] == products.misses


def test_thresholds_are_of_a_cache_and_say_where_nothing_was_looked_up():
    thresholds = {"cache_hit_ratio{service:shop,cache:products}": ["value>10%"], "cache_hit_ratio{cache:idle}": ["value>10%"]}
    run = meshsim.load({**{key: SCENARIO[key] for key in SCENARIO if key != "variants"}, "thresholds": thresholds}).run()
    good, idle = run.verdicts

    assert (good.passed, idle.passed, idle.observed_text) == (True, False, "no look-ups")


def test_a_notebook_draws_them_by_cache(runs):
    with style.off_screen():
        ax = runs["cached"].plot.caches(cache="shop: products")
        titles = [one.get_title(loc="left") or one.get_title() for one in ax.get_figure(root=True).axes]

        assert len(titles) == 3
        with pytest.raises(UsageError, match="no cache 'shop: prodcts' in these results; did you mean 'shop: products'"):
            runs["cached"].plot.caches(cache="shop: prodcts")
        with pytest.raises(ResultError, match=NOTHING):
            runs["without"].plot.caches()


def test_its_sentence_says_how_little_hit_and_how_much_was_loaded(comparison):
    said = reading(recorded.caches(comparison))

    assert said.startswith("shop: products: hits ")
    assert "loads reach " in said


def test_the_report_has_a_chart_for_each_cache_and_else_none(runs, comparison):
    group = caches_group(Subject(comparison))

    assert [one.title for one in group.shown] == ["Cache shop: products", "Cache shop: idle"]
    assert "Caches over time" in [one.title for one in chart_groups(comparison)]
    assert caches_group(Subject(open_results([runs["without"].directory]))).shown == []


CACHE = CacheSummary("shop", "products", 0.951, 9_876_543, 12, 40_321, 1_234, 0.0123, 41_000, 17, 88, 2_345, 10_000)


def with_caches(*caches):
    return replace(SHOP, caches=caches)


def test_a_terminal_has_a_row_for_each_cache():
    lines = section(shown(with_caches(CACHE), 200), "Caches")

    assert " ".join(lines[0].split()) == "hit hits stale misses coalesced waited loads evicted"
    assert " ".join(lines[1].split()) == "cache % mean ms failed"
    assert " ".join(lines[3].split()) == "shop: products 95.1 9,876,543 12 40,321 1,234 12.3 41,000 17 2,345"


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_terminal(width):
    text = shown(with_caches(CACHE), width, HEADING)

    assert "…" not in text
    assert "shop: products" in text or "products" in text


def test_without_caches_nothing_is_said_of_them():
    assert "Coalesced" not in shown(SHOP)
