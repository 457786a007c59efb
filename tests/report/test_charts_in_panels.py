"""What the charts of policies, connections and balance draw and say: a panel for what happened, and none for what did not."""

from __future__ import annotations

import frames
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from meshsim.metrics.over_time.policies import LEVELS
from meshsim.records import ACTIVITY
from meshsim.report.charts import balance_over_time, connections_over_time, policies_over_time, style
from meshsim.report.charts.panels import ways

MODULES = (policies_over_time, connections_over_time, balance_over_time)
FAULT = pd.DataFrame({"from_s": [10.0], "until_s": [30.0], "label": ["b is slow"]})


@pytest.fixture(autouse=True)
def _off_screen():
    with style.off_screen():
        yield


def rows(**columns):
    """Four intervals of 10 s of one variant in which nothing happens, unless a column says otherwise."""
    known = {"variant": "v", "replication": 0, "destination": "a to b", "time_s": np.arange(4) * 10.0, "interval_s": 10.0}
    quiet = dict.fromkeys((*LEVELS, *(f"{name}_per_s" for name in ACTIVITY)), 0.0)
    shares = {"healthy_share": 1.0, "breakers_open_share": 0.0, "breakers_half_open_share": 0.0}
    return pd.DataFrame({**known, **quiet, **shares, "spread": 1.0, "used_share": 1.0, "in_zone_share": np.nan, **columns})


def panels_of(ax):
    """The titles of all panels, from the top, with their axes."""
    every = sorted(ax.get_figure(root=True).axes, key=lambda one: -one.get_position().y0)
    return {one.texts[0].get_text(): one for one in every}


def test_there_is_a_panel_for_what_happened_and_none_for_what_did_not():
    ax = policies_over_time.policies_over_time(rows(ejections_per_s=[0, 1, 0, 0.0], healthy_share=[1, 0.8, 0.8, 1]))
    panels = panels_of(ax)

    assert list(panels) == ["instances that are neither ejected nor fail a check", "ejections of instances"]
    assert panels["ejections of instances"] is ax
    (line,) = (one for one in ax.lines if len(one.get_xdata()) > 2)
    assert line.get_ydata().tolist() == [0, 1, 0, 0]
    assert line.get_xdata().tolist() == [5, 15, 25, 35]
    assert [one.get_ylabel() for one in panels.values()] == ["share", "per s"]


@pytest.mark.parametrize("name", ACTIVITY)
def test_everything_that_is_counted_has_a_panel_in_one_of_the_charts(name):
    came = rows(**{f"{name}_per_s": [0, 2.5, 0, 0]})
    found = [ways(came, module.PANELS)["a to b"] for module in (policies_over_time, connections_over_time)]

    assert sum(found) == 1
    module = policies_over_time if found[0] else connections_over_time
    assert "reach 2.5/s with v (at 15 s)" in module.reading(came)


@pytest.mark.parametrize("column", ["breakers_open_share", "breakers_half_open_share"])
def test_breakers_are_drawn_as_shares(column):
    ax = policies_over_time.policies_over_time(rows(**{column: [0, 0.5, 0, 0]}))
    ax.get_figure(root=True).draw_without_rendering()

    assert len(panels_of(ax)) == 1
    assert any("%" in text.get_text() for text in ax.get_yticklabels())
    assert 0.5 <= ax.get_ylim()[1] <= 1.08


def test_open_connections_alone_are_no_news():
    quiet = rows(connections=12.0)
    ax = connections_over_time.connections_over_time(quiet)

    assert [text.get_text() for text in ax.texts] == ["no connection was opened or closed"]
    assert ways(quiet, connections_over_time.PANELS) == {"a to b": 0}
    assert ways(quiet.assign(opened_per_s=1.0), connections_over_time.PANELS) == {"a to b": 2}


def test_the_destination_where_most_happened_is_drawn_unless_another_is_named():
    frame = pd.concat([rows(retries_per_s=1.0), rows(destination="a to c", retries_per_s=[0, 9, 0, 0], no_host_per_s=1.0)])

    assert list(ways(frame, policies_over_time.PANELS)) == ["a to c", "a to b"]
    assert policies_over_time.reading(frame).startswith("a to c: tries without an instance reach 1/s")
    assert policies_over_time.reading(frame, destination="a to b") == "Retries reach 1/s with v (at 5 s)."
    assert set(panels_of(policies_over_time.policies_over_time(frame, destination="a to b"))) == {"retries"}


