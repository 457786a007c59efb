"""A rule's cluster over several services: whatever befalls an endpoint is counted for the backend that it belongs to.

Envoy counts for the cluster, which is the rule. The tables are by service, so that each event is told of whom it concerns: of a
further try, of the backend whose try made it necessary; of a pick that found nobody, of the backend whose share it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_rule_clusters import GREEN_FAILS, patched, shop

from meshsim import load

if TYPE_CHECKING:
    import pandas as pd

QUIET: dict[str, Any] = {"gateway": {"traffic": {"*": {"outlier_detection": None}}}}
GREEN_FOR_EVER = {"at": "0s", "for": "4s", "service": "green"}


def run(patch: dict[str, Any], route: dict[str, Any] | None = None) -> Any:
    return load(shop(patch, route)).run()


def counted(result: Any, name: str) -> dict[str, int]:
    """Of the gateway's traffic, by service."""
    counts: pd.Series = result.destinations.groupby("service", observed=True)[name].sum()
    return {str(service): int(count) for service, count in counts.items()}


def traffic(**settings: Any) -> dict[str, Any]:
    return patched({"gateway": {"traffic": {"*": {"outlier_detection": None}}}}, {"gateway": {"traffic": {"*": settings}}})


def test_an_ejection_by_a_sweep() -> None:
    """By failure percentage, which only sweeps look at."""
    by_percentage = {
        "consecutive_5xx": 100_000, "enforcing_failure_percentage": "100%", "failure_percentage_threshold": 50,
        "failure_percentage_request_volume": 5, "failure_percentage_minimum_hosts": 3, "interval": "500ms",
    }  # fmt: skip
    result = run({"faults": [GREEN_FAILS], "gateway": {"traffic": {"*": {"outlier_detection": by_percentage}}}})

    assert counted(result, "ejections") == {"blue": 0, "green": 3}


def test_changes_of_health_by_active_checks() -> None:
    checks = {
        "interval": "200ms",
        "timeout": "100ms",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
    }
    crash = {"at": "1s", "for": "1s", "service": "green", "crash": True}

    assert counted(run({"faults": [crash], **traffic(health_checks=checks)}), "health_changes") == {"blue": 0, "green": 6}


def test_a_retry_and_one_that_was_refused() -> None:
    """Half of the requests fail at green. Of those 503 some find the only slot taken, each of them and each retry after a try there."""
    failing = {"services": {"green": {"errors": {"rate": "100%", "status": 503}}}}
    limited = traffic(circuit_breakers={"max_retries": 1})
    retries = {"retries": {"num_retries": 1, "retry_back_off": {"base_interval": "25ms"}}}
    result = run(patched(failing, limited), retries)
    attempts = result.attempts

    sent, refused = counted(result, "retries"), counted(result, "retries_refused")
    assert sent == {"blue": 0, "green": int((attempts["attempt"] > 1).sum())}
    assert sent["green"] > 100
    assert refused["blue"] == 0
    first = attempts[(attempts["attempt"] == 1) & (attempts["service"] == "green")]
    last = attempts[(attempts["attempt"] == 2) & (attempts["service"] == "green")]
    assert sent["green"] + refused["green"] == len(first)
    assert len(last) > 0  # a retry that fails there has none left, and is not refused


def test_a_hedge_and_one_that_won() -> None:
    """Green is slow: each try there has another one sent beside it, which wins where it goes to blue."""
    slow = {**GREEN_FOR_EVER, "slow": 100}
    result = run({"faults": [slow], **QUIET}, {"hedge_policy": {"delay": "20ms"}, "timeout": "1s"})

    hedges, won = counted(result, "hedges"), counted(result, "hedges_won")
    assert hedges["blue"] == won["blue"] == 0
    assert 0 < won["green"] < hedges["green"]


