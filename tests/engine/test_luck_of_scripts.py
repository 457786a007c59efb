"""Variants are compared request by request: what is changed in one place of a script leaves the luck of the others alone."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import meshsim as ms
from meshsim.plan import NONE, every_step
from meshsim.planning import make_plan
from meshsim.scenario.load import read

DRAWN: dict[str, Any] = {"compute": {"exponential": {"mean": "4ms"}}}
SOMETIMES: dict[str, Any] = {"call": "slow", "probability": "50%"}
SCRIPT: list[dict[str, Any]] = [{"call": "quick"}, DRAWN, SOMETIMES, DRAWN, {"call": "slow"}]


def scenario(script: Any, **front: Any) -> dict[str, Any]:
    """A service with a script, before two whose answers take a time that is drawn; none of them ever fails."""
    return {
        "name": "luck",
        "defaults": "none",
        "deployment": "none",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "100/s", "requests": {"front": 1}}},
        "services": {
            "front": {"workers": 100, "script": script, **front},
            "quick": {"workers": 100, "script": [{"compute": {"exponential": {"mean": "1ms"}}}]},
            "slow": {"workers": 100, "script": [{"compute": {"exponential": {"mean": "9ms"}}}]},
        },
        "run": {"duration": "1s"},
    }


def run(script: Any, **front: Any) -> ms.Result:
    """What comes of it."""
    return ms.load(scenario(script, **front)).run()


def assert_same(first: ms.Result, second: ms.Result) -> None:
    """All requests and attempts, byte by byte."""
    assert first.requests["ended_ns"].nunique() > 50
    pd.testing.assert_frame_equal(first.requests, second.requests)
    pd.testing.assert_frame_equal(first.attempts, second.attempts)


@pytest.mark.parametrize(
    "fallback",
    [
        [{"compute": "1ms"}],
        [DRAWN, {"call": "slow", "fallback": [DRAWN, DRAWN]}, [{"call": "quick"}, {"call": "slow"}]],
    ],
)
def test_a_fallback_that_never_runs_changes_nothing(fallback: Any) -> None:
    with_it = [{**SCRIPT[0], "fallback": fallback}, *SCRIPT[1:]]

    assert_same(run(SCRIPT), run(with_it))


@pytest.mark.parametrize("wrapped", [slice(0, 5), slice(1, 2), slice(0, 3)])
def test_a_transaction_of_a_pool_that_is_large_enough_changes_nothing(wrapped: slice) -> None:
    script = [*SCRIPT[: wrapped.start], {"transaction": "db", "script": SCRIPT[wrapped]}, *SCRIPT[wrapped.stop :]]
    pool = {"maximum_pool_size": 100}

    assert_same(run(SCRIPT), run(script, connection_pools={"db": pool}))


@pytest.mark.parametrize("need", [3, None])
def test_calls_at_once_of_which_all_are_needed_are_those_of_a_list(need: int | None) -> None:
    calls = [{"call": "quick"}, {"call": "slow", "repeat": 2}]
    parallel = {"parallel": calls, **({"need": need} if need else {})}

    assert_same(run([calls, *SCRIPT]), run([parallel, *SCRIPT]))


def test_fewer_answers_than_all_leave_the_luck_of_each_call_and_of_what_comes_after_alone() -> None:
    calls = [{"call": "quick"}, {"call": "slow"}]
    columns = ["request", "attempt", "worked_ns"]
    all_of_them, one = (
        run([{"parallel": calls, "need": need}, DRAWN]).attempts.sort_values(["request", "id"]) for need in (2, 1)
    )

    for service in ("front", "quick", "slow"):
        first, second = (made.loc[made["service"] == service, columns].reset_index(drop=True) for made in (all_of_them, one))
        pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("further", ["aardvark", "zebra"])
def test_a_further_pool_leaves_whom_another_one_picks_alone(further: str) -> None:
    """Its name comes before or after the other's; most requests wait."""
    script = [{"transaction": "db", "script": [{"compute": "12ms"}]}]
    pools: dict[str, Any] = {"db": {"maximum_pool_size": 1, "waiters": "random"}}
    turns = {waiters: run(script, connection_pools={"db": {**pools["db"], "waiters": waiters}}) for waiters in ("random", "fifo")}

    assert not turns["random"].requests["ended_ns"].equals(turns["fifo"].requests["ended_ns"])
    assert_same(turns["random"], run(script, connection_pools={**pools, further: {"waiters": "random"}}))


def test_each_round_of_a_loop_and_each_step_of_a_fallback_has_a_number_of_its_own() -> None:
    inner = {"call": "quick", "repeat": 2, "fallback": [DRAWN, {"call": "slow", "fallback": [DRAWN]}]}
    script = [{"loop": 2, "script": [inner, {"transaction": "db", "script": [DRAWN, inner]}, [{"call": "slow"}] * 2]}, DRAWN]
    operations = make_plan(read(scenario(script, connection_pools={"db": {}}))[0]).operations
    places = [step.place for step in every_step(max(operations, key=lambda one: len(one.steps)).steps)]
    numbered = [place for place in places if place != NONE]

    assert len(places) - len(numbered) == 2
    assert len(set(numbered)) == len(numbered) == 2 * (2 * 2 * 4 + 1 + 3) + 1
