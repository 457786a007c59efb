"""The common style: the same bytes each time, readable on paper, in black and white, on light and on dark."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import matplotlib as mpl
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
from frames import (
    VARIANTS,
    balance,
    caches,
    connection_pools,
    cpu,
    decision_rates,
    errors,
    faults,
    latency,
    message_queues,
    nodes,
    policies,
    rollouts,
    scaling,
    services,
    timeline,
)
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from meshsim.report.charts import style
from meshsim.report.charts.attempts_over_time import attempts_over_time
from meshsim.report.charts.autoscaling_over_time import autoscaling_over_time
from meshsim.report.charts.balance_over_time import balance_over_time
from meshsim.report.charts.caches_over_time import caches_over_time
from meshsim.report.charts.connection_pools_over_time import connection_pools_over_time
from meshsim.report.charts.connections_over_time import connections_over_time
from meshsim.report.charts.cpu_over_time import cpu_over_time
from meshsim.report.charts.decisions_over_time import decisions_over_time
from meshsim.report.charts.in_flight_over_time import in_flight_over_time
from meshsim.report.charts.labels import spread
from meshsim.report.charts.latency_ccdf import latency_ccdf
from meshsim.report.charts.latency_over_time import latency_over_time
from meshsim.report.charts.load_over_time import load_over_time
from meshsim.report.charts.message_queues_over_time import message_queues_over_time
from meshsim.report.charts.policies_over_time import policies_over_time
from meshsim.report.charts.queue_over_time import queue_over_time
from meshsim.report.charts.rollouts_over_time import rollouts_over_time
from meshsim.report.charts.scales import duration_text, number_text, share_text
from meshsim.report.charts.utilisation import utilisation

HALF_OF_A4_MM = 85
LONG = ("as-is", "retries-with-a-budget-of-twenty-percent-and-a-timeout", "hedge")
MANY = ("as-is", *(f"variant-{number:02d}" for number in range(11)))
SLOW = {"faults": faults(), "warm_up_s": 20.0}
PAYMENT = {"destination": "checkout to payment", **SLOW}
SERVICES = ("frontend", "recommendationservice", "payment")


def drawings(variants, replications):
    """Each of the charts over time and of distributions, by name."""
    load = timeline(variants, replications)
    failed = errors(variants, replications)
    busy = services(variants, replications, names=SERVICES)
    with style.off_screen():
        yield "ccdf", latency_ccdf(latency(variants, replications, 4000), route="checkout", slo_s=0.8)
        yield "latency", latency_over_time(load, route="checkout", **SLOW)
        yield "load", load_over_time(load, failed, route="checkout", **SLOW)
        yield "attempts", attempts_over_time(busy, service="recommendationservice", **SLOW)
        yield "in flight", in_flight_over_time(load, **SLOW)
        yield "queue", queue_over_time(busy, service="payment", **SLOW)
        yield "policies", policies_over_time(acted := policies(variants, replications), **PAYMENT)
        yield "connections", connections_over_time(acted, **PAYMENT)
        decided = decision_rates(variants, replications)
        yield "filters", decisions_over_time(decided, **SLOW)
        yield "filters by consumer", decisions_over_time(decided, by="consumer", **SLOW)
        yield "balance", balance_over_time(balance(variants, replications), **PAYMENT)
        yield "cpu", cpu_over_time(cpu(variants, replications), service="payment", **SLOW)
        yield "autoscaling", autoscaling_over_time(scaling(variants, replications), service="payment", **SLOW)
        yield "rollouts", rollouts_over_time(rollouts(variants, replications), service="payment", **SLOW)
        yield "caches", caches_over_time(caches(variants, replications), cache="shop: products", **SLOW)
        yield "pools", connection_pools_over_time(connection_pools(variants, replications), pool="payment: ledger", **SLOW)
        yield "messages", message_queues_over_time(message_queues(variants, replications), queue="orders", **SLOW)
        yield "utilisation", utilisation(nodes(variants, replications))


@pytest.fixture(
    scope="module",
    params=[(VARIANTS, 3), (("as-is",), 1), (LONG, 2), (MANY, 2)],
    ids=["three variants", "one run", "long names", "twelve variants"],
)
def charts(request):
    return dict(drawings(*request.param))


def texts_of(ax):
    """The boxes of all texts that are seen, in pixels, with what they say."""
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    unseen = set()
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low * (1 - 1e-9) <= tick.get_loc() <= high * (1 + 1e-9):
                unseen |= {id(tick.label1), id(tick.label2)}
    found = [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in found if id(text) not in unseen], figure


def test_no_text_is_cut_off_at_the_edge(charts):
    for name, ax in charts.items():
        boxes, figure = texts_of(ax)
        outside = [
            text
            for text, box in boxes
            if box.x0 < -0.5 or box.y0 < -0.5 or box.x1 > figure.bbox.x1 + 0.5 or box.y1 > figure.bbox.y1 + 0.5
        ]

        assert outside == [], name


def test_no_two_texts_overlap(charts):
    for name, ax in charts.items():
        boxes, _ = texts_of(ax)
        hits = [
            (text, other)
            for place, (text, box) in enumerate(boxes)
            for other, its in boxes[place + 1 :]
            if min(box.x1, its.x1) - max(box.x0, its.x0) > 1 and min(box.y1, its.y1) - max(box.y0, its.y0) > 2.5
        ]

        assert hits == [], name


def test_every_text_has_six_points_or_more_on_half_of_a4(charts):
    for name, ax in charts.items():
        figure = ax.get_figure(root=True)
        scale = HALF_OF_A4_MM / 25.4 / figure.get_figwidth()

        assert min(text.get_fontsize() for text in figure.findobj(mpl.text.Text)) * scale >= 6.0, name


def test_every_axis_says_what_it_shows(charts):
    for name, ax in charts.items():
        assert ax.get_xlabel(), name
        assert ax.get_ylabel() or name == "utilisation", name


def test_the_same_data_give_the_same_svg_byte_for_byte():
    first, second = ([style.svg(ax.get_figure(root=True), prefix="a-") for _, ax in drawings(VARIANTS, 2)] for _ in range(2))

    assert first == second
    assert len({*first}) == len(first)


def test_the_same_data_give_the_same_png_byte_for_byte():
    pictures = [style.png(figure_of_lines(), dpi=80) for _ in range(2)]

    assert pictures[0] == pictures[1]


def figure_of_lines(names=VARIANTS):
    with style.off_screen(), style.apply_style():
        ax = style.axes(None)
        seen = style.looks(names)
        lines = {name: ax.plot([0, 1], [place, 1], color=seen[name].colour)[0] for place, name in enumerate(names)}
        ax.fill_between([0, 1], 0, 1, hatch="//", color=style.INK, alpha=0.2)
        style.label_lines(ax, lines)
    return ax.get_figure(root=True)


def test_two_drawings_in_one_page_share_no_id_and_each_finds_its_own():
    one, other = (style.svg(figure_of_lines(), prefix=prefix) for prefix in ("one-", "other-"))
    ids = [set(re.findall(r'\sid="([^"]+)"', text)) for text in (one, other)]
    used = [set(re.findall(r'(?:href="|url\()#([^")]+)', text)) for text in (one, other)]

    assert not ids[0] & ids[1]
    assert used[0]
    assert all(names <= known for names, known in zip(used, ids, strict=True))


def test_an_inline_svg_has_no_paper_no_ink_and_no_rule_for_the_page_around_it():
    text = style.svg(figure_of_lines(), alt='p99 is "3 s" & <rising>')

    assert text.startswith("<svg ")
    assert 'role="img" aria-label="p99 is &quot;3 s&quot; &amp; &lt;rising&gt;"' in text
    assert "currentColor" in text
    assert style.INK not in text
    assert style.PAPER not in text
    assert "<style" not in text
    assert "<metadata" not in text
    assert "<text" in text
    assert "'DejaVu Sans', Verdana, Arial, sans-serif" in text


def test_a_file_of_its_own_brings_both_colour_schemes():
    text = style.svg(figure_of_lines(), is_inline=False)

    assert "@media (prefers-color-scheme:dark){svg{color:#e6e6e6;background:#16181d}}" in text


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_curves_are_seen_on_white_and_on_dark():
    for colour in style.COLOURS[1:]:
        assert contrast(colour, "#ffffff") >= 3, colour
        assert contrast(colour, "#16181d") >= 3, colour
    assert contrast(style.INK, "#ffffff") >= 7


def test_variants_are_told_apart_without_colour():
    eight = list(style.looks(f"variant {number}" for number in range(8)).values())

    assert len({str(look.line) for look in eight}) == 8
    assert len({look.marker for look in eight}) == 8
    assert len({look.hatch for look in eight}) == 8
    many = list(style.looks(f"variant {number}" for number in range(64)).values())
    assert len({(look.colour, str(look.line)) for look in many}) == 64
    assert len({(str(look.line), look.marker) for look in many}) == 64


def test_the_baseline_always_looks_the_same():
    assert style.looks(["a", "b"])["a"] == style.looks(["z"])["z"] == style.Look(style.INK, "-", "o", "")


def test_labels_are_spread_in_order_and_stay_where_they_can():
    assert spread([0.9, 0.5, 0.1], [0.1, 0.1, 0.1]) == pytest.approx([0.9, 0.5, 0.1])
    assert spread([0.5, 0.5, 0.5], [0.1, 0.1, 0.1]) == pytest.approx([0.6, 0.5, 0.4])
    assert spread([0.0, 0.0], [0.1, 0.2]) == pytest.approx([0.25, 0.1])
    assert spread([1.0, 1.0], [0.1, 0.2]) == pytest.approx([0.95, 0.8])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (2.5e-4, "250 µs"),
        (0.01, "10 ms"),
        (1, "1 s"),
        (1.25, "1.25 s"),
        (60, "1 min"),
        (150, "2 min 30 s"),
        (7200, "2 h"),
    ],
)
def test_durations_are_written_with_the_unit_that_suits_them(seconds, text):
    assert duration_text(seconds) == text


def test_shares_and_numbers_have_their_units_and_commas():
    assert [share_text(0.05), share_text(0), share_text(0.001)] == ["5 %", "0 %", "0.1 %"]
    assert [number_text(1200), number_text(-0.5), number_text(2e6)] == ["1,200", "\N{MINUS SIGN}0.5", "2,000,000"]


def test_a_chart_alone_is_one_of_pyplots_figures_and_one_for_a_report_is_not():
    before = plt.get_fignums()
    ax = utilisation(nodes())
    assert len(plt.get_fignums()) == len(before) + 1
    plt.close(ax.get_figure(root=True))
    with style.off_screen():
        utilisation(nodes())

    assert plt.get_fignums() == before


def test_a_chart_draws_into_the_axes_that_it_is_given_and_changes_no_settings():
    settings = dict(mpl.rcParams)
    figure = Figure(figsize=(6, 3), layout="constrained")
    ax = figure.add_subplot()

    assert in_flight_over_time(timeline(), ax, faults=faults()) is ax
    assert dict(mpl.rcParams) == settings
    assert figure.get_size_inches() == pytest.approx([6, 3])
    assert ax.xaxis.get_ticklabels()[0].get_fontsize() == style.FONT_SIZE


def test_overlapping_faults_are_named_in_rows_of_their_own():
    many = pd.DataFrame(
        {"from_s": [50.0, 60.0, 70.0], "until_s": [80.0, 90.0, 75.0], "label": ["one zone is cut off", "b", "c is slow"]}
    )
    with style.off_screen():
        ax = in_flight_over_time(timeline(), faults=many)
    boxes, _ = texts_of(ax)
    named = [box for text, box in boxes if text in set(many["label"])]

    assert len(named) == 3
    assert not any(one.overlaps(other) for place, one in enumerate(named) for other in named[place + 1 :])


def test_a_fault_that_only_some_variants_have_names_them():
    some = pd.DataFrame({"from_s": 10.0, "until_s": 50.0, "label": "slow", "variant": ["as-is", "budget"]})
    none = pd.DataFrame({"from_s": 90.0, "until_s": 95.0, "label": "cut", "variant": ["as-is"]})
    with style.off_screen():
        ax = in_flight_over_time(timeline(), faults=pd.concat([some, none]))

    assert {text.get_text() for text in ax.texts} >= {"slow", "cut (as-is)"}


def test_nothing_warns_while_drawing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, ax in drawings(("as-is",), 1):
            ax.get_figure(root=True).draw_without_rendering()


NOTEBOOK = ("import frames", "from meshsim.report.charts.utilisation import utilisation", "utilisation(frames.nodes())")


def test_a_notebook_shows_each_chart_once_at_the_end_of_its_cell():
    cells = [nbformat.v4.new_code_cell("\n".join(NOTEBOOK)), nbformat.v4.new_code_cell(NOTEBOOK[-1])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(Path(__file__).parent)}}
        ).execute()
    shown = [[output for output in cell.outputs if "image/png" in output.get("data", {})] for cell in notebook.cells]

    assert [len(outputs) for outputs in shown] == [1, 1]