def test_a_timeout_over_all_tries() -> None:
    slow = {**GREEN_FOR_EVER, "slow": 100}
    result = run({"faults": [slow], **QUIET}, {"timeout": "50ms"})

    assert counted(result, "timeouts") == {"blue": 0, "green": int((result.requests["status"] == 504).sum())}


def test_a_timeout_of_a_split_by_subsets_counts_for_the_subset() -> None:
    """The same kind: a split's timeouts counted for its first subset."""
    subsets = {"subsets": {"old": 2, "young": 2}}
    made = shop({"services": {"blue": {"replicas": 4, **subsets}}, **QUIET}, {"to": "blue", "timeout": "50ms"})
    made["gateway"]["traffic"]["blue"] = {"split": {"old": 50, "young": 50}}
    made["faults"] = [{"at": "0s", "for": "4s", "service": "blue", "subset": "young", "slow": 100}]
    result = load(made).run()
    counts = result.destinations.groupby("subset", observed=True)["timeouts"].sum()

    assert counts["young"] == (result.requests["status"] == 504).sum() > 100
    assert counts["old"] == 0


def test_connections() -> None:
    """Each host has one at least; those to green are refused while it is down."""
    crash = {"at": "1s", "for": "1s", "service": "green", "crash": True}
    result = run({"faults": [crash], **traffic(connect_timeout="1s")})

    opened, failed = counted(result, "opened"), counted(result, "connect_failures")
    assert min(opened.values()) >= 3
    assert failed["blue"] == 0
    assert failed["green"] >= 100  # about half of 200 requests


def test_a_wait_for_a_connection() -> None:
    """Green is slow and its hosts have one connection each: who waits, waits there."""
    slow = {**GREEN_FOR_EVER, "slow": 20}
    result = run({"faults": [slow], **traffic(circuit_breakers={"max_connections": 1})})
    waits = counted(result, "pool_waits")

    assert waits["green"] > 100
    assert waits["blue"] < 0.1 * waits["green"]


def test_a_pick_that_found_nobody_of_the_backend_whose_share_it_was() -> None:
    """Green's endpoints are gone from the list: its half of the requests fails with UH, as green's."""
    gone = {"readiness": {"period": "100ms", "failure_threshold": 1}}
    crash = {"at": "1s", "for": "3s", "service": "green", "crash": True}
    result = run({"services": {"green": gone}, "faults": [crash]})
    requests, attempts = result.requests, result.attempts
    late = requests[(requests["started_ns"] >= 2e9) & (requests["status"] == 503)]

    nobody = counted(result, "no_host")
    assert nobody["blue"] == 0
    assert nobody["green"] >= len(late) > 150
    assert set(late["origin"]) == {"green"}
    refused = attempts[(attempts["sent_ns"] < 0) & (attempts["status"] == 503)]
    assert {(row.service, row.operation) for row in refused.itertuples()} == {("green", "green")}


def test_what_has_to_do_with_no_endpoint_counts_for_the_first_backend() -> None:
    """All hosts of both are ejected and there is no panic: nobody knows whose share a request was."""
    all_fail = [{"at": "1s", "for": "3s", "service": one, "errors": "100%"} for one in ("blue", "green")]
    result = run({"faults": all_fail, "gateway": {"traffic": {"*": {"healthy_panic_threshold": "0%"}}}})

    nobody = counted(result, "no_host")
    assert nobody["blue"] > 400
    assert nobody["green"] == 0


@pytest.mark.parametrize("name", ["ejections", "panic_picks"])
def test_picks_in_a_panic_are_those_of_each_backend(name: str) -> None:
    faults = [GREEN_FAILS, {"at": "1s", "for": "3s", "service": "blue", "instances": [0, 1], "errors": "100%"}]
    counts = counted(run({"faults": faults}), name)

    if name == "ejections":
        assert counts == {"blue": 2, "green": 3}
    else:
        assert counts["green"] / sum(counts.values()) == pytest.approx(0.5, abs=0.1)
