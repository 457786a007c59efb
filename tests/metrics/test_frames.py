"""The functions from records to pandas, against the figures that were made as the records streamed by."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from test_against_records import SCENARIO

import meshsim
from meshsim.engines import reference
from meshsim.metrics import frames
from meshsim.metrics.edges import Edges
from meshsim.metrics.over_time.intervals import COARSE_ERROR
from meshsim.metrics.over_time.requests import ErrorsOverTime, Timeline
from meshsim.metrics.over_time.services import ServicesOverTime

if TYPE_CHECKING:
    from meshsim import Result
    from meshsim.metrics.summary import Summary

WINDOW = {"warm_up_s": 2, "duration_s": 20}
CONSUMERS = {"partner": "acme"}
FAULTS = pd.DataFrame({"from_s": [6.0, 14.5], "until_s": [9.0, 16.0]})
WORKERS = {"cart": 8, "catalog": 4, "payment": 3}


def scenario() -> dict[str, Any]:
    made = deepcopy(SCENARIO)
    made["load"]["partner"]["consumer"] = "acme"
    made["load"]["shoppers"]["rate"] = "120/s"
    made["load"]["partner"]["vus"] = 2
    made["gateway"]["proxy_time"] = "1ms"
    made["mesh"]["proxy_time"] = "0.5ms"
    made["services"]["payment"]["queue"] = {"limit": 300}  # what has piled up outlasts the fault
    made["faults"] = [
        {"at": "6s", "for": "3s", "service": "payment", "slow": 20},
        {"at": "14.5s", "for": "1.5s", "service": "catalog", "crash": True, "replicas": 1},
    ]
    made["run"] |= {"duration": "20s", "interval": "250ms"}
    return made


@pytest.fixture(scope="module")
def experiment() -> meshsim.Experiment:
    return meshsim.load(scenario())


@pytest.fixture(scope="module")
def result(experiment: meshsim.Experiment) -> Result:
    return experiment.run()


@pytest.fixture(scope="module")
def summary(result: Result) -> Summary:
    return result.summary()


@pytest.fixture(scope="module")
def tables(experiment: meshsim.Experiment) -> dict[str, pd.DataFrame]:
    """The streaming tables of the same run."""
    sinks = {"timeline": Timeline, "errors": ErrorsOverTime, "services": ServicesOverTime, "edges": Edges}
    made = {name: sink(experiment.plan) for name, sink in sinks.items()}
    end = reference.run(experiment.plan, experiment.scenario.run.seed, 0, tuple(made.values()), lambda _: True)
    return {name: pd.DataFrame(sink.table(end.now_ns)) for name, sink in made.items()}


def assert_quantiles(frame: pd.DataFrame, name: Any, exact: list[float | None], rel: float = 0.0025) -> None:
    assert frame.loc[name].tolist() == pytest.approx(exact, rel=rel)


def test_latency_quantiles_by_route_source_consumer_and_service(result: Result, summary: Summary) -> None:
    shares = [0.5, 0.9, 0.99, 0.999]
    requests = frames.with_consumers(result.requests, CONSUMERS)
    for by, rows in (("route", summary.routes), ("source", summary.sources), ("consumer", summary.consumers)):
        found = frames.latency_quantiles(requests, by=by, quantiles=shares, **WINDOW)
        assert len(found) == len(rows)
        for one in rows:
            assert_quantiles(found, getattr(one, by), [one.latency.quantile_s(share) for share in shares])
    found = frames.latency_quantiles(result.attempts, by="service", quantiles=shares, **WINDOW)
    for service in summary.services:
        assert_quantiles(found, service.name, [service.latency.quantile_s(share) for share in shares])
    flows = frames.latency_quantiles(requests, by=["source", "route"], quantiles=shares, **WINDOW)
    for flow in summary.flows:
        assert_quantiles(flows, (flow.source, flow.route), [flow.latency.quantile_s(share) for share in shares])


def test_dashboard_quantiles_are_the_very_same(result: Result, summary: Summary) -> None:
    for by, rows in ((None, (summary.total,)), ("route", summary.routes), ("source", summary.sources)):
        found = frames.dashboard_quantiles(result.requests, by=by, **WINDOW)
        for one in rows:
            latency = one.latency
            exact = [latency.dashboard_p50_s, latency.dashboard_p90_s, latency.dashboard_p99_s]
            assert_quantiles(found, getattr(one, by) if by else "(all)", exact, rel=1e-12)
    found = frames.dashboard_quantiles(result.attempts, by="service", quantiles=[0.77], **WINDOW)
    for service in summary.services:
        assert found.loc[service.name, 0.77] == pytest.approx(service.latency.dashboard_quantile_s(0.77))


def test_throughput_goodput_and_errors(result: Result, summary: Summary) -> None:
    requests = frames.with_consumers(result.requests, CONSUMERS)
    for by, rows in (("route", summary.routes), ("consumer", summary.consumers), (None, (summary.total,))):
        rates = frames.throughput(requests, by=by, **WINDOW)
        errors = frames.errors_by_flag(requests, by=by, **WINDOW)
        for one in rows:
            name = getattr(one, by) if by else "(all)"
            assert rates.loc[name].tolist() == pytest.approx([one.offered_per_s, one.throughput_per_s, one.goodput_per_s])
            assert frames.goodput(requests, by=by, **WINDOW)[name] == pytest.approx(one.goodput_per_s)
            assert errors.loc[name]["failures"].to_dict() == one.failures_by_flag
            assert errors.loc[name]["share"].sum() == pytest.approx(one.error_share)
            assert errors.loc[name]["per_s"].sum() == pytest.approx(one.failures / 18)
    by_service = frames.errors_by_flag(result.attempts, by="service", **WINDOW)
    for service in summary.services:
        assert by_service.loc[service.name]["failures"].to_dict() == service.failures_by_flag


def test_amplification_and_wasted_work(result: Result, summary: Summary) -> None:
    amplification = frames.retry_amplification(result.attempts, **WINDOW)
    work = frames.wasted_work(result.attempts, **WINDOW)
    for one in summary.services:
        assert amplification[one.name] == one.retry_amplification
        assert work.loc[one.name].tolist() == pytest.approx([one.worked_s, one.wasted_s, one.wasted_share])
    assert amplification["payment"] > 1
    assert work.loc["payment", "wasted_share"] > 0


def test_held_workers_queues_replicas_and_proxies(result: Result, summary: Summary) -> None:
    held, queues = frames.utilisation(result.counters, WORKERS), frames.queue_length(result.counters)
    hours = frames.replica_hours(result.counters, **WINDOW)
    cores = frames.proxy_cpu(result.proxies, **WINDOW)
    window = (held.index > 2) & (held.index <= 20)
    lengths_s = np.diff(held.index, prepend=0)[window]
    for one in summary.services:
        assert np.average(held.loc[window, one.name], weights=lengths_s) == pytest.approx(one.utilisation)
        assert np.average(queues.loc[window, one.name], weights=lengths_s) == pytest.approx(one.queue_mean)
        assert hours[one.name] == pytest.approx(one.replica_hours)
    proxies = {one.name.removeprefix("sidecar of "): one.cpu_cores for one in summary.proxies}
    assert cores.rename({"(gateway)": "gateway"}).to_dict() == pytest.approx(proxies)
    assert hours["catalog"] < hours["cart"]
    assert cores["(gateway)"] > 0.1


def test_recovery_times(result: Result, summary: Summary) -> None:
    found = frames.recovery_time(result.requests, FAULTS, interval_s=0.25, **WINDOW).set_index(["route", "from_s"])
    assert len(found) == len(summary.recoveries) == 6
    for one in summary.recoveries:
        row = found.loc[one.route or "(all)", one.from_s]
        recovery_s = math.inf if one.is_never else math.nan if one.unknown else one.recovery_s
        assert row["recovery_s"] == pytest.approx(recovery_s, nan_ok=True)
        assert (row["limit_s"], row["share_before"]) == pytest.approx((one.limit_s, one.share_before))
        assert (row["unknown"], row["lost"], row["outlives"]) == (one.unknown, one.lost, one.outlives)
    assert found.loc["buy", "recovery_s"].max() > 0
    assert frames.recovery_time(result.requests, FAULTS[:0], **WINDOW).empty


def test_the_timeline(result: Result, tables: dict[str, pd.DataFrame]) -> None:
    found = frames.timeline(result.requests, simulated_s=result.manifest["simulated_s"], interval_s=0.25)
    quantiles = ["latency_p50_s", "latency_p90_s", "latency_p99_s"]

    pd.testing.assert_frame_equal(tables["timeline"].drop(columns=quantiles), found.drop(columns=quantiles), check_dtype=False)
    pd.testing.assert_frame_equal(tables["timeline"][quantiles], found[quantiles], rtol=COARSE_ERROR)
    assert set(found["route"]) == {"(all)", "browse", "buy"}


def test_errors_over_time(result: Result, tables: dict[str, pd.DataFrame]) -> None:
    found = frames.errors(result.requests, simulated_s=result.manifest["simulated_s"], interval_s=0.25)
    order = ["route", "flag", "time_s"]

    pd.testing.assert_frame_equal(
        tables["errors"].sort_values(order, ignore_index=True), found.sort_values(order, ignore_index=True), check_dtype=False
    )
    assert len(set(found["flag"])) > 1


def test_services_over_time(result: Result, tables: dict[str, pd.DataFrame]) -> None:
    found = frames.services(
        result.attempts, result.counters, WORKERS, simulated_s=result.manifest["simulated_s"], interval_s=0.25
    )

    pd.testing.assert_frame_equal(tables["services"], found, check_dtype=False)
    assert found.query("service == 'catalog'")["replicas_up"].min() == 1


def test_edges(result: Result, tables: dict[str, pd.DataFrame]) -> None:
    found = frames.edges(result.attempts, result.requests, **WINDOW)
    order = ["caller", "service"]

    pd.testing.assert_frame_equal(
        tables["edges"].sort_values(order, ignore_index=True), found.sort_values(order, ignore_index=True), rtol=0.0025
    )
    assert {("(client)", "(gateway)"), ("cart", "payment")} <= set(zip(found["caller"], found["service"], strict=True))


def test_the_load_of_users_and_rates_is_steady_and_the_warm_up_is_told_up_to_the_fault(summary: Summary) -> None:
    assert summary.warm_up_check == ""
    assert summary.warm_up_needed_s is not None
    assert 0 <= summary.warm_up_needed_s < 3


def test_every_function_shows_how_it_is_used() -> None:
    for name in frames.__all__:
        assert ">>>" in (getattr(frames, name).__doc__ or ""), name
