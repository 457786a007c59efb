"""What filters decided over time: rates by filter, rule, route and consumer."""

from __future__ import annotations

from dataclasses import replace

import made_up
import numpy as np
import pandas as pd
import pytest

from meshsim.metrics.over_time.decisions import COLUMNS, MOST_NAMES, DecisionsOverTime
from meshsim.policies.filters import Buffer, Decision, Fault

MS = 1_000_000
SECOND = 1_000 * MS
ADMITTED, LIMITED = int(Decision.ADMITTED), int(Decision.LIMITED)


def plan_of(consumers=("", "app", "web"), routes=("cart", "search"), **settings):
    plan = made_up.plan(services=("cart", "payment"), duration_ns=3 * SECOND, interval_ns=SECOND, **settings)
    gateway = replace(plan.gateway, filters=(Buffer(max_request_bytes=1024), Fault(), Fault()))
    return replace(plan, gateway=gateway, names=replace(plan.names, consumers=consumers, routes=routes))


def table_of(*chunks, plan=None, simulated_ns=2 * SECOND):
    sink = DecisionsOverTime(plan or plan_of())
    for chunk in chunks:
        sink.take("decisions", chunk)
    return pd.DataFrame(sink.table(simulated_ns))


def rows(*rows):
    """A chunk of (time in s, filter, decision, rule, route, consumer, requests), at the gateway."""
    names = ("time_ns", "filter_number", "decision", "rule", "route", "consumer", "requests")
    columns = {name: np.asarray(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    columns["time_ns"] = (columns["time_ns"] * SECOND).astype(np.int64)
    return made_up.chunk("decisions", kind=0, service=-1, **columns)


def rate(found, decision, by="", name=""):
    part = found[(found["by"] == by) & (found["name"] == name)]
    return part[f"{decision}_per_s"].tolist()


def test_a_row_ends_its_interval_and_the_last_one_is_as_long_as_the_run():
    found = table_of(rows((0.5, 0, ADMITTED, -1, 0, 0, 6), (1, 0, ADMITTED, -1, 0, 0, 4), (1.5, 0, LIMITED, 0, 0, 0, 3)),
                     simulated_ns=1_500 * MS)  # fmt: skip

    assert found["filter_name"].unique().tolist() == ["gateway: buffer"]
    assert found[found["by"] == ""][["time_s", "interval_s"]].to_numpy().tolist() == [[0, 1], [1, 0.5]]
    assert rate(found, "admitted") == [10, 0]
    assert rate(found, "limited") == [0, 6]


def test_each_part_has_its_rows_and_they_add_up_to_the_filter():
    found = table_of(rows((1, 0, ADMITTED, -1, 0, 1, 5), (1, 0, LIMITED, 0, 1, 2, 2)), rows((2, 0, LIMITED, 1, -1, 0, 7)))

    assert rate(found, "limited") == [2, 7]
    assert [rate(found, "limited", "rule", name) for name in ("(no rule)", "rules[0]", "rules[1]")] == [[0, 0], [2, 0], [0, 7]]
    assert [rate(found, "limited", "route", name) for name in ("(no route)", "cart", "search")] == [[0, 7], [0, 0], [2, 0]]
    assert [rate(found, "limited", "consumer", name) for name in ("(no consumer)", "app", "web")] == [[0, 7], [0, 0], [2, 0]]
    total = found[found["by"] == ""][list(COLUMNS)].to_numpy().sum()
    assert [found[found["by"] == by][list(COLUMNS)].to_numpy().sum() for by in ("rule", "route", "consumer")] == [total] * 3


def test_a_filter_with_one_rule_one_route_and_one_consumer_has_no_parts():
    found = table_of(rows((1, 0, ADMITTED, -1, 0, 1, 5), (1, 0, LIMITED, 0, 0, 1, 2)))

    assert found["by"].unique().tolist() == [""]


def test_filters_of_the_same_name_are_told_apart():
    found = table_of(rows((1, 1, ADMITTED, -1, 0, 1, 5), (1, 2, ADMITTED, -1, 0, 1, 2)))

    assert found["filter_name"].unique().tolist() == ["gateway: fault (2)", "gateway: fault (3)"]


def test_the_consumers_with_the_fewest_requests_are_put_together():
    names = ("", *(f"partner-{number}" for number in range(MOST_NAMES + 3)))
    found = table_of(
        rows(*((1, 0, LIMITED, 0, 0, number, 10 + number) for number in range(1, len(names)))), plan=plan_of(consumers=names)
    )

    assert found[found["by"] == "consumer"]["name"].unique().tolist() == [*names[4:], "(others)"]
    assert rate(found, "limited", "consumer", "(others)") == [11 + 12 + 13, 0]


@pytest.mark.parametrize("last_ns", [2_000 * SECOND, 9_000 * SECOND])
def test_a_run_that_takes_longer_than_its_load_merges_what_it_has(last_ns):
    found = table_of(rows((1, 0, LIMITED, 0, 0, 0, 5), (last_ns / SECOND, 0, LIMITED, 0, 0, 0, 7)), simulated_ns=last_ns)

    assert len(found) <= 2_000
    assert (found["limited_per_s"] * found["interval_s"]).sum() == pytest.approx(12)


def test_an_empty_table_has_its_columns():
    found = table_of()

    assert found.empty
    assert found.columns.tolist() == ["filter_name", "by", "name", "time_s", "interval_s", *COLUMNS]
