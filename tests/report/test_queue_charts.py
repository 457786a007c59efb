"""Message queues in the terminal, in a notebook and in the report: from real runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_tables import HEADING, SHOP, WIDTHS, section, shown

import meshsim
from meshsim.errors import ResultError, UsageError
from meshsim.experiments.open import open_results
from meshsim.metrics.policies.queue_summary import QueueSummary
from meshsim.metrics.summary import Summary
from meshsim.report.charts import recorded, style
from meshsim.report.charts.message_queues_over_time import reading
from meshsim.report.page.charts import chart_groups
from meshsim.report.page.queue_charts import queues_group
from meshsim.report.page.subject import Subject

SCENARIO = {
    "name": "queued",
    "load": {"web": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "100/s", "requests": {"shop": 1}}},
    "queues": {"orders": {"max_length": 50}, "idle": {}},
    "services": {
        "shop": {"workers": 99, "script": [{"compute": "1ms"}, {"publish": "orders"}]},
        "worker": {"script": [{"compute": "20ms"}], "consumes": {"orders": {}}},
    },
    "variants": {
        "queued": {},
        "without": {"queues": None, "services": {"shop": {"script": [{"compute": "1ms"}]}, "worker": {"consumes": None}}},
    },
    "run": {"duration": "4s", "seed": 3},
}
NOTHING = "tells nothing of message queues: the scenario has none"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {name: meshsim.load(SCENARIO, variant=name).run(out=root / name) for name in ("queued", "without")}


@pytest.fixture(scope="module")
def comparison(runs):
    return open_results([run.directory for run in runs.values()])


def test_only_a_run_with_queues_has_rows_and_they_add_up_to_its_records(runs, comparison):
    found, rows = recorded.message_queues(comparison), runs["queued"].message_queues

    assert set(found["variant"]) == {"queued"}
    assert (found["lag"] * found["interval_s"]).sum() == pytest.approx(rows["there_ns"].sum() / 1e9)
    assert (found["lost_per_s"] * found["interval_s"]).sum() == pytest.approx(rows["dropped"].sum())
    assert not (runs["without"].directory / "queues.parquet").exists()


def test_the_summary_of_a_run_has_them_and_reads_them_back(runs):
    summary = runs["queued"].summary()
    again = Summary.from_dict(json.loads(json.dumps(summary.to_dict())))
    orders = summary.message_queues_frame().loc["orders"]

    assert again.message_queues == summary.message_queues
    assert orders["published"] == orders["consumed"] + orders["dropped"] + 51
    assert (orders["lag_peak"], orders["oldest_peak_s"]) == (51, pytest.approx(0.519))


def test_a_notebook_draws_them_by_queue(runs):
    with style.off_screen():
        ax = runs["queued"].plot.message_queues(queue="orders")
        titles = [one.get_title(loc="left") or one.get_title() for one in ax.get_figure(root=True).axes]

        assert len(titles) == 5
        with pytest.raises(UsageError, match="no queue 'oders' in these results; did you mean 'orders'"):
            runs["queued"].plot.message_queues(queue="oders")
        with pytest.raises(ResultError, match=NOTHING):
            runs["without"].plot.message_queues()


def test_its_sentence_says_how_many_there_were_and_how_old(comparison):
    said = reading(recorded.message_queues(comparison))

    assert said.startswith("orders: messages in the queue reach 51")
    assert "seconds of age of the oldest message reach 0.519" in said
    assert "lost messages reach 50/s" in said


def test_the_report_has_a_chart_for_each_queue_and_else_none(runs, comparison):
    group = queues_group(Subject(comparison))

    assert [one.title for one in group.shown] == ["Messages of orders", "Messages of idle"]
    assert "Message queues over time" in [one.title for one in chart_groups(comparison)]
    assert queues_group(Subject(open_results([runs["without"].directory]))).shown == []


QUEUE = QueueSummary(
    "orders", "worker", published=1_234_567, delivered=1_234_000, redelivered=120, consumed=1_230_000, dead_lettered=17, discarded=1, expired=2,
    dropped=3, rejected=4, done_again=5, left=4321, lag_mean=123.45, lag_peak=5000, longest_partition_peak=9, oldest_peak_s=12.34, time_p99_s=9.876,
)  # fmt: skip


def test_a_terminal_has_a_row_for_each_queue():
    lines = section(shown(replace(SHOP, message_queues=(QUEUE,)), 200), "Message queues")

    assert " ".join(lines[0].split()) == "published consumed again dead lost left lag oldest time"
    assert " ".join(lines[1].split()) == "queue letters mean most s p99 s"
    assert " ".join(lines[3].split()) == "orders 1,234,567 1,230,000 120 17 10 4,321 123 5,000 12.3 9.88"


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_terminal(width):
    text = shown(replace(SHOP, message_queues=(QUEUE,)), width, HEADING)

    assert "…" not in text
    assert "orders" in text


def test_without_queues_nothing_is_said_of_them():
    assert "Message queues" not in shown(SHOP)


def test_no_chart_of_messages_has_the_key_of_another(tmp_path):
    """Queues of requests at services are charts too."""
    many = {**SCENARIO, "variants": {}, "queues": {**SCENARIO["queues"], "second": {}, "third": {}}}
    run = meshsim.load(many, set=["run.duration=1s"]).run(out=tmp_path / "run")
    places = [one.key for group in chart_groups(open_results([run.directory])) for one in (*group.shown, *group.more)]

    assert len(places) == len(set(places))