def test_the_farthest_from_calm_is_said_with_all_who_share_it_after_the_warm_up():
    frame = pd.concat(
        [
            rows(healthy_share=[0.1, 0.9, 1, 1], retries_per_s=[90, 1, 2, 0.0]),
            rows(variant="w", healthy_share=[1, 0.5, 0.5, 1]),
            rows(variant="x", healthy_share=[1, 0.5, 0.6, 1]),
        ]
    )

    assert policies_over_time.reading(frame, warm_up_s=10.0) == (
        "a to b: healthy instances fall to 50 % with w and x (at 15 s); retries reach 2/s with v (at 25 s)."
    )
    assert policies_over_time.reading(frame, warm_up_s=10.0, faults=FAULT).endswith("; that is during: b is slow.")
    only = rows(retries_per_s=[90, 0, 0, 0.0])
    assert policies_over_time.reading(only, warm_up_s=10.0) == "a to b: what happened lies in the warm-up."


def test_of_many_panels_four_have_their_numbers_said():
    frame = rows(**{f"{name}_per_s": 1.0 for name in ("opened", "closed", "handshakes", "resumed", "pool_waits", "stale_picks")})

    assert connections_over_time.reading(frame) == (
        "a to b: new waits for a connection reach 1/s with v (at 5 s); stale picks reach 1/s with v (at 5 s); newly opened connections "
        "reach 1/s with v (at 5 s); closed connections reach 1/s with v (at 5 s); also seen: TLS handshakes and resumed handshakes."
    )


def test_the_balance_is_said_by_its_worst_interval():
    frame = rows(spread=[1, 3, 1, 1], used_share=[1, 0.25, 1, 1], in_zone_share=[0.9, 0.2, np.nan, 0.9])

    assert balance_over_time.reading(frame) == (
        "a to b: attempts at the busiest instance as a multiple of the mean reach 3 with v (at 15 s); instances in use fall to 25 % with v "
        "(at 15 s); attempts that stay in the zone fall to 20 % with v (at 15 s)."
    )
    assert len(panels_of(balance_over_time.balance_over_time(frame))) == 3
    assert (
        len(panels_of(balance_over_time.balance_over_time(frame.drop(columns="in_zone_share").assign(in_zone_share=np.nan)))) == 2
    )


def test_a_variant_without_the_destination_has_no_line_and_the_others_keep_their_look():
    frame = pd.concat([rows(destination="a to c", retries_per_s=1.0), rows(variant="w", retries_per_s=2.0)])
    ax = policies_over_time.policies_over_time(frame, destination="a to b")
    (line,) = (one for one in ax.lines if len(one.get_xdata()) > 2)

    assert line.get_color() == style.looks(["v", "w"])["w"].colour
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "time since the start, w"


def test_a_variant_that_only_the_first_panel_knows_is_in_the_legend_too():
    frame = pd.concat([rows(spread=2.0), rows(variant="w", spread=3.0, in_zone_share=0.5)])
    ax = balance_over_time.balance_over_time(frame)

    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["v", "w"]
    assert len([line for line in ax.lines if len(line.get_xdata()) > 2]) == 1


def test_faults_are_shaded_in_every_panel_and_named_in_the_first():
    ax = policies_over_time.policies_over_time(
        rows(retries_per_s=1.0, ejections_per_s=1.0, no_host_per_s=1.0), faults=FAULT, warm_up_s=5.0
    )
    panels = list(panels_of(ax).values())

    assert [len(one.patches) for one in panels] == [2, 2, 2]
    assert [[text.get_text() for text in one.texts][1:] for one in panels] == [["warm-up", "b is slow"], [], []]
    assert [one.get_xlim() for one in panels] == [(0, 40)] * 3


def test_the_place_of_given_axes_is_divided():
    figure = mpl.figure.Figure(layout="constrained", figsize=(9, 6))
    left, right = figure.subplots(1, 2)
    found = policies_over_time.policies_over_time(rows(retries_per_s=1.0, ejections_per_s=1.0), left)
    figure.draw_without_rendering()
    panels = [one for one in figure.axes if one is not right]

    assert found is left
    assert len(panels) == 2
    assert max(one.get_position().x1 for one in panels) < right.get_position().x0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_where_nothing_happened_the_chart_says_so(module):
    name = module.__name__.rpartition(".")[2]
    for frame in (rows(), rows()[:0]):
        ax = getattr(module, name)(frame)
        ax.get_figure(root=True).draw_without_rendering()

        assert [text.get_text() for text in ax.texts] == [module.NOTHING]
        assert module.reading(frame) == f"{module.NOTHING[0].upper()}{module.NOTHING[1:]}."


@pytest.mark.parametrize("count", [1, 2, 7, 2000])
def test_any_number_of_intervals_can_be_drawn(count):
    made = (
        frames.policies(("a", "b"), 2, count, 0.1),
        frames.policies(("a", "b"), 2, count, 0.1),
        frames.balance(("a", "b"), 2, count),
    )
    for module, frame in zip(MODULES, made, strict=True):
        ax = getattr(module, module.__name__.rpartition(".")[2])(frame, faults=frames.faults(), warm_up_s=0.05)
        ax.get_figure(root=True).draw_without_rendering()
