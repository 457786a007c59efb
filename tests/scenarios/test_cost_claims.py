"""What the comment of the scenario about the bill between zones promises, held by runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "cross-zone-bill.yaml"


@cache
def run(variant):
    return ms.load(SCENARIO, variant=variant).run()


def crossing(variant):
    """USD an hour for what goes between zones."""
    return run(variant).summary().cost.per_hour("cross_zone")


def p99(variant):
    return run(variant).summary().total.latency.p99_s


def test_among_all_hosts_two_thirds_cross_and_that_is_most_of_the_bill():
    summary = run("everywhere").summary()
    gib_per_h = summary.total.offered_per_s * 400 * 3600 / 1024**2

    assert summary.cross_zone_gib * 3600 / summary.window_s == pytest.approx(gib_per_h * 2 / 3, rel=0.03)
    assert crossing("everywhere") > summary.cost.per_hour() / 2


def test_zone_aware_routing_saves_three_quarters_of_it_for_nothing():
    assert crossing("zone-aware") == pytest.approx(crossing("everywhere") / 4, rel=0.1)
    assert p99("zone-aware") == pytest.approx(p99("everywhere"), rel=0.1)


def test_at_home_traffic_is_free_and_the_busy_zone_waits():
    """Half of the calls at a third of the hosts: 82 % busy in place of 55 %."""
    assert crossing("own-zone") == 0
    assert p99("own-zone") > 1.3 * p99("everywhere")


def test_replicas_that_stand_where_the_callers_are_have_both():
    assert crossing("own-zone-placed") == 0
    assert p99("own-zone-placed") == pytest.approx(p99("everywhere"), rel=0.15)
    assert run("own-zone-placed").summary().cost.per_hour() == pytest.approx(run("own-zone").summary().cost.per_hour(), rel=0.01)
