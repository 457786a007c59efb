"""k6's executors that send so many requests and no more."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms


def run(load: dict[str, Any], back: dict[str, Any] | None = None, duration: str = "10s") -> Any:
    """Users of a back that takes 10 ms."""
    services = {"back": {"workers": 10, "script": [{"compute": "10ms"}], **(back or {})}}
    made = {"name": "iterations", "load": {"users": {"requests": {"back": 1}, **load}}, "services": services}
    return ms.load({**made, "run": {"duration": duration}}).run()


def by_user(result: Any) -> dict[int, int]:
    """Requests of each user."""
    return result.requests.groupby("user").size().to_dict()


def test_each_user_sends_as_many_as_it_is_told():
    result = run({"executor": "per-vu-iterations", "vus": 3, "iterations": 5})

    assert by_user(result) == {0: 5, 1: 5, 2: 5}
    assert result.requests["ended_ns"].max() == 50e6


def test_one_user_and_one_iteration_are_the_defaults():
    assert by_user(run({"executor": "per-vu-iterations"})) == by_user(run({"executor": "shared-iterations"})) == {0: 1}


def test_users_share_what_there_is():
    result = run({"executor": "shared-iterations", "vus": 4, "iterations": 10})

    assert by_user(result) == {0: 3, 1: 3, 2: 2, 3: 2}
    assert result.requests["ended_ns"].max() == 30e6


def test_a_user_who_waits_less_sends_more_of_what_is_shared():
    """Answers that take 10 ms in the mean, by chance: who is lucky goes on, and nobody is left to finish alone what was dealt out to it."""
    back = {"script": [{"compute": {"exponential": {"mean": "10ms"}}}]}
    shared = run({"executor": "shared-iterations", "vus": 5, "iterations": 100}, back)
    apart = run({"executor": "per-vu-iterations", "vus": 5, "iterations": 20}, back)

    assert sum(by_user(shared).values()) == 100
    assert set(by_user(apart).values()) == {20}
    assert len(set(by_user(shared).values())) > 1
    assert shared.requests["ended_ns"].max() < apart.requests["ended_ns"].max()


@pytest.mark.parametrize("executor", ["per-vu-iterations", "shared-iterations"])
def test_no_request_begins_after_max_duration_and_one_that_has_begun_is_finished(executor):
    load = {"executor": executor, "vus": 2, "iterations": 1000, "think_time": "15ms", "max_duration": "60ms"}
    requests = run({**load, "start": "1s"}).requests

    assert sorted(set(requests["started_ns"])) == [1000e6, 1025e6, 1050e6]
    assert requests["ended_ns"].max() == 1060e6
    assert (requests["status"] == 200).all()


def test_ten_minutes_are_the_most_unless_told_otherwise():
    load = {"executor": "per-vu-iterations", "iterations": 1000, "think_time": "1s"}

    assert run(load, {"script": []}, "700s").requests["started_ns"].max() == 599e9


def test_a_retry_is_no_iteration():
    retries = {"num_retries": 2, "retry_on": ["5xx"]}
    result = run({"executor": "per-vu-iterations", "vus": 1, "iterations": 4, "retries": retries}, {"errors": "100%"})

    assert (len(result.requests), len(result.attempts)) == (4, 12)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (
            {"executor": "shared-iterations", "vus": 12, "iterations": 11},
            "load.users.iterations: must be at least the number of users (12)",
        ),
        ({"executor": "per-vu-iterations", "iterations": 0}, "load.users.iterations: must be at least 1"),
        ({"executor": "per-vu-iterations", "vus": 0}, "load.users.vus: must be at least 1"),
        ({"executor": "per-vu-iterations", "duration": "1s"}, "load.users.duration: unknown key"),
    ],
)
def test_a_wrong_number_is_told_with_what_would_be_right(load, message):
    with pytest.raises(ms.ScenarioError) as caught:
        run(load)
    assert message in str(caught.value)
