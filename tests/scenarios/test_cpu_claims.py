"""What the comment of the scenario about CPU limits promises, held by runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "cpu-throttling.yaml"
HELPS = ("twice-the-limit", "no-limit", "burst")


@cache
def run(variant):
    return ms.load(SCENARIO, variant=variant).run().summary()


def latency(variant, quantile="p99_s"):
    return getattr(run(variant).total.latency, quantile)


def cpu(variant):
    (one,) = run(variant).cpu
    return one


def test_a_container_that_is_two_thirds_idle_is_throttled_in_few_periods_which_make_the_tail():
    assert cpu("as-is").used_share == pytest.approx(0.3, abs=0.02)
    assert cpu("as-is").throttled_share == pytest.approx(0.06, abs=0.01)
    assert latency("as-is") > 2 * latency("no-limit")
    assert latency("as-is", "p50_s") < 1.1 * latency("no-limit", "p50_s")


@pytest.mark.parametrize("variant", HELPS)
def test_a_higher_limit_none_or_a_burst_end_it_with_the_same_cpu(variant):
    assert latency(variant) < 1.02 * latency("no-limit")
    assert (cpu(variant).throttled_share or 0) < 0.001
    assert cpu(variant).used_cores == pytest.approx(cpu("as-is").used_cores, rel=0.001)


def test_shorter_periods_throttle_nearly_every_page():
    assert cpu("shorter-period").throttled_share > 0.6
    assert latency("shorter-period", "p50_s") > 2.5 * latency("as-is", "p50_s")
    assert latency("shorter-period") > 2 * latency("as-is")


def test_as_many_threads_as_the_limit_has_cores_are_never_throttled_and_always_slow():
    assert cpu("as-many-threads-as-the-limit").throttled_periods == 0
    assert latency("as-many-threads-as-the-limit", "p50_s") > 2.5 * latency("as-is", "p50_s")


def test_the_same_cpu_in_smaller_portions_is_worse():
    assert cpu("four-replicas").used_share == pytest.approx(cpu("as-is").used_share, abs=0.01)
    assert latency("four-replicas") > 1.4 * latency("as-is")
