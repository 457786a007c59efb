"""What policies did over time, and how even the balance was: against numbers worked out by hand, and against the records of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from made_up import MS, SECOND, attempts, chunk, plan

import meshsim
from meshsim.engines import reference
from meshsim.metrics import frames
from meshsim.metrics.over_time.balance import MOST_INTERVALS, BalanceOverTime
from meshsim.metrics.over_time.policies import LEVELS, PoliciesOverTime
from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from pathlib import Path

    from meshsim.records import Chunk

TWO = plan(services=("cart", "payment"))
SCENARIO: dict[str, Any] = {
    "name": "zones",
    "deployment": "gateway+mesh",
    "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "150/s", "requests": {"buy": 1}}},
    "gateway": {"replicas": 2, "zones": {"a": 1, "b": 1}, "routes": {"buy": {"path": "/", "to": "cart"}}},
    "mesh": {
        "traffic": {
            "payment": {
                "retries": {"num_retries": 2, "retry_on": ["5xx"]},
                "outlier_detection": {
                    "consecutive_5xx": 3,
                    "interval": "1s",
                    "base_ejection_time": "2s",
                    "max_ejection_percent": "50%",
                },
                "connections": {"protocol": "http1"},
            }
        }
    },
    "services": {
        "cart": {"replicas": 2, "zones": {"a": 1, "b": 1}, "workers": 50, "script": [{"call": "payment"}]},
        "payment": {
            "replicas": 4,
            "zones": {"a": 2, "b": 2},
            "workers": 4,
            "script": [{"compute": {"exponential": {"mean": "10ms"}}}],
        },
    },
    "faults": [{"at": "3s", "for": "3s", "service": "payment", "replicas": 1, "errors": "100%"}],
    "run": {"duration": "10s", "warm_up": "1500ms", "seed": 3},
}


def destinations(**columns: Any) -> Chunk:
    return chunk("destinations", **{"caller": 0, "service": 1, "subset": -1, "proxies": 2, **columns})


def table_of(sink: Any, simulated_ns: int, *chunks: Chunk, table: str = "destinations") -> pd.DataFrame:
    for one in chunks:
        sink.take(table, one)
    return pd.DataFrame(sink.table(simulated_ns))


def cut(rows: Chunk, at: list[int]) -> list[Chunk]:
    parts = zip(*(np.split(column, at) for column in rows.values()), strict=True)
    return [dict(zip(rows, part, strict=True)) for part in parts]


@pytest.mark.parametrize("cuts", [[], [1], [2], [1, 2]])
def test_counts_are_rates_and_levels_are_weighed_by_their_time_wherever_the_chunks_end(cuts: list[int]) -> None:
    """The mark of the warm-up cuts the first second at 0.4 s: 3 of 4 are healthy for 0.4 s, and 1 of 4 for the rest."""
    rows = destinations(
        time_ns=np.array([400, 1_000, 1_500]) * MS, members=4, healthy=[3, 1, 4], connections=[10, 20, 0], retries=[2, 3, 4],
        breakers_open=[0, 2, 0],
    )  # fmt: skip
    found = table_of(PoliciesOverTime(TWO), 1_500 * MS, *cut(rows, cuts))

    assert found["time_s"].tolist() == [0, 1]
    assert found["interval_s"].tolist() == [1, 0.5]
    assert found["retries_per_s"].tolist() == [5, 8]
    assert found["healthy"].tolist() == [pytest.approx(0.4 * 3 + 0.6 * 1), 4]
    assert found["healthy_share"].tolist() == [pytest.approx(0.45), 1]
    assert found["connections"].tolist() == [pytest.approx(16), 0]
    assert found["breakers_open_share"].tolist() == [pytest.approx(0.6), 0]
    assert found["ejections_per_s"].tolist() == [0, 0]
    assert found["proxies"].tolist() == [2, 2]


def test_each_way_has_its_rows_and_one_where_nothing_moved_has_none() -> None:
    rows = destinations(time_ns=np.full(4, SECOND), caller=[-2, 0, -1, 0], service=[0, 1, 1, 0], retries=[1, 2, 0, 0], members=3)
    found = table_of(PoliciesOverTime(TWO), SECOND, rows)

    assert found["destination"].tolist() == ["(gateway) to cart", "cart to payment"]
    assert found[["caller", "service", "subset"]].to_numpy().tolist() == [["(gateway)", "cart", ""], ["cart", "payment", ""]]


def test_without_members_no_share_is_healthy_and_without_rows_nothing_is_known() -> None:
    rows = destinations(time_ns=np.array([1, 3]) * SECOND, members=0, opened=1)
    found = table_of(PoliciesOverTime(TWO), 4 * SECOND, rows)

    assert found["healthy_share"].isna().all()
    assert found["members"].isna().tolist() == [False, True, False, True]
    assert found["opened_per_s"].tolist() == [1, 0, 1, 0]


def test_an_empty_table_has_its_columns() -> None:
    policies = table_of(PoliciesOverTime(TWO), SECOND)
    nothing = pd.DataFrame({name: [] for name in destinations(time_ns=SECOND)})

    assert policies.empty
    assert policies.columns.tolist() == frames.policies(nothing, simulated_s=1).columns.tolist()
    balance = table_of(BalanceOverTime(TWO), SECOND)
    none = pd.DataFrame({name: [] for name in attempts()})
    assert balance.empty
    assert balance.columns.tolist() == frames.balance(none, {}, simulated_s=1).columns.tolist()


def test_a_run_that_takes_longer_than_its_load_merges_what_it_has() -> None:
    time = np.append(np.arange(1, 2_001), 9_000) * MS
    rows = destinations(time_ns=time, connections=7, retries=1)
    short = table_of(
        PoliciesOverTime(plan(services=("a", "b"), duration_ns=2 * SECOND, interval_ns=MS)), 9 * SECOND, *cut(rows, [1_500])
    )

    assert len(short) == 1_125
    assert (short["retries_per_s"] * short["interval_s"]).sum() == pytest.approx(2_001)
    assert short["connections"].dropna().tolist() == pytest.approx([7] * 251)


def test_the_spread_is_the_busiest_by_the_mean_and_what_was_never_sent_counts_nowhere() -> None:
    """Three go to instance 0 and one to instance 1 in the first second; none in the second; one in the third.

    One more found no instance, and one was picked for instance 1 and given up before it was sent.
    """
    sent = np.append(np.array([0, 1, 2, 3, 2_500]) * MS, [-1, -1])
    ended = np.abs(sent) + MS
    rows = attempts(sent_ns=sent, ended_ns=ended, caller=-2, service=0, instance=[0, 0, 0, 1, 1, -1, 1], proxy=-1)
    found = table_of(BalanceOverTime(TWO), 3 * SECOND, rows, table="attempts")
    instances = len(TWO.services[0].zones)

    assert found["destination"].unique().tolist() == ["(gateway) to cart"]
    assert found["attempts_per_s"].tolist() == [4, 0, 1]
    assert found["spread"].tolist() == pytest.approx([3 * instances / 4, np.nan, instances], nan_ok=True)
    assert found["used_share"].tolist() == pytest.approx([2 / instances, np.nan, 1 / instances], nan_ok=True)
    assert found["in_zone_share"].isna().all()


def test_the_balance_of_a_long_run_has_two_hundred_intervals_at_most() -> None:
    made = plan(duration_ns=1_000 * SECOND, interval_ns=SECOND)
    sent = np.arange(1_000) * SECOND
    found = table_of(BalanceOverTime(made), 1_000 * SECOND, attempts(sent_ns=sent, caller=-1, proxy=-1), table="attempts")

    assert len(found) == MOST_INTERVALS
    assert set(found["interval_s"]) == {5}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[meshsim.Result, dict[str, pd.DataFrame]]:
    """A run, and the streaming tables of the same."""
    out: Path = tmp_path_factory.mktemp("runs") / "run"
    experiment = meshsim.load(SCENARIO)
    sinks = {"policies": PoliciesOverTime(experiment.plan), "balance": BalanceOverTime(experiment.plan)}
    end = reference.run(experiment.plan, experiment.scenario.run.seed, 0, tuple(sinks.values()))
    return experiment.run(out=out), {name: pd.DataFrame(sink.table(end.now_ns)) for name, sink in sinks.items()}


def test_the_functions_from_records_say_the_same(tables: tuple[meshsim.Result, dict[str, pd.DataFrame]]) -> None:
    result, streamed = tables
    simulated_s = result.manifest["simulated_s"]
    zones = {"cart": ["a", "b"], "payment": ["a", "a", "b", "b"]}
    callers = {"cart": ["a", "b"], "(gateway)": ["a", "b"]}
    found = {
        "policies": frames.policies(result.destinations, simulated_s=simulated_s),
        "balance": frames.balance(result.attempts, zones, simulated_s=simulated_s, caller_zones=callers),
    }
    for name, frame in found.items():
        order = ["destination", "time_s"]
        left, right = (one.sort_values(order, ignore_index=True) for one in (streamed[name], frame))
        pd.testing.assert_frame_equal(left, right, check_dtype=False)


def test_the_sums_over_time_are_those_of_the_summary(tables: tuple[meshsim.Result, dict[str, pd.DataFrame]]) -> None:
    result, streamed = tables
    over = streamed["policies"]
    for one in result.summary().destinations:
        rows = over[over["destination"] == f"{one.caller} to {one.service}"]
        sums = {name: round(float((rows[f"{name}_per_s"] * rows["interval_s"]).sum()), 6) for name in ACTIVITY}

        assert {name: count for name, count in sums.items() if count} == one.counts
    payment = over[over["destination"] == "cart to payment"]
    assert payment["ejections_per_s"].max() > 0
    assert payment["healthy_share"].min() < 1
    assert set(LEVELS) < set(over.columns)


def test_the_balance_over_time_adds_up_to_the_summary_s(tables: tuple[meshsim.Result, dict[str, pd.DataFrame]]) -> None:
    """The share in the zone is a mean over attempts: over time, weighed by them, it is the same."""
    result, streamed = tables
    over = streamed["balance"]
    for one in result.summary().destinations:
        rows = over[(over["destination"] == f"{one.caller} to {one.service}") & (over["attempts_per_s"] > 0)]
        if one.in_zone_share is None:
            assert rows["in_zone_share"].isna().all()
        else:
            weights = rows["attempts_per_s"] * rows["interval_s"]
            assert np.average(rows["in_zone_share"], weights=weights) == pytest.approx(one.in_zone_share)
        assert (rows["spread"] >= 1).all()


def test_instances_that_are_still_to_come_or_have_gone_do_not_count(tmp_path: Path) -> None:
    """Two instances, then four, then one: all of them are used, evenly, whenever they are there."""
    scaled = {"scale": [{"at": "3s", "replicas": 4}, {"at": "6s", "replicas": 1}]}
    made: dict[str, Any] = {
        "name": "scaled",
        "deployment": "gateway",
        "load": {"all": {"executor": "constant-arrival-rate", "rate": "400/s", "arrivals": "even", "requests": {"buy": 1}}},
        "gateway": {"routes": {"buy": {"path": "/", "to": "cart"}}, "traffic": {"cart": {"load_balancer": "round_robin"}}},
        "services": {"cart": {"replicas": 2, "workers": 50, **scaled, "script": [{"compute": "1ms"}]}},
        "run": {"duration": "9s", "interval": "1s"},
    }
    found = pd.read_parquet(meshsim.load(made).run(out=tmp_path / "run").directory / "balance.parquet").query("time_s < 9")

    assert found["time_s"].tolist() == list(range(9))
    assert found["used_share"].tolist() == [1.0] * 9
    assert found["spread"].tolist() == pytest.approx([1.0] * 9, abs=0.02)
