"""Processor time and throttling of services: over the measured window, and over time."""

from __future__ import annotations

import json
from dataclasses import replace

import made_up
import numpy as np
import pytest
from made_up import MS, SECOND

import meshsim as ms
from meshsim.metrics.over_time.cpu import CpuOverTime
from meshsim.metrics.policies.cpu import Cpus
from meshsim.metrics.summary import Summary
from meshsim.plan import NONE, Cpu

HALF = Cpu(NONE, 50 * MS, 100 * MS, 0, requests=250, limits=500)
TWO_CORES = Cpu(2.0, NONE, 100 * MS, 0, requests=NONE, limits=NONE)
COLUMNS = ("time_ns", "service", "instance", "used_ns", "throttled_ns", "periods", "throttled_periods")


def plan():
    """`cart` with a limit, `checkout` without `cpu`, `payment` with cores; the warm-up ends at 2 s."""
    made = made_up.plan(services=("cart", "checkout", "payment"), replicas=2)
    cpus = (HALF, None, TWO_CORES)
    return replace(made, services=tuple(replace(one, cpu=cpu) for one, cpu in zip(made.services, cpus, strict=True)))


def rows(*each):
    return made_up.chunk("cpu", **dict(zip(COLUMNS, np.asarray(each).T, strict=True)))


def test_cores_are_of_each_replica_and_only_of_the_measured_window():
    sink = Cpus(plan())
    sink.take("counters", {})
    sink.take(
        "cpu",
        rows(
            (2 * SECOND, 0, 0, SECOND, SECOND, 10, 10),
            (3 * SECOND, 0, 0, 400 * MS, 200 * MS, 10, 5),
            (3 * SECOND, 0, 1, 200 * MS, 0, 10, 0),
            (3 * SECOND, 2, 0, SECOND, 0, 0, 0),
        ),
    )

    cart, payment = sink.summaries(lambda _: 2 * SECOND)

    assert (cart.service, cart.requests, cart.limits) == ("cart", 0.25, 0.5)
    assert (cart.used_cores, cart.used_share, cart.throttled_s) == (pytest.approx(0.3), pytest.approx(0.6), 0.2)
    assert (cart.periods, cart.throttled_periods, cart.throttled_share, cart.throttled_share_of_worst) == (20, 5, 0.25, 0.5)
    assert (payment.requests, payment.limits, payment.used_share, payment.throttled_share) == (None, None, 0.25, None)


def test_without_rows_nothing_is_known():
    cart, _ = Cpus(plan()).summaries(lambda _: 0)

    assert (cart.used_cores, cart.used_share, cart.throttled_share, cart.throttled_s) == (None, None, None, 0)


def test_what_went_on_over_time_is_of_all_replicas():
    sink = CpuOverTime(plan())
    sink.take("cpu", rows((SECOND, 0, 0, 400 * MS, 200 * MS, 10, 5), (SECOND, 0, 1, 200 * MS, 100 * MS, 10, 0)))
    sink.take("cpu", rows((2 * SECOND, 0, 0, 100 * MS, 0, 0, 0), (2 * SECOND, 2, 1, SECOND, 0, 0, 0)))

    found = sink.table(2 * SECOND)

    assert found["service"].tolist() == ["cart", "cart", "payment", "payment"]
    assert found["time_s"].tolist() == [0, 1, 0, 1]
    assert found["used_cores"].tolist() == pytest.approx([0.6, 0.1, 0, 1])
    assert found["throttled_cores"].tolist() == pytest.approx([0.3, 0, 0, 0])
    np.testing.assert_array_equal(found["throttled_share"], [0.25, np.nan, np.nan, np.nan])


@pytest.fixture(scope="module")
def result():
    scenario = {
        "name": "cpu",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "20/s", "requests": {"server": 1}}},
        "services": {"server": {"cpu": {"limits": 1}, "script": [{"compute": {"exponential": {"mean": "20ms"}}}]}, "other": {}},
        "run": {"duration": "20s", "warm_up": "5s"},
    }
    return ms.load(scenario).run(seed=1)


def test_a_run_sums_up_what_result_cpu_tells_interval_by_interval(result):
    (one,), rows = result.summary().cpu, result.cpu
    rows = rows[(rows["time_ns"] > 5 * SECOND) & (rows["time_ns"] <= 20 * SECOND)]

    assert one.throttled_s == rows["throttled_ns"].sum() / SECOND > 0
    assert (one.periods, one.throttled_periods) == tuple(rows[["periods", "throttled_periods"]].sum())
    assert one.used_cores == pytest.approx(rows["used_ns"].sum() / (15 * SECOND))
    assert one.used_share == result.summary().services[1].utilisation


def test_a_summary_of_it_comes_back_from_json(result):
    summary = result.summary()

    assert Summary.from_dict(json.loads(json.dumps(summary.to_dict()))).cpu == summary.cpu != ()
    assert summary.cpu_frame().loc["server", ["limits", "periods"]].tolist() == [1, summary.cpu[0].periods]
