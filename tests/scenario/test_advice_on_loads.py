"""What `meshsim check` says of loads that have no time for what they are to do."""

from __future__ import annotations

from typing import Any

from meshsim.scenario.advice import remarks
from meshsim.scenario.load import load


def said(**of_load: Any) -> list[str]:
    """Warnings of a load at a service that takes 10 ms."""
    services = {"back": {"workers": 100, "script": [{"compute": "10ms"}]}}
    made = {
        "name": "loads",
        "load": {"web": {"requests": {"back": 1}, **of_load}},
        "services": services,
        "run": {"duration": "1m"},
    }
    return [f"{'.'.join(map(str, remark.path))}: {remark.message}" for remark in remarks(load(made).scenario)]


def bursty(lasts: str, sources: int = 1) -> list[str]:
    states = [{"intensity": 1, "lasts": lasts}, {"intensity": 9, "lasts": {"exponential": {"mean": "10s"}}}]
    bursts = {"states": states, "sources": sources}
    return said(executor="constant-arrival-rate", rate="50/s", arrivals="poisson", bursts=bursts)


def test_bursts_that_do_not_come_round_leave_the_rate_to_chance() -> None:
    assert bursty("30s") == [
        (
            "load.web.bursts.states: a full cycle of states takes 40s on average, but the load lasts only 1m: the rate of a run is left to chance"
            " and may be far from 50/s; use shorter states, more sources or a longer load"
        )
    ]
    assert bursty("10s") == bursty("30s", sources=2) == []


def test_iterations_that_nobody_has_time_for_are_never_sent() -> None:
    """Two users who need 1 s each time begin 61 in a minute, each."""
    users = {"executor": "per-vu-iterations", "vus": 2, "think_time": "990ms"}
    assert said(**users, iterations=70) == [
        (
            "load.web.iterations: web should send 140 requests but has time for at most about 122 in 1m: the rest are never sent; use fewer"
            " iterations, more users, or a longer run and max_duration"
        )
    ]
    assert said(**users, iterations=60) == said(**users, iterations=70, timeout="5s") == []
    assert len(said(**users, iterations=60, max_duration="30s")) == 1
    assert len(said(**{**users, "executor": "shared-iterations"}, iterations=140)) == 1
