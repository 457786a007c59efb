"""A caller that asks again meets another luck at the next hop, and the same luck whatever else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import meshsim as ms
from meshsim.errors import ReplayError
from meshsim.replay import Table, attempt_behind

MS = 1_000_000
Section = dict[str, Any]
RETRIES = {"num_retries": 3, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "1ms"}}
AT_SIDECAR = {"mesh": {"proxy_time": "0s", "traffic": {"front": {"retries": RETRIES}, "back": {"retries": {"num_retries": 0}}}}}
LAYERS: dict[str, Section] = {
    "client": {"load": {"retries": RETRIES}},
    "gateway": {"route": {"retries": RETRIES}},
    "sidecar": {"sidecar": True},
    "application": {"application": True},
}
"""Who retries a call of the front, which fails always and calls the back before it does."""


def scenario(layer: Section, *, compute: Any, requests: int = 40) -> Section:
    """A front that asks the back and then fails; with an application or a sidecar that retries, an edge before it asks the front."""
    front = {"workers": 50, "script": [{"call": "back"}, {"compute": "1ms"}], "errors": "100%"}
    edge = {"workers": 50, "script": [{"call": "front", **({"retries": RETRIES} if layer.get("application") else {})}]}
    is_mesh = bool(layer.get("sidecar"))
    return {
        "name": "luck",
        "deployment": "gateway+mesh" if is_mesh else "gateway",
        "load": {
            "users": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": f"{requests}/s",
                "requests": {"all": 1},
                **layer.get("load", {}),
            }
        },
        "gateway": {
            "routes": {
                "all": {"path": "/", "to": "edge" if is_mesh or layer.get("application") else "front", **layer.get("route", {})}
            }
        },
        **(AT_SIDECAR if is_mesh else {}),
        "services": {
            "edge": edge,
            "front": front,
            "back": {"workers": 100, "replicas": 2, "script": [{"compute": compute}], "errors": "0%"},
        },
        "network": {"same_zone": {"exponential": {"mean": "1ms"}}},
        "run": {"duration": "1s"},
    }


def works_ms(result: ms.Result) -> dict[int, list[float]]:
    """What each try of the front had worked for it at the back, by request, in order."""
    rows = result.attempts[result.attempts["service"] == "back"].sort_values(["request", "arrived_ns"])
    return {int(request): (group["worked_ns"] / MS).tolist() for request, group in rows.groupby("request")}


@pytest.mark.parametrize("layer", LAYERS)
def test_drawn_times_differ_from_try_to_try(layer):
    result = ms.load(scenario(LAYERS[layer], compute={"exponential": {"mean": "5ms"}})).run()
    works = works_ms(result)

    assert len(works) > 25
    assert all(len(set(some)) == len(some) == 4 for some in works.values())
    trips = result.attempts[result.attempts["service"] == "back"]
    assert (trips["arrived_ns"] - trips["sent_ns"]).nunique() == len(trips)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_table_has_numbers_of_its_own_for_each_try_of_the_caller(layer, tmp_path):
    """4 x (the caller's try - 1) + the own one: 1, 5, 9, 13."""
    path = tmp_path / "work.npy"
    np.save(path, np.arange(1, 17)[:, np.newaxis] * np.ones(60))
    compute = {"replay": {"file": str(path), "unit": "ms"}}
    works = works_ms(ms.load(scenario(LAYERS[layer], compute=compute)).run())

    assert len(works) > 25
    assert {tuple(some) for some in works.values()} == {(1, 5, 9, 13)}


def test_how_many_belong_to_one_try_of_the_caller_is_a_setting(tmp_path):
    path = tmp_path / "work.npy"
    np.save(path, np.arange(1, 9)[:, np.newaxis] * np.ones(60))
    compute = {"replay": {"file": str(path), "unit": "ms", "attempts_per_call": 2}}
    works = works_ms(ms.load(scenario(LAYERS["gateway"], compute=compute)).run())
    assert {tuple(some) for some in works.values()} == {(1, 3, 5, 7)}


@pytest.mark.parametrize(
    ("tries", "attempt"), [([1], 1), ([7], 7), ([1, 1], 1), ([1, 4], 4), ([2, 1], 5), ([3, 2], 10), ([2, 1, 3], 19)]
)
def test_the_attempt_of_a_table_counts_all_hops(tries, attempt):
    assert attempt_behind(Table(np.ones((1, 1)), "a.npy"), tries) == attempt


def test_a_call_that_is_tried_more_often_than_there_are_numbers_is_told_what_to_write():
    with pytest.raises(ReplayError) as error:
        attempt_behind(Table(np.ones((1, 1)), "a.npy"), [1, 5])
    assert str(error.value) == (
        "a.npy: try 5 of a call has no number: of each attempt of the caller it has 4; write attempts_per_call: 5 or more"
    )


def test_parts_of_an_answer_count_their_own_tries(tmp_path):
    """Before, a part's first try was the request's second one, and a first try at no service."""
    path = tmp_path / "work.npy"
    np.save(path, np.array([[2.0], [9.0]]) * np.ones(60))
    made = scenario({}, compute={"replay": {"file": str(path), "unit": "ms"}})
    made["services"]["front"]["errors"] = "0%"
    made["gateway"]["routes"]["all"] = {"path": "/", "to": "edge", "aggregate": [{"call": "back"}]}
    made["services"]["edge"]["script"] = [{"compute": "1ms"}]
    attempts = ms.load(made).run().attempts

    assert set(attempts["attempt"]) == {1}
    assert set(attempts[attempts["service"] == "back"]["worked_ns"]) == {2 * MS}


def test_a_clients_second_try_is_the_second_of_each_part(tmp_path):
    path = tmp_path / "work.npy"
    np.save(path, np.array([[2.0], [9.0]]) * np.ones(60))
    made = scenario({"load": {"retries": {**RETRIES, "num_retries": 1}}}, compute={"replay": {"file": str(path), "unit": "ms"}})
    made["gateway"]["routes"]["all"] = {"path": "/", "to": "edge", "aggregate": [{"call": "back"}]}
    made["services"]["edge"] |= {"script": [{"compute": "1ms"}], "errors": "100%"}
    rows = ms.load(made).run().attempts
    of_back = rows[rows["service"] == "back"]
    assert set(zip(of_back["attempt"], of_back["worked_ns"] // MS, strict=True)) == {(1, 2), (2, 9)}


def test_a_fallback_counts_its_own_tries():
    made = scenario({}, compute="1ms")
    made["gateway"]["routes"]["all"] = {"path": "/", "to": "front", "fallback": "back"}
    made["services"]["front"]["script"] = [{"compute": "1ms"}]
    attempts = ms.load(made).run().attempts
    assert set(attempts["attempt"]) == {1}
