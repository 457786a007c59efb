"""How services used their connection pools: over the measured window, and by interval."""

from __future__ import annotations

import json
from dataclasses import replace

import made_up
import numpy as np
import pytest
from made_up import SECOND

import meshsim as ms
from meshsim.metrics.over_time.connection_pools import PoolsOverTime
from meshsim.metrics.policies.connection_pools import PoolsUsed
from meshsim.metrics.summary import Summary
from meshsim.plan import ConnectionPool

COLUMNS = (
    "time_ns", "service", "instance", "connection_pool", "in_use", "waiting", "in_use_ns", "waiting_ns", "acquired", "timed_out",
)  # fmt: skip


def plan():
    """Ten seconds, two of them warm-up: payment has `ledger` and `orders`, cart has `orders`; two replicas each."""
    made = made_up.plan(services=("cart", "checkout", "payment"))
    ledger, orders = (ConnectionPool(name, 0, size, 0, is_fifo=True) for name, size in ((0, 5), (1, 10)))
    pools = ((orders,), (), (ledger, orders))
    services = tuple(replace(one, connection_pools=own) for one, own in zip(made.services, pools, strict=True))
    return replace(made, services=services, names=replace(made.names, connection_pools=("ledger", "orders")))


def rows(*seconds):
    """Rows by `COLUMNS`, times in seconds."""
    cells = np.asarray([[SECOND * at, *who, use, wait, SECOND * used, SECOND * waited, *counts]
                        for at, who, use, wait, used, waited, counts in seconds]).T  # fmt: skip
    return made_up.chunk("connection_pools", **dict(zip(COLUMNS, cells.astype(np.int64), strict=True)))


LEDGER = (2, 0, 0)
OTHER_LEDGER = (2, 1, 0)


def used(*chunks):
    sink = PoolsUsed(plan())
    for chunk in chunks:
        sink.take("connection_pools", chunk)
    return {one.label: one for one in sink.summaries()}


def test_a_pool_that_nobody_asked_is_there_with_nothing():
    found = used()

    assert list(found) == ["cart: orders", "payment: ledger", "payment: orders"]
    assert (found["payment: ledger"].in_use_mean, found["payment: ledger"].wait_mean_s, found["cart: orders"].acquired) == (
        0,
        0,
        0,
    )


def test_sums_are_of_all_replicas_in_the_measured_window_and_the_busiest_is_one_of_them():
    found = used(
        rows((2, LEDGER, 5, 90, 5, 90, (50, 9))),
        rows((6, LEDGER, 4, 3, 16, 6, (20, 1)), (6, OTHER_LEDGER, 1, 0, 4, 0, (10, 0)), (10, LEDGER, 2, 7, 8, 2, (9, 0))),
        rows((11, LEDGER, 5, 90, 5, 90, (50, 9))),
    )["payment: ledger"]

    assert (found.in_use_mean, found.waiting_mean, found.in_use_peak, found.waiting_peak) == (28 / 8, 1, 4, 7)
    assert (found.acquired, found.timed_out, found.wait_mean_s) == (39, 1, 8 / 40)
    assert found.utilisation_of_busiest == 24 / 8 / 5


def test_other_tables_are_none_of_its_business():
    sink, over = PoolsUsed(plan()), PoolsOverTime(plan())
    for one in (sink, over):
        one.take("counters", made_up.chunk("counters", time_ns=5 * SECOND))

    assert sink.summaries() == PoolsUsed(plan()).summaries()
    assert not over.table(10 * SECOND)["in_use"].any()


@pytest.mark.parametrize(("simulated_s", "width"), [(10, 1), (7_000, 4)])
def test_over_time_each_pool_has_a_row_for_each_interval(simulated_s, width):
    sink = PoolsOverTime(plan())
    sink.take(
        "connection_pools",
        rows((1, LEDGER, 0, 0, 1, 0, (4, 0)), (2, LEDGER, 0, 0, 3, 2, (8, 1)), (2, OTHER_LEDGER, 0, 0, 1, 0, (4, 0))),
    )
    if width == 4:
        sink.take("connection_pools", rows((simulated_s, LEDGER, 0, 0, 0, 0, (0, 0))))
    found = sink.table(simulated_s * SECOND)
    mine = (found["service"] == "payment") & (found["connection_pool"] == "ledger")

    assert set(zip(found["service"], found["connection_pool"], strict=True)) == {
        ("cart", "orders"), ("payment", "ledger"), ("payment", "orders")
    }  # fmt: skip
    expected = {1: ([1, 4], [0, 2], [4, 12], [0, 1]), 4: ([1.25], [0.5], [4], [0.25])}[width]
    for name, values in zip(("in_use", "waiting", "acquired_per_s", "timed_out_per_s"), expected, strict=True):
        assert found[name][mine][: len(values)].tolist() == values
    assert found["interval_s"][mine][0] == width


def test_the_summary_of_a_run_has_them_and_reads_them_back():
    scenario = {
        "name": "pools",
        "load": {"all": {"executor": "constant-arrival-rate", "rate": "50/s", "requests": {"shop": 1}}},
        "services": {"shop": {"connection_pools": {"db": {}}, "script": [{"transaction": "db", "script": [{"compute": "5ms"}]}]}},
        "run": {"duration": "2s"},
    }
    summary = ms.load(scenario).run().summary()
    again = Summary.from_dict(json.loads(json.dumps(summary.to_dict())))

    assert again.connection_pools == summary.connection_pools
    frame = summary.connection_pools_frame()
    assert frame.index.tolist() == ["shop: db"]
    assert frame["in_use_mean"].iloc[0] == pytest.approx(summary.services[0].utilisation)
