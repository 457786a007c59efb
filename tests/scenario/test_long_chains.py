"""Chains of calls longer than Python's stack: what walks along them does so without recursion."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import meshsim as ms
from meshsim.metrics.stages.critical_path import NONE, SERVICE, Try, split
from meshsim.planning import make_plan, volume
from meshsim.scenario.advice import advice
from meshsim.scenario.flow.flow import MOST_HOPS, Flow
from meshsim.scenario.sections.model import Scenario

LENGTH = 1_200
assert sys.getrecursionlimit() < LENGTH


def chain(length: int) -> dict[str, Any]:
    """Services each of which computes for 1 us and calls the next."""
    names = [f"s{number:05}" for number in range(length)]
    scripts = [[{"compute": "1us"}, {"call": called}] for called in names[1:]] + [[{"compute": "1us"}]]
    return {
        "name": "chain",
        "load": {"l": {"executor": "constant-arrival-rate", "rate": "1/s", "arrivals": "even", "requests": {names[0]: 1}}},
        "services": {name: {"script": script} for name, script in zip(names, scripts, strict=True)},
        "run": {"duration": "2s"},
    }


@pytest.fixture(scope="module")
def flow() -> Flow:
    return Flow(Scenario.model_validate(chain(LENGTH)))


def test_callers_stand_before_those_whom_they_call(flow: Flow) -> None:
    assert list(flow.order) == list(flow.operations)


def test_the_least_time_is_that_of_all_of_them(flow: Flow) -> None:
    assert flow.least_ns("s00000") == LENGTH * 1000
    assert flow.visits[f"s{LENGTH - 1:05}"] == pytest.approx(1.0)


def test_only_so_many_hops_are_looked_at(flow: Flow) -> None:
    ways = [len(way.hops) for way in flow.ways()]

    assert ways == list(range(1, len(ways) + 1))
    assert sum(ways) <= MOST_HOPS < sum(ways) + len(ways) + 1


def test_the_plan_knows_how_many_calls_there_are() -> None:
    plan = make_plan(Scenario.model_validate(chain(LENGTH)))

    assert volume.calls(plan) == [2.0] * LENGTH


def test_such_a_chain_is_checked_and_run_to_its_end() -> None:
    experiment = ms.load(chain(LENGTH))

    (said,) = advice(experiment.scenario, experiment.loaded.places)
    assert said.path == "services"  # that not all of its 720,600 hops were looked at, and nothing else
    assert "chains" in said.message
    result = experiment.run()
    assert list(result.requests["latency_s"]) == pytest.approx([LENGTH * 1e-6] * 2)
    assert len(result.attempts) == 2 * LENGTH


def nested(length: int) -> list[Try]:
    """Tries each of which computes for 1 ns before it calls the next, and for 1 ns after."""
    return [
        Try(
            id=number, parent=number - 1 if number else NONE, attempt=1, caller=number - 1, proxy=NONE, service=number,
            operation=number, instance=0, sent_ns=number, arrived_ns=number, started_ns=number, finished_ns=2 * length - number,
            ended_ns=2 * length - number, worked_ns=2, backoff_ns=0, proxy_ns=0, filter_ns=0, connection_ns=0, tls_ns=0,
            inbound_ns=0, status=200, response_flags=0,
        )
        for number in range(length)
    ]  # fmt: skip


def test_the_critical_path_goes_down_and_up_again() -> None:
    length = 2 * sys.getrecursionlimit()

    segments = split(0, 2 * length, nested(length))

    there = [(number, SERVICE, number, number + 1) for number in range(length - 1)]
    turn = [(length - 1, SERVICE, length - 1, length + 1)]
    back = [(number, SERVICE, 2 * length - number - 1, 2 * length - number) for number in reversed(range(length - 1))]
    assert [tuple(segment) for segment in segments] == [*there, *turn, *back]
