"""What the scenario of connection pools promises, held by runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import meshsim as ms

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "database-pool-exhaustion.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    return {name: ms.load(SCENARIO, variant=name).run() for name in ms.load(SCENARIO).loaded.names}


def answered(result, route, from_s=15, until_s=30):
    """Share of the requests of a route that were answered well; by default while the pool has been empty for some time."""
    return float((between(result, route, from_s, until_s)["status"] == 200).mean())


def between(result, route, from_s, until_s):
    requests = result.requests[result.requests["route"] == f"shop/{route}"]
    return requests[(requests["started_ns"] >= from_s * 1e9) & (requests["started_ns"] < until_s * 1e9)]


def utilisation(result, service):
    return next(one for one in result.summary().services if one.name == service).utilisation


def in_use(result, from_s, until_s):
    rows = result.connection_pools.query(f"{from_s}e9 < time_ns <= {until_s}e9")
    return rows["in_use_ns"].sum() / 1e9 / (until_s - from_s)


def test_before_the_fault_nobody_notices(results):
    assert all(answered(result, route, 0, 10) == 1 for result in results.values() for route in ("browse", "checkout"))
    assert 2.5 < in_use(results["as-is"], 0, 10) < 4.5


def test_as_it_is_reads_fail_although_the_database_is_idle(results):
    assert answered(results["as-is"], "browse") < 0.06
    assert in_use(results["as-is"], 15, 30) > 19.9
    assert utilisation(results["as-is"], "database") < 0.1


def test_twice_the_pool_puts_it_off_for_two_seconds(results):
    first = {name: answered(results[name], "browse", 12, 14) for name in ("as-is", "twice-the-pool")}

    assert first["as-is"] < 0.5
    assert first["twice-the-pool"] > 0.95
    assert answered(results["twice-the-pool"], "browse") < 0.5


def test_failing_fast_answers_more_and_tells_the_others_early_and_does_not_end_it(results):
    fast = between(results["fail-fast"], "browse", 15, 30)

    assert answered(results["fail-fast"], "browse") > 4 * answered(results["as-is"], "browse")
    assert answered(results["fail-fast"], "browse") < 0.35
    assert fast["latency_s"].max() < 0.4
    assert set(fast["response_flags"]) == {"-", "pool_timeout"}


def test_without_a_connection_over_the_call_all_is_well_but_what_the_provider_is_slow_for(results):
    outside = results["call-outside"]

    assert answered(outside, "browse", 0, 50) == 1
    assert answered(outside, "checkout") > 0.8
    assert in_use(outside, 15, 30) < 3


def test_a_pool_of_its_own_saves_browse_and_not_checkout(results):
    assert answered(results["own-pool"], "browse", 0, 50) == 1
    assert answered(results["own-pool"], "checkout") < 0.2
